package org.rectiflow.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.rectiflow.encoders.PromptEmbedding;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Executable;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.cpu.CpuBackend;
import org.rectiflow.mmdit.Mmdit;
import org.rectiflow.pipeline.checkpoint.Checkpoint;

/** The staged, guided calls against one call of the whole graph with a batch of two. */
class DenoiserTest {
  private static final int SIDE = 8;
  private static final int TOKENS = 5;
  private static final float GUIDANCE = 4;

  @ParameterizedTest
  @CsvSource({"testdata/models/tiny-sd3", "testdata/models/tiny-sd35m"})
  void sameAsTheWholeGraph(String model) {
    Random random = new Random(3);
    try (Checkpoint checkpoint = Checkpoint.open(Path.of("..", model));
        Backend backend = new CpuBackend(2)) {
      Mmdit mmdit = new TextToImage(checkpoint, backend).mmdit();
      PromptEmbedding prompt = embedding(mmdit, random);
      PromptEmbedding negative = embedding(mmdit, random);
      Tensor latent = normal(Shape.of(1, mmdit.config().latentChannels(), SIDE, SIDE), random);
      PromptEmbedding both = PromptEmbedding.batch(List.of(negative, prompt));
      try (Denoiser denoiser =
              new Denoiser(mmdit, backend, prompt, negative, GUIDANCE, SIDE, SIDE);
          Executable whole = backend.compile("whole", mmdit.graph(2, SIDE, SIDE, TOKENS, false))) {
        denoiser.expect(new float[] {1000, 800, 800, 600, 400, 200, 100});
        for (float timestep : new float[] {1000, 800, 600, 123, 400, 1000}) {
          float[] expected =
              whole
                  .run(
                      Map.of(
                          "latent", Feed.of(twice(latent)),
                          "timestep", Feed.of(Tensor.of(new float[] {timestep, timestep}, 2)),
                          "context", Feed.of(both.context()),
                          "pooled", Feed.of(both.pooled())))
                  .get("velocity")
                  .data();
          float[] actual = denoiser.velocity(latent, timestep).data();
          double difference = 0;
          double size = 0;
          int n = actual.length;
          for (int i = 0; i < n; i++) {
            float guided = expected[i] + GUIDANCE * (expected[n + i] - expected[i]);
            difference = Math.max(difference, Math.abs(actual[i] - guided));
            size = Math.max(size, Math.abs(guided));
          }
          System.out.printf("%s at %.0f: %.1e of %.1f%n", model, timestep, difference, size);
          assertThat(difference).isLessThan(1e-5 * size);
        }
      }
    }
  }

  private static PromptEmbedding embedding(Mmdit mmdit, Random random) {
    return new PromptEmbedding(
        normal(Shape.of(1, TOKENS, mmdit.config().contextWidth()), random),
        normal(Shape.of(1, mmdit.config().pooledWidth()), random));
  }

  private static Tensor normal(Shape shape, Random random) {
    Tensor tensor = Tensor.zeros(shape);
    for (int i = 0; i < tensor.data().length; i++) {
      tensor.data()[i] = (float) random.nextGaussian();
    }
    return tensor;
  }

  private static Tensor twice(Tensor latent) {
    int n = latent.data().length;
    Tensor both = Tensor.zeros(latent.shape().with(0, 2));
    System.arraycopy(latent.data(), 0, both.data(), 0, n);
    System.arraycopy(latent.data(), 0, both.data(), n, n);
    return both;
  }
}
