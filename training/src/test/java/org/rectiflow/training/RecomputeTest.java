package org.rectiflow.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Executable;
import org.rectiflow.engine.Recompute;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.StoredWeights;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.WeightSource;
import org.rectiflow.engine.cpu.CpuBackend;
import org.rectiflow.mmdit.Mmdit;
import org.rectiflow.mmdit.MmditConfig;
import org.rectiflow.safetensors.TensorSource;

/** Blocks computed again in the backward pass: the same bits in less memory. */
class RecomputeTest {
  private static final Path MODEL =
      Path.of("../testdata/models/shapes/transformer/diffusion_pytorch_model.safetensors");
  private static final int BATCH = 2;
  private static final int TOKENS = 64;

  private final Random random = new Random(11);

  @Test
  void sameGradientsInLessMemory() {
    try (TensorSource weights = TensorSource.open(MODEL);
        Backend backend = new CpuBackend(2)) {
      StoredWeights stored = new StoredWeights(weights);
      Map<String, Tensor> data = data(MmditConfig.of(stored));
      Map<Recompute, Objective.Result> results = new LinkedHashMap<>();
      Map<Recompute, Long> bytes = new LinkedHashMap<>();
      for (Recompute recompute : Recompute.values()) {
        Objective objective = build(stored).apply(recompute);
        try (Executable executable = backend.compile("step", objective.graph())) {
          bytes.put(recompute, executable.arenaBytes());
          results.put(recompute, objective.evaluate(executable, data));
        }
      }
      System.out.printf("arena of a step: %s%n", bytes);
      Objective.Result kept = results.get(Recompute.NONE);
      Objective.Result again = results.get(Recompute.BLOCKS);
      assertThat(again.loss()).isEqualTo(kept.loss());
      kept.gradients()
          .forEach((name, g) -> assertThat(again.gradients().get(name)).as(name).isEqualTo(g));
      assertThat(bytes.get(Recompute.BLOCKS)).isLessThan(bytes.get(Recompute.NONE) * 4 / 5);
    }
  }

  @Test
  void theMemoryPlanChooses() {
    try (TensorSource weights = TensorSource.open(MODEL);
        Backend backend = new CpuBackend(2)) {
      Function<Recompute, Objective> build = build(new StoredWeights(weights));
      long kept = backend.arenaBytes(build.apply(Recompute.NONE).graph());
      long again = backend.arenaBytes(build.apply(Recompute.BLOCKS).graph());

      assertThat(arena(backend, Objective.within(kept, backend, build))).isEqualTo(kept);
      assertThat(arena(backend, Objective.within(kept - 1, backend, build))).isEqualTo(again);
      assertThatThrownBy(() -> Objective.within(again - 1, backend, build))
          .hasMessageContaining("a training step needs " + (again >> 20) + " MiB")
          .hasMessageContaining("a smaller batch needs less");
    }
  }

  private static long arena(Backend backend, Objective objective) {
    return backend.arenaBytes(objective.graph());
  }

  private static Function<Recompute, Objective> build(WeightSource weights) {
    Mmdit model = new Mmdit(MmditConfig.of(weights), weights);
    return recompute ->
        TransformerObjective.of(
            model,
            BATCH,
            8,
            8,
            TOKENS,
            name -> !name.equals(TransformerObjective.POSITIONS),
            recompute);
  }

  private Map<String, Tensor> data(MmditConfig config) {
    return TransformerObjective.rectifiedFlow(
        values(BATCH, config.latentChannels(), 8, 8),
        values(BATCH, config.latentChannels(), 8, 8),
        Tensor.of(new float[] {0.2f, 0.7f}, BATCH),
        values(BATCH, TOKENS, config.contextWidth()),
        values(BATCH, config.pooledWidth()));
  }

  private Tensor values(int... dims) {
    Tensor tensor = Tensor.zeros(Shape.of(dims));
    for (int i = 0; i < tensor.data().length; i++) {
      tensor.data()[i] = (float) random.nextGaussian();
    }
    return tensor;
  }
}
