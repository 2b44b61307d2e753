package org.rectiflow.training;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.rectiflow.encoders.ClipConfig;
import org.rectiflow.encoders.ClipTextModel;
import org.rectiflow.encoders.T5Config;
import org.rectiflow.encoders.T5Encoder;
import org.rectiflow.engine.Activation;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Executable;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.IntTensor;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.StoredWeights;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.Value;
import org.rectiflow.engine.cpu.CpuBackend;
import org.rectiflow.mmdit.Mmdit;
import org.rectiflow.mmdit.MmditConfig;
import org.rectiflow.safetensors.TensorSource;

/**
 * Models that the golden gradients do not cover: for each tensor by itself, a small step along its
 * gradient changes the loss by the step's length times the gradient's.
 */
class WholeModelGradientsTest {
  private static final Path MODEL = Path.of("../testdata/models/tiny-sd35m");

  private final Random random = new Random(7);

  /** QK-norm and, in the first blocks, a second attention. */
  @Test
  void transformerWithDualAttention() {
    Path index = MODEL.resolve("transformer/diffusion_pytorch_model.safetensors.index.json");
    try (TensorSource weights = TensorSource.open(index)) {
      StoredWeights stored = new StoredWeights(weights);
      MmditConfig config = MmditConfig.of(stored);
      Objective objective = TransformerObjective.of(new Mmdit(config, stored), 2, 6, 4, 5);
      Map<String, Tensor> batch =
          TransformerObjective.rectifiedFlow(
              values(2, config.latentChannels(), 6, 4),
              values(2, config.latentChannels(), 6, 4),
              Tensor.of(new float[] {0.3f, 0.8f}, 2),
              values(2, 5, config.contextWidth()),
              values(2, config.pooledWidth()));
      Map<String, Feed> data = new HashMap<>();
      batch.forEach((name, tensor) -> data.put(name, Feed.of(tensor)));
      check("MMDiT-X", objective, data, 1e-3);
    }
  }

  /** A causal mask, and rows of tables by token. */
  @Test
  void clip() {
    try (TensorSource weights =
        TensorSource.open(MODEL.resolve("text_encoder/model.safetensors"))) {
      StoredWeights stored = new StoredWeights(weights);
      ClipConfig config = ClipConfig.of(stored, Activation.QUICK_GELU);
      Graph model = new ClipTextModel(config, stored).graph(2, 9);
      Map<String, Feed> data =
          Map.of(
              "ids", ids(config.vocabulary(), 2, 9),
              "end", Feed.of(IntTensor.of(new int[] {4, 17}, 2)));
      check("CLIP", objective(model, "pooled"), data, 1e-3);
    }
  }

  /** A learnt bias of the attention that all blocks share. */
  @Test
  void t5() {
    try (TensorSource weights =
        TensorSource.open(MODEL.resolve("text_encoder_3/model.safetensors"))) {
      StoredWeights stored = new StoredWeights(weights);
      T5Config config = T5Config.of(stored);
      Graph model = new T5Encoder(config, stored).graph(2, 11);
      Map<String, Feed> data = Map.of("ids", ids(config.vocabulary(), 2, 11));
      // Scores are not scaled down, so that the loss bends sharply.
      check("T5", objective(model, "last"), data, 5e-5);
    }
  }

  /** The mean squared error of a model's output against random numbers. */
  private Objective objective(Graph model, String output) {
    Graph g = new Graph();
    Trainables trainables = new Trainables(g, _ -> true);
    Value result = g.include(model, Map.of(), trainables::record).get(output);
    trainables.differentiate(g.meanSquaredError(result, g.constant(values(result.shape().dims()))));
    return new Objective(g, trainables.initial());
  }

  /**
   * @param relativeStep length of a step against that of the tensor
   */
  private static void check(
      String model, Objective objective, Map<String, Feed> data, double relativeStep) {
    Map<String, Double> differences = new TreeMap<>();
    Set<String> clear = new HashSet<>();
    try (Backend backend = new CpuBackend(2);
        Executable executable = backend.compile("test", objective.graph())) {
      Map<String, Feed> feeds = new HashMap<>(data);
      objective.parameters().forEach((name, tensor) -> feeds.put(name, Feed.of(tensor)));
      Map<String, Tensor> results = executable.run(feeds);
      double loss = results.get(Objective.LOSS).data()[0];
      objective
          .parameters()
          .forEach((name, tensor) -> {
            float[] gradient = results.get(Objective.GRADIENT + name).data();
            double slope = norm(gradient);
            double length = relativeStep * (norm(tensor.data()) + 0.1);
            float[] losses = new float[2];
            for (int side = 0; side < 2; side++) {
              Tensor moved = Tensor.zeros(tensor.shape());
              for (int i = 0; i < gradient.length; i++) {
                double step = slope == 0 ? 0 : gradient[i] / slope * length;
                moved.data()[i] = (float) (tensor.data()[i] + (side == 0 ? step : -step));
              }
              feeds.put(name, Feed.of(moved));
              losses[side] = executable.run(feeds).get(Objective.LOSS).data()[0];
            }
            feeds.put(name, Feed.of(tensor));
            double expected = 2 * slope * length;
            // Losses are rounded to float.
            double noise = 5e-7 * loss;
            double difference = Math.abs((double) losses[0] - losses[1] - expected);
            if (expected > 10 * noise) {
              clear.add(name);
            }
            differences.put(name, Math.max(0, difference - noise) / (expected + noise));
          });
    }
    double worst = differences.values().stream().mapToDouble(d -> d).max().orElseThrow();
    System.out.printf(
        "%s: %d tensors, %d of them far above rounding, largest %.1e%n",
        model, differences.size(), clear.size(), worst);
    assertThat(clear).hasSizeGreaterThan(differences.size() / 2);
    differences.values().removeIf(d -> d < 0.02);
    assertThat(differences).isEmpty();
  }

  private static double norm(float[] values) {
    double squares = 0;
    for (float v : values) {
      squares += (double) v * v;
    }
    return Math.sqrt(squares);
  }

  private Tensor values(int... dims) {
    Tensor tensor = Tensor.zeros(Shape.of(dims));
    for (int i = 0; i < tensor.data().length; i++) {
      tensor.data()[i] = (float) random.nextGaussian();
    }
    return tensor;
  }

  private Feed ids(int vocabulary, int... dims) {
    int count = Math.toIntExact(Shape.of(dims).count());
    return Feed.of(IntTensor.of(random.ints(count, 0, vocabulary).toArray(), dims));
  }
}
