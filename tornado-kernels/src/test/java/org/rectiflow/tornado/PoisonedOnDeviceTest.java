package org.rectiflow.tornado;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.rectiflow.engine.Roofs;
import org.rectiflow.tornado.Launch.Task;
import org.rectiflow.tornado.kernels.Convolution;
import org.rectiflow.tornado.kernels.Elementwise;
import org.rectiflow.tornado.kernels.Functions;
import org.rectiflow.tornado.kernels.Layout;
import org.rectiflow.tornado.kernels.Linear;
import org.rectiflow.tornado.kernels.Row;
import org.rectiflow.tornado.kernels.Transfers;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.runtime.TornadoRuntimeProvider;

/**
 * Single kernels on the device: outputs poisoned first, grids larger than the data, and nothing but
 * the output and the ticket may change. The numbers are small integers, so that every sum is exact
 * in any order and results are compared bit for bit. Kernels that the device's kind would not
 * choose are run all the same.
 */
class PoisonedOnDeviceTest {
  private static final int SPACE = 8192;
  private static final int INPUTS = 4096;
  private static final int Y = 5000;
  private static final int TICKET = SPACE - 1;
  private static final Linear.Finish PLAIN =
      new Linear.Finish(-1, Functions.NONE, Linear.PLAIN, -1, -1, 1);

  private final float[] start = new float[SPACE];

  PoisonedOnDeviceTest() {
    Random random = new Random(5);
    Arrays.fill(start, Float.NaN);
    for (int i = 0; i < INPUTS; i++) {
      start[i] = random.nextInt(17) - 8;
    }
  }

  /** A launch and what it writes from {@link #Y} on. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Case(Launch launch, float[] expected) {}

  private static Launch larger(Kernel kernel, Storage storage, int x, int y, int[] row) {
    return new Launch(new Task(kernel, storage, 0), x, y, row);
  }

  private List<Case> cases() {
    int m = 37;
    int n = 21;
    int k = 19;
    float[] product = new float[m * n];
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < n; j++) {
        for (int e = 0; e < k; e++) {
          product[i * n + j] += start[i * k + e] * start[1000 + j * k + e];
        }
      }
    }
    int[] linear = Linear.row(m, n, k, 0, 1000, Y, -1, PLAIN);
    int[] few = Linear.row(6, n, k, 0, 1000, Y, -1, PLAIN);
    Convolution.Geometry g = new Convolution.Geometry(1, 19, 1, 37, 21, 1, 37, 1, 1, 1, 0, 0, 0);
    float[] convolved = new float[m * n];
    for (int o = 0; o < n; o++) {
      for (int q = 0; q < m; q++) {
        for (int c = 0; c < k; c++) {
          convolved[o * m + q] += start[c * m + q] * start[1000 + o * k + c];
        }
      }
    }
    float[] sums = new float[300];
    float[] permuted = new float[30];
    for (int i = 0; i < sums.length; i++) {
      sums[i] = start[i] + start[500 + i % 7];
    }
    for (int i = 0; i < permuted.length; i++) {
      permuted[i] = start[i / 6 + i / 3 % 2 * 15 + i % 3 * 5];
    }
    int[] permute =
        Layout.copyRow(0, Y, new int[] {5, 2, 3}, new int[] {1, 15, 5}, new int[] {6, 3, 1});
    return List.of(
        new Case(larger(Kernel.LINEAR_TILED, Storage.MEM, 3, 3, linear), product),
        new Case(larger(Kernel.LINEAR_BLOCKED, Storage.MEM, 3, 5, linear.clone()), product),
        new Case(
            larger(Kernel.LINEAR_FEW, Storage.MEM, n + 3, 3, few), Arrays.copyOf(product, 6 * n)),
        new Case(
            larger(
                Kernel.CONVOLUTION, Storage.MEM, 2, 7, Convolution.row(g, 0, 1000, -1, -1, Y, -1)),
            convolved),
        new Case(
            larger(
                Kernel.COMBINE,
                Storage.NONE,
                9,
                1,
                Elementwise.combineRow(300, 0, 500, 7, Y, Elementwise.ADD)),
            sums),
        new Case(larger(Kernel.COPY, Storage.NONE, 4, 1, permute), permuted));
  }

  @Test
  void kernelsWriteTheirOutputAndNothingElse() {
    Device.open().close();
    TornadoDevice device = TornadoRuntimeProvider.getTornadoRuntime().getBackend(0).getDevice(0);
    Set<Task> tasks = new LinkedHashSet<>();
    tasks.add(new Task(Kernel.LOAD));
    tasks.add(new Task(Kernel.STORE));
    List<Case> cases = cases();
    cases.forEach(c -> tasks.add(c.launch().task()));
    try (DeviceArrays arrays = new DeviceArrays(SPACE, List.of(), List.of(), SPACE);
        DeviceProgram program =
            new DeviceProgram(
                device, KernelSources.in(Optional.empty()), arrays, tasks, DeviceArrays::addTask)) {
      program.create((_, _) -> {});
      for (Case c : cases) {
        check(arrays, program, c);
      }
    }
  }

  @Test
  void roofsAreAboveWhatIsComputed() {
    try (TornadoBackend backend = Device.open()) {
      Roofs roofs = backend.roofs().orElseThrow();
      System.out.println(roofs);
      assertThat(roofs.gflops()).isBetween(0.5, 1e6);
      assertThat(roofs.gigabytesPerSecond()).isBetween(0.1, 1e5);
    }
  }

  private void check(DeviceArrays arrays, DeviceProgram program, Case c) {
    MemorySegment bus = arrays.floatBus().getSegment();
    MemorySegment.copy(start, 0, bus, ValueLayout.JAVA_FLOAT, 0, SPACE);
    program.launch(whole(Kernel.LOAD));
    int[] row = c.launch().row();
    row[Row.TICKET] = TICKET;
    row[Row.RUN] = 41;
    program.launch(c.launch());
    program.launch(whole(Kernel.STORE));
    float[] want = start.clone();
    System.arraycopy(c.expected(), 0, want, Y, c.expected().length);
    want[TICKET] = 41;
    float[] got = bus.toArray(ValueLayout.JAVA_FLOAT);
    want[TICKET - 1] = got[TICKET - 1]; // the store's own ticket
    for (int i = 0; i < SPACE; i++) {
      if (Float.floatToIntBits(got[i]) != Float.floatToIntBits(want[i])) {
        assertThat(got[i])
            .as("%s, element %d, the output begins at %d", c.launch().task().title(), i, Y)
            .isEqualTo(want[i]);
      }
    }
    System.out.println(c.launch().task().title() + ": " + c.expected().length + " exact");
  }

  private static Launch whole(Kernel kernel) {
    int[] row = Transfers.row(SPACE, 0);
    row[Row.TICKET] = TICKET - 1;
    return new Launch(new Task(kernel), SPACE / kernel.localX(), 1, row);
  }
}
