package org.rectiflow.backbones;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.Value;

class CrossAttentionTest {
  private static final int BATCH = 2;
  private static final int KEYS = 6;
  private static final int HEADS = 2;
  private static final int SIZE = 8;
  private static final int WIDTH = HEADS * SIZE;

  /** Fewer queries than keys, as many, a multiple, and numbers that leave a rest. */
  @ParameterizedTest
  @ValueSource(ints = {1, 5, 6, 7, 12, 20})
  void isSoftmaxOverTheOtherSequence(int queries) {
    Random random = new Random(queries);
    Tensor q = Sizes.values(random, BATCH, queries, WIDTH);
    Tensor k = Sizes.values(random, BATCH, KEYS, WIDTH);
    Tensor v = Sizes.values(random, BATCH, KEYS, WIDTH);
    Graph g = new Graph();
    Value result =
        CrossAttention.of(
            g,
            HEADS,
            g.input("q", q.shape().dims()),
            g.input("k", k.shape().dims()),
            g.input("v", v.shape().dims()));
    g.output("y", result);
    assertThat(result.shape()).isEqualTo(q.shape());
    Tensor y = Sizes.run(g, Map.of("q", q, "k", k, "v", v)).get("y");
    double largest = 0;
    for (int b = 0; b < BATCH; b++) {
      for (int i = 0; i < queries; i++) {
        for (int c = 0; c < WIDTH; c++) {
          double expected = expected(q, k, v, b, i, c);
          double found = y.data()[(b * queries + i) * WIDTH + c];
          largest = Math.max(largest, Math.abs(found - expected));
        }
      }
    }
    System.out.printf("%d queries, %d keys: largest difference %.1e%n", queries, KEYS, largest);
    assertThat(largest).isLessThan(1e-5);
  }

  private static double expected(Tensor q, Tensor k, Tensor v, int b, int i, int c) {
    int queries = q.shape().dim(1);
    int head = c / SIZE * SIZE;
    double sum = 0;
    double norm = 0;
    for (int j = 0; j < KEYS; j++) {
      double dot = 0;
      for (int d = 0; d < SIZE; d++) {
        dot +=
            (double) q.data()[(b * queries + i) * WIDTH + head + d]
                * k.data()[(b * KEYS + j) * WIDTH + head + d];
      }
      double p = Math.exp(dot / Math.sqrt(SIZE));
      norm += p;
      sum += p * v.data()[(b * KEYS + j) * WIDTH + c];
    }
    return sum / norm;
  }
}
