package org.rectiflow.training;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Executable;
import org.rectiflow.engine.StoredWeights;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.cpu.CpuBackend;
import org.rectiflow.mmdit.Mmdit;
import org.rectiflow.mmdit.MmditConfig;
import org.rectiflow.safetensors.TensorSource;
import org.rectiflow.training.Objective.Result;
import org.rectiflow.vae.Autoencoder;
import org.rectiflow.vae.VaeConfig;

/** Losses, gradients and optimizer steps of the small models against diffusers and torch. */
class GradientsGoldenTest {
  private static final Path GOLDEN = Path.of("../testdata/golden/tiny-sd3-gradients.safetensors");
  private static final Path MODEL = Path.of("../testdata/models/tiny-sd3");
  private static final double TOLERANCE = 1e-4;

  @Test
  void transformerAndFiveStepsOfAdamW() {
    try (TensorSource golden = TensorSource.open(GOLDEN);
        TensorSource weights =
            TensorSource.open(MODEL.resolve("transformer/diffusion_pytorch_model.safetensors"));
        Backend backend = new CpuBackend(2)) {
      StoredWeights stored = new StoredWeights(weights);
      Tensor x0 = tensor(golden, "in.x0");
      Tensor context = tensor(golden, "in.context");
      Objective objective =
          TransformerObjective.of(
              new Mmdit(MmditConfig.of(stored), stored),
              x0.shape().dim(0),
              x0.shape().dim(2),
              x0.shape().dim(3),
              context.shape().dim(1));
      Map<String, Tensor> data =
          TransformerObjective.rectifiedFlow(
              x0,
              tensor(golden, "in.noise"),
              tensor(golden, "in.t"),
              context,
              tensor(golden, "in.pooled"));
      double[] losses = new double[6];
      try (Executable executable = backend.compile("mmdit", objective.graph())) {
        AdamW optimizer = new AdamW(AdamW.Settings.TORCH);
        for (int step = 0; step < losses.length; step++) {
          Result result = objective.evaluate(executable, data);
          losses[step] = result.loss();
          if (step == 0) {
            compareLoss(golden, "loss", result.loss());
            compare(golden, "grad.", result.gradients());
          }
          if (step < 5) {
            GradientNorm.clip(result.gradients(), 1.0);
            optimizer.step(objective.parameters(), result.gradients(), 1e-3);
          }
        }
      }
      float[] expected = golden.floats("adamw.losses");
      double worst = 0;
      for (int i = 0; i < losses.length; i++) {
        worst = Math.max(worst, Math.abs(losses[i] / expected[i] - 1));
      }
      System.out.printf("losses of AdamW: %.1e%n", worst);
      assertThat(worst).isLessThan(TOLERANCE);
      compare(golden, "adamw.after.", objective.parameters());
    }
  }

  @Test
  void autoencoder() {
    try (TensorSource golden = TensorSource.open(GOLDEN);
        TensorSource weights =
            TensorSource.open(MODEL.resolve("vae/diffusion_pytorch_model.safetensors"));
        Backend backend = new CpuBackend(2)) {
      StoredWeights stored = new StoredWeights(weights);
      VaeConfig config =
          VaeConfig.of(stored, 8, VaeConfig.SD3_SCALING_FACTOR, VaeConfig.SD3_SHIFT_FACTOR);
      Tensor pixels = tensor(golden, "vae.in.pixels");
      Objective objective =
          AutoencoderObjective.of(
              new Autoencoder(config, stored),
              pixels.shape().dim(0),
              pixels.shape().dim(2),
              pixels.shape().dim(3),
              1e-3f);
      try (Executable executable = backend.compile("vae", objective.graph())) {
        Result result =
            objective.evaluate(
                executable, Map.of("pixels", pixels, "noise", tensor(golden, "vae.in.noise")));
        compareLoss(golden, "vae.loss", result.loss());
        compare(golden, "vae.grad.", result.gradients());
      }
    }
  }

  private static void compareLoss(TensorSource golden, String name, double loss) {
    double difference = Math.abs(loss / golden.floats(name)[0] - 1);
    System.out.printf("%s: %.1e%n", name, difference);
    assertThat(difference).isLessThan(TOLERANCE);
  }

  /**
   * Each tensor's largest difference against the largest value of its layer: the derivative by the
   * bias of keys is a sum that cancels to nothing, and what is left says nothing.
   */
  private static void compare(TensorSource golden, String prefix, Map<String, Tensor> actual) {
    Map<String, Double> differences = new TreeMap<>();
    Map<String, Double> sizes = new TreeMap<>();
    for (String name : golden.tensors().keySet()) {
      if (name.startsWith(prefix)) {
        sizes.merge(layer(name), largest(golden.floats(name)), Math::max);
      }
    }
    for (String name : golden.tensors().keySet()) {
      if (name.startsWith(prefix)) {
        Tensor tensor = actual.get(name.substring(prefix.length()));
        assertThat(tensor).as(name).isNotNull();
        double difference = largestDifference(tensor.data(), golden.floats(name));
        differences.put(name, difference == 0 ? 0 : difference / sizes.get(layer(name)));
      }
    }
    differences.forEach((name, difference) -> System.out.printf("%s: %.1e%n", name, difference));
    assertThat(differences).isNotEmpty();
    if (!prefix.startsWith("adamw")) {
      assertThat(actual).hasSameSizeAs(differences);
    }
    differences.values().removeIf(difference -> difference < TOLERANCE);
    assertThat(differences).isEmpty();
  }

  private static String layer(String name) {
    return name.substring(0, name.lastIndexOf('.'));
  }

  static Tensor tensor(TensorSource source, String name) {
    int[] dims = source.info(name).shape().stream().mapToInt(Math::toIntExact).toArray();
    return Tensor.of(source.floats(name), dims);
  }

  private static double largest(float[] values) {
    return largestDifference(values, new float[values.length]);
  }

  private static double largestDifference(float[] actual, float[] expected) {
    assertThat(actual).hasSameSizeAs(expected);
    double difference = 0;
    for (int i = 0; i < actual.length; i++) {
      difference = Math.max(difference, Math.abs((double) actual[i] - expected[i]));
    }
    return difference;
  }
}
