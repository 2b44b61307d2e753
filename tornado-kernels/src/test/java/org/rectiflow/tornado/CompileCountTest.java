package org.rectiflow.tornado;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Graph.Qkv;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.Value;
import org.rectiflow.engine.Weight;

/** Kernels are compiled for each kind of launch, not for each layer. */
class CompileCountTest {
  private static final int WIDTH = 32;

  private final Random random = new Random(1);

  private Value weight(Graph g, int... dims) {
    Shape shape = Shape.of(dims);
    float[] values = new float[Math.toIntExact(shape.count())];
    for (int i = 0; i < values.length; i++) {
      values[i] = 0.1f * (float) random.nextGaussian();
    }
    return g.parameter(Weight.of("w", new Tensor(shape, values)));
  }

  private Value linear(Graph g, Value x, int n) {
    return g.linear(x, weight(g, n, x.shape().dim(-1)), weight(g, n));
  }

  /** A transformer with as many layers, all of them with weights of their own. */
  private Graph layers(int count) {
    Graph g = new Graph();
    Value x = g.input("x", 1, 20, WIDTH);
    Value modulation = g.input("modulation", 1, WIDTH);
    for (int i = 0; i < count; i++) {
      try (Graph.Scope _ = g.scope("block" + i)) {
        Value gate = linear(g, g.silu(modulation), WIDTH);
        Value normed = g.modulate(g.layerNorm(x, 1e-6f), modulation, gate);
        Qkv qkv =
            new Qkv(linear(g, normed, WIDTH), linear(g, normed, WIDTH), linear(g, normed, WIDTH));
        Value attended = g.selfAttention(2, qkv, 0.25f, false, null);
        x = g.gatedAdd(x, gate, linear(g, attended, WIDTH));
      }
    }
    g.output("y", x);
    return g;
  }

  private static Map<String, Feed> feeds() {
    return Map.of(
        "x", Feed.of(Tensor.zeros(Shape.of(1, 20, WIDTH))),
        "modulation", Feed.of(Tensor.zeros(Shape.of(1, WIDTH))));
  }

  @Test
  void twentyFourLayersCompileNoMoreThanFour() {
    try (TornadoBackend device = Device.open();
        TornadoExecutable four = device.compile("four", layers(4));
        TornadoExecutable many = device.compile("many", layers(24))) {
      four.run(feeds());
      many.run(feeds());
      System.out.printf(
          "4 layers: %d launches a run, %d kernels compiled; 24 layers: %d and %d%n",
          four.launches(), four.compiledTasks(), many.launches(), many.compiledTasks());
      assertThat(many.launches()).isEqualTo(6 * four.launches());
      assertThat(many.compiledTasks()).isEqualTo(four.compiledTasks()).isPositive();
      int before = many.compiledTasks();
      many.run(feeds());
      assertThat(many.compiledTasks()).isEqualTo(before);
    }
  }
}
