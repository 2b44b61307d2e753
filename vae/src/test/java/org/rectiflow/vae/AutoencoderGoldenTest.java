package org.rectiflow.vae;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Executable;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.StoredWeights;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.reference.ReferenceBackend;
import org.rectiflow.safetensors.TensorSource;

/** Encoder and decoder of the small models against diffusers. */
class AutoencoderGoldenTest {

  @ParameterizedTest
  @CsvSource({"tiny-sd3, 64x64", "tiny-sd3, 72x104", "tiny-sd35m, 64x64", "tiny-sd35m, 72x104"})
  void posteriorAndPixels(String model, String size) {
    Path folder = Path.of("../testdata/models", model, "vae");
    try (TensorSource weights =
            TensorSource.open(folder.resolve("diffusion_pytorch_model.safetensors"));
        TensorSource golden =
            TensorSource.open(Path.of("../testdata/golden", model + ".safetensors"));
        Backend backend = new ReferenceBackend()) {
      StoredWeights stored = new StoredWeights(weights);
      VaeConfig config =
          VaeConfig.of(stored, 8, VaeConfig.SD3_SCALING_FACTOR, VaeConfig.SD3_SHIFT_FACTOR);
      Autoencoder vae = new Autoencoder(config, stored);
      Tensor pixels = tensor(golden, "vae." + size + ".pixels");
      int height = pixels.shape().dim(2);
      int width = pixels.shape().dim(3);
      Tensor mean;
      try (Executable encoder = backend.compile("vae", vae.encoder(1, height, width))) {
        Map<String, Tensor> posterior = encoder.run(Map.of("pixels", Feed.of(pixels)));
        mean = posterior.get("mean");
        compare(golden, "vae." + size + ".mean", mean);
        compare(golden, "vae." + size + ".logvar", posterior.get("logvar"));
      }
      try (Executable decoder = backend.compile("vae", vae.decoder(1, height / 8, width / 8))) {
        Tensor latent = LatentSpace.normalise(mean, config);
        Tensor decoded = decoder.run(Map.of("latent", Feed.of(latent))).get("pixels");
        compare(golden, "vae." + size + ".decoded", decoded);
      }
    }
  }

  private static void compare(TensorSource golden, String name, Tensor actual) {
    float[] expected = golden.floats(name);
    assertThat(actual.data()).hasSameSizeAs(expected);
    double difference = 0;
    double scale = 0;
    for (int i = 0; i < expected.length; i++) {
      difference = Math.max(difference, Math.abs((double) actual.data()[i] - expected[i]));
      scale = Math.max(scale, Math.abs(expected[i]));
    }
    System.out.printf("%s: %.1e%n", name, difference / scale);
    assertThat(difference / scale).as(name).isLessThan(1e-4);
  }

  private static Tensor tensor(TensorSource source, String name) {
    int[] dims = source.info(name).shape().stream().mapToInt(Math::toIntExact).toArray();
    return Tensor.of(source.floats(name), dims);
  }
}
