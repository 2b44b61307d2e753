package org.rectiflow.mmdit;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Executable;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.StoredWeights;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.reference.ReferenceBackend;
import org.rectiflow.safetensors.TensorSource;

/** Every block and velocity of the small models against diffusers. */
class MmditGoldenTest {

  @ParameterizedTest
  @CsvSource({
    "tiny-sd3, testdata/models/tiny-sd3, diffusion_pytorch_model.safetensors, p1, 602.151",
    "tiny-sd35m, testdata/models/tiny-sd35m, diffusion_pytorch_model.safetensors.index.json, p0, 602.151",
    "shapes, testdata/models/shapes, diffusion_pytorch_model.safetensors, p2, 8.92857",
  })
  void velocityAndBlocks(String golden, String model, String file, String item, String timestep) {
    try (TensorSource weights = TensorSource.open(Path.of("..", model, "transformer", file));
        TensorSource expected =
            TensorSource.open(Path.of("../testdata/golden", golden + ".safetensors"));
        Backend backend = new ReferenceBackend()) {
      Tensor noise = tensor(expected, item + ".noise");
      Tensor context = tensor(expected, item + ".prompt_embeds");
      StoredWeights stored = new StoredWeights(weights);
      Graph graph =
          new Mmdit(MmditConfig.of(stored), stored)
              .graph(1, noise.shape().dim(2), noise.shape().dim(3), context.shape().dim(1), true);
      try (Executable model1 = backend.compile("mmdit", graph)) {
        Map<String, Tensor> actual =
            model1.run(
                Map.of(
                    "latent", Feed.of(noise),
                    "timestep", Feed.of(Tensor.of(new float[] {exact(timestep)}, 1)),
                    "context", Feed.of(context),
                    "pooled", Feed.of(tensor(expected, item + ".pooled"))));
        int compared = 0;
        for (var entry : actual.entrySet()) {
          String name = item + ".t" + timestep + "." + entry.getKey();
          if (expected.tensors().containsKey(name)) {
            double difference = relative(entry.getValue().data(), expected.floats(name));
            System.out.printf("%s %s: %.1e%n", golden, name, difference);
            assertThat(difference).as(name).isLessThan(1e-4);
            compared++;
          }
        }
        assertThat(compared).isPositive();
      }
    }
  }

  /** The timesteps are those of a 4-step schedule, printed short in the names. */
  private static float exact(String timestep) {
    return timestep.equals("602.151") ? 602.15057f : Float.parseFloat(timestep);
  }

  private static Tensor tensor(TensorSource source, String name) {
    int[] dims = source.info(name).shape().stream().mapToInt(Math::toIntExact).toArray();
    return Tensor.of(source.floats(name), dims);
  }

  private static double relative(float[] actual, float[] expected) {
    assertThat(actual).hasSameSizeAs(expected);
    double difference = 0;
    double size = 0;
    for (int i = 0; i < actual.length; i++) {
      difference = Math.max(difference, Math.abs((double) actual[i] - expected[i]));
      size = Math.max(size, Math.abs(expected[i]));
    }
    return difference / size;
  }
}
