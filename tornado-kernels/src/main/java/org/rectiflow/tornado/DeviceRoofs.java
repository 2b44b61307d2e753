package org.rectiflow.tornado;

import java.lang.foreign.ValueLayout;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.rectiflow.engine.DeviceException;
import org.rectiflow.engine.Roofs;
import org.rectiflow.tornado.Launch.Task;
import org.rectiflow.tornado.kernels.Ceilings;
import org.rectiflow.tornado.kernels.Row;
import org.rectiflow.tornado.kernels.Transfers;
import uk.ac.manchester.tornado.api.common.TornadoDevice;

/** Measures what a device does at most, by its own clock. */
final class DeviceRoofs {
  private static final int ROUNDS = 5;
  private static final int LANES = 1 << 20;
  private static final int STEPS = 1 << 9;
  private static final int COPIED = 1 << 25;
  private static final int BUS = 64;

  private DeviceRoofs() {}

  /** Copies 128 MB, less on a device that has not eight times as much. */
  static Roofs measure(TornadoDevice device, KernelSources sources) {
    DeviceLimits limits = DeviceLimits.of(device, 0);
    long room = Math.min(limits.most(), limits.largestArray()) / (8 * Float.BYTES);
    int copied = (int) Math.min(COPIED, room);
    int ticket = Math.max(2 * copied, LANES);
    Set<Task> tasks = new LinkedHashSet<>();
    tasks.add(new Task(Kernel.STORE));
    tasks.add(new Task(Kernel.MULTIPLY_ADDS));
    tasks.add(new Task(Kernel.PLAIN_COPY));
    try (DeviceArrays arrays = new DeviceArrays(ticket + BUS, List.of(), List.of(), BUS);
        DeviceProgram program =
            new DeviceProgram(device, sources, arrays, tasks, DeviceArrays::addTask)) {
      program.create((_, _) -> {});
      int[] adds = Ceilings.multiplyAddsRow(LANES, STEPS, 0);
      int[] copy = Ceilings.plainCopyRow(copied, 0, copied);
      long computing =
          best(arrays, program, Launch.elements(Kernel.MULTIPLY_ADDS, LANES, adds), ticket);
      long copying =
          best(arrays, program, Launch.elements(Kernel.PLAIN_COPY, copied, copy), ticket);
      double flops = 2.0 * Ceilings.CHAINS * STEPS * LANES;
      return new Roofs(flops / computing, 2.0 * Float.BYTES * copied / copying);
    }
  }

  private static long best(DeviceArrays arrays, DeviceProgram program, Launch launch, int ticket) {
    long best = Long.MAX_VALUE;
    for (int round = 1; round <= ROUNDS; round++) {
      launch.row()[Row.TICKET] = ticket;
      launch.row()[Row.RUN] = round;
      best = Math.min(best, program.launch(launch).kernel());
      int[] row = Transfers.row(BUS, ticket);
      row[Row.TICKET] = ticket + 1;
      program.launch(Launch.elements(Kernel.STORE, BUS, row));
      if (arrays.floatBus().getSegment().get(ValueLayout.JAVA_FLOAT, 0) != round) {
        throw new DeviceException("kernel " + launch.task().title() + " did not run");
      }
    }
    return best;
  }
}
