package org.rectiflow.trainer;

import java.util.Locale;
import java.util.Optional;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Recompute;
import org.rectiflow.engine.Tensor;
import org.rectiflow.pipeline.io.Bytes;
import org.rectiflow.pipeline.io.UserException;
import org.rectiflow.pipeline.memory.MachineMemory;
import org.rectiflow.trainer.config.Settings;
import org.rectiflow.training.Objective;

/**
 * Whether a step keeps everything for its backward pass or computes blocks again, by {@link
 * LoopKeys#RECOMPUTE}.
 *
 * @param free bytes that the machine has free for the step
 * @param note what was chosen for want of memory, for people
 */
record StepPlan(Objective objective, Recompute recompute, long free, Optional<String> note) {
  /** Gradients, their sum, two moments and a moving average of each trained number. */
  private static final int COPIES = 5;

  /**
   * Plans a step.
   *
   * @param machine its memory before anything of the step was taken
   * @throws UserException if {@code auto} finds no way that fits
   */
  static StepPlan of(Settings settings, Task task, Backend backend, MachineMemory machine) {
    String asked = settings.get(LoopKeys.RECOMPUTE);
    if (!asked.equals("auto")) {
      Recompute recompute = Recompute.valueOf(asked.toUpperCase(Locale.ROOT));
      return new StepPlan(
          task.objective(recompute), recompute, machine.available(), Optional.empty());
    }
    Objective kept = task.objective(Recompute.NONE);
    long free = Math.max(0, machine.available() - COPIES * bytes(kept));
    long all = backend.arenaBytes(kept.graph());
    if (all <= free) {
      return new StepPlan(kept, Recompute.NONE, free, Optional.empty());
    }
    Objective again = task.objective(Recompute.BLOCKS);
    long least = backend.arenaBytes(again.graph());
    if (least > free) {
      throw new UserException(
          "a training step needs %s for its activations, or %s with blocks computed again, and %s has %s free for them. A smaller `batch` with a larger `accumulation` trains the same but for rounding; memory.recompute = \"blocks\" tries it anyway."
              .formatted(Bytes.text(all), Bytes.text(least), machine.limit(), Bytes.text(free)));
    }
    return new StepPlan(
        again,
        Recompute.BLOCKS,
        free,
        Optional.of(
            "memory: a step would take %s, %s has %s free: blocks are computed again, and it takes %s"
                .formatted(Bytes.text(all), machine.limit(), Bytes.text(free), Bytes.text(least))));
  }

  private static long bytes(Objective objective) {
    long numbers = 0;
    for (Tensor tensor : objective.parameters().values()) {
      numbers += tensor.data().length;
    }
    return Float.BYTES * numbers;
  }

  LogEvent.Memory event(long step, long arenaBytes) {
    return new LogEvent.Memory(
        step, recompute.name().toLowerCase(Locale.ROOT), arenaBytes >> 20, free >> 20);
  }
}
