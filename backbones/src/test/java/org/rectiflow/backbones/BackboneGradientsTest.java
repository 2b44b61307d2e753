package org.rectiflow.backbones;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Executable;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Gradients;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.Value;
import org.rectiflow.engine.cpu.CpuBackend;

/**
 * For each tensor by itself: a small step along its gradient changes the loss by the step's length
 * times the gradient's.
 */
class BackboneGradientsTest {
  private static final double RELATIVE_STEP = 1e-3;

  @ParameterizedTest
  @EnumSource
  void agreeWithFiniteDifferences(Backbone backbone) {
    Graph g = new Graph();
    Map<String, Tensor> parameters = new LinkedHashMap<>();
    Map<String, Value> inputs = new LinkedHashMap<>();
    Graph model =
        Sizes.tiny(backbone, true)
            .model(new InventedWeights())
            .graph(Sizes.BATCH, Sizes.HEIGHT, Sizes.WIDTH, Sizes.CONTEXT, false);
    Value velocity =
        g.include(
                model,
                Map.of(),
                weight ->
                    inputs.computeIfAbsent(
                        weight.name(),
                        name -> {
                          parameters.put(name, new Tensor(weight.shape(), weight.toFloats()));
                          return g.input(name, weight.shape().dims());
                        }))
            .get("velocity");
    Tensor target = Sizes.values(new Random(3), velocity.shape().dims());
    Value loss = g.meanSquaredError(velocity, g.constant(target));
    List<Value> gradients = Gradients.of(g, loss, new ArrayList<>(inputs.values()));
    g.output("loss", loss);
    int i = 0;
    for (String name : inputs.keySet()) {
      g.output("grad." + name, gradients.get(i++));
    }
    check(backbone, g, parameters);
  }

  private static void check(Backbone backbone, Graph graph, Map<String, Tensor> parameters) {
    Map<String, Double> differences = new TreeMap<>();
    int clear = 0;
    Map<String, Feed> feeds = new HashMap<>();
    Sizes.inputs().forEach((name, tensor) -> feeds.put(name, Feed.of(tensor)));
    parameters.forEach((name, tensor) -> feeds.put(name, Feed.of(tensor)));
    try (Backend backend = new CpuBackend(2);
        Executable executable = backend.compile("test", graph)) {
      Map<String, Tensor> results = executable.run(feeds);
      double loss = results.get("loss").data()[0];
      for (Map.Entry<String, Tensor> parameter : parameters.entrySet()) {
        String name = parameter.getKey();
        Tensor tensor = parameter.getValue();
        float[] gradient = results.get("grad." + name).data();
        double slope = norm(gradient);
        double length = RELATIVE_STEP * (norm(tensor.data()) + 0.1);
        double change = 0;
        for (int side : new int[] {1, -1}) {
          float[] moved = tensor.data().clone();
          for (int i = 0; i < moved.length; i++) {
            moved[i] += (float) (slope == 0 ? 0 : side * gradient[i] / slope * length);
          }
          feeds.put(name, Feed.of(new Tensor(tensor.shape(), moved)));
          change += side * (double) executable.run(feeds).get("loss").data()[0];
        }
        feeds.put(name, Feed.of(tensor));
        double expected = 2 * slope * length;
        // Losses are rounded to float.
        double noise = 5e-7 * loss;
        clear += expected > 10 * noise ? 1 : 0;
        double difference = Math.abs(change - expected);
        differences.put(name, Math.max(0, difference - noise) / (expected + noise));
      }
    }
    double worst = differences.values().stream().mapToDouble(d -> d).max().orElseThrow();
    System.out.printf(
        "%s: %d tensors, %d of them far above rounding, largest %.1e%n",
        backbone.key(), differences.size(), clear, worst);
    assertThat(clear).isGreaterThan(differences.size() * 2 / 3);
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
}
