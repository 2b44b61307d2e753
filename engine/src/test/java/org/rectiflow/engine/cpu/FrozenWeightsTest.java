package org.rectiflow.engine.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Executable;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Gradients;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Graph.Qkv;
import org.rectiflow.engine.NonFiniteException;
import org.rectiflow.engine.Op.Padding;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.Value;
import org.rectiflow.engine.reference.ReferenceBackend;
import org.rectiflow.safetensors.DType;

/** Backward passes through weights that stay as they are stored, and the NaN guard in them. */
class FrozenWeightsTest {
  private final Random random = new Random(5);

  private Tensor values(int... dims) {
    Tensor tensor = Tensor.zeros(Shape.of(dims));
    for (int i = 0; i < tensor.data().length; i++) {
      tensor.data()[i] = (float) random.nextGaussian();
    }
    return tensor;
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "F16", "BF16", "F8_E4M3", "F8_E5M2"})
  void gradientsPassThroughStoredWeights(DType dtype) {
    Graph g = new Graph();
    Value x = g.input("x", 2, 6, 7, 9);
    Value h = g.groupNorm(x, stored(g, dtype, 6), stored(g, dtype, 6), 3, 1e-5f);
    h = g.conv2d(h, stored(g, dtype, 8, 6, 3, 3), stored(g, dtype, 8), 2, new Padding(0, 1, 0, 1));
    Shape s = h.shape();
    h = g.reshape(g.permute(h, 0, 2, 3, 1), s.dim(0), s.dim(2) * s.dim(3), s.dim(1));
    h = g.layerNorm(h, stored(g, dtype, 8), stored(g, dtype, 8), 1e-5f);
    h = g.linear(h, stored(g, dtype, 12, 8), stored(g, dtype, 12));
    Value q = g.rmsNorm(h, stored(g, dtype, 12), 1e-5f);
    h = g.jointAttention(2, List.of(new Qkv(q, h, h))).getFirst();
    Value loss = g.mean(g.mul(h, g.constant(values(h.shape().dims()))));
    g.output("dx", Gradients.of(g, loss, List.of(x)).getFirst());
    Map<String, Feed> feeds = Map.of("x", Feed.of(values(2, 6, 7, 9)));

    float[] expected = run(new ReferenceBackend(), g, feeds);
    float[] actual = run(new CpuBackend(2), g, feeds);

    double difference = 0;
    double size = 0;
    for (int i = 0; i < expected.length; i++) {
      difference = Math.max(difference, Math.abs(actual[i] - expected[i]));
      size = Math.max(size, Math.abs(expected[i]));
    }
    System.out.printf("%s: largest difference %.1e%n", dtype, difference / size);
    assertThat(difference / size).isLessThan(1e-5);
  }

  private Value stored(Graph g, DType dtype, int... dims) {
    return g.parameter(StoredWeight.of("w", dtype, values(dims)));
  }

  private static float[] run(Backend backend, Graph g, Map<String, Feed> feeds) {
    try (backend;
        Executable executable = backend.compile("test", g)) {
      return executable.run(feeds).get("dx").data();
    }
  }

  @Test
  void theNanGuardNamesTheLayerOfTheBackwardPass() {
    Graph g = new Graph();
    Value x = g.input("x", 2, 3);
    Value y;
    try (Graph.Scope _ = g.scope("block3")) {
      y = g.mul(x, x);
    }
    Value large = g.affine(g.clamp(y, -1, 1), 1e30f, 0);
    Value loss = g.mean(g.affine(large, 1e30f, 0));
    g.output("dx", Gradients.of(g, loss, List.of(x)).getFirst());
    try (Backend backend = new CpuBackend(1);
        Executable executable = backend.compile("train", g)) {
      Tensor zeros = Tensor.of(new float[6], 2, 3);

      assertThatThrownBy(() -> executable.run(Map.of("x", Feed.of(zeros))))
          .isInstanceOf(NonFiniteException.class)
          .hasMessageContaining("Affine in backward");
    }
  }
}
