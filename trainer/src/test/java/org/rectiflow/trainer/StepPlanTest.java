package org.rectiflow.trainer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.rectiflow.engine.Activation;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Gradients;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Graph.Scope;
import org.rectiflow.engine.Recompute;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.Value;
import org.rectiflow.engine.cpu.CpuBackend;
import org.rectiflow.pipeline.io.UserException;
import org.rectiflow.pipeline.memory.MachineMemory;
import org.rectiflow.trainer.config.Settings;
import org.rectiflow.training.Objective;

class StepPlanTest {
  private static final int NUMBERS = 1 << 16;
  private static final long STATE = 5L * Float.BYTES * NUMBERS;

  /** A toy of four blocks, each of three activations. */
  private static final class Deep extends ToyTask {
    Deep(Settings settings) {
      super(settings);
    }

    @Override
    public Objective objective(Recompute recompute) {
      Graph g = new Graph();
      Value w = g.input("w", NUMBERS);
      Value h = w;
      for (int i = 0; i < 4; i++) {
        try (Scope _ = g.scope("block" + i)) {
          for (int j = 0; j < 3; j++) {
            h = g.activate(Activation.GELU_TANH, h);
          }
        }
      }
      Value loss = g.mean(h);
      Value gradient = Gradients.of(g, loss, List.of(w), recompute).getFirst();
      g.output(Objective.LOSS, loss);
      g.output(Objective.GRADIENT + "w", gradient);
      return new Objective(g, Map.of("w", Tensor.zeros(Shape.of(NUMBERS))));
    }
  }

  private static StepPlan plan(String recompute, Backend backend, long free) {
    Settings settings =
        ToyTask.settings("steps = 1", "memory.recompute = \"%s\"".formatted(recompute));
    MachineMemory machine = new MachineMemory(1L << 40, free, 1L << 40, "the machine");
    return StepPlan.of(settings, new Deep(settings), backend, machine);
  }

  @Test
  void theMemoryThatIsFreeChooses() {
    Settings settings = ToyTask.settings("steps = 1");
    assertThat(settings.get(LoopKeys.RECOMPUTE)).isEqualTo("auto");
    try (Backend backend = new CpuBackend(1)) {
      Task task = new Deep(settings);
      long kept = STATE + backend.arenaBytes(task.objective(Recompute.NONE).graph());
      long again = STATE + backend.arenaBytes(task.objective(Recompute.BLOCKS).graph());
      assertThat(again).isLessThan(kept);

      StepPlan all = plan("auto", backend, kept);
      assertThat(all.recompute()).isEqualTo(Recompute.NONE);
      assertThat(all.note()).isEmpty();

      StepPlan blocks = plan("auto", backend, kept - 1);
      assertThat(blocks.recompute()).isEqualTo(Recompute.BLOCKS);
      assertThat(blocks.note().orElseThrow())
          .contains("the machine has", "free: blocks are computed again");
      LogEvent.Memory event = blocks.event(7, 3 << 20);
      assertThat(event).isEqualTo(new LogEvent.Memory(7, "blocks", 3, (kept - 1 - STATE) >> 20));

      assertThatThrownBy(() -> plan("auto", backend, again - 1))
          .isInstanceOf(UserException.class)
          .hasMessageContaining("a training step needs")
          .hasMessageContaining("A smaller `batch` with a larger `accumulation`")
          .hasMessageContaining("memory.recompute = \"blocks\" tries it anyway");
    }
  }

  @Test
  void whatTheRunFileSaysIsDone() {
    try (Backend backend = new CpuBackend(1)) {
      assertThat(plan("none", backend, 0).recompute()).isEqualTo(Recompute.NONE);
      assertThat(plan("blocks", backend, 1L << 40).recompute()).isEqualTo(Recompute.BLOCKS);
    }
  }
}
