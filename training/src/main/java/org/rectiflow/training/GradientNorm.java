package org.rectiflow.training;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.rectiflow.engine.Tensor;

/** The Euclidean norm of all gradients together, and clipping by it. */
public final class GradientNorm {
  /** torch's guard against a norm of zero. */
  private static final double TINY = 1e-6;

  private GradientNorm() {}

  /**
   * The root of the sum of all squares, added up in the order of names: the same bits for any map
   * and number of threads.
   */
  public static double of(Map<String, Tensor> gradients) {
    List<Tensor> tensors = List.copyOf(new TreeMap<>(gradients).values());
    Chunks chunks = Chunks.of(tensors);
    double[] squares =
        chunks
            .parallel()
            .mapToDouble(i -> {
              Chunks.Chunk c = chunks.list().get(i);
              return squares(tensors.get(c.tensor()).data(), c.from(), c.to());
            })
            .toArray();
    double sum = 0;
    for (double s : squares) {
      sum += s;
    }
    return Math.sqrt(sum);
  }

  /** Four sums side by side: one would wait for each addition. */
  private static double squares(float[] x, int from, int to) {
    double s0 = 0;
    double s1 = 0;
    double s2 = 0;
    double s3 = 0;
    int i = from;
    for (; i <= to - 4; i += 4) {
      s0 += (double) x[i] * x[i];
      s1 += (double) x[i + 1] * x[i + 1];
      s2 += (double) x[i + 2] * x[i + 2];
      s3 += (double) x[i + 3] * x[i + 3];
    }
    for (; i < to; i++) {
      s0 += (double) x[i] * x[i];
    }
    return s0 + s1 + (s2 + s3);
  }

  /**
   * Scales all gradients, in place, so that their norm is at most {@code limit}, as torch's {@code
   * clip_grad_norm_} does.
   *
   * @return the norm before
   */
  public static double clip(Map<String, Tensor> gradients, double limit) {
    double norm = of(gradients);
    double factor = limit / (norm + TINY);
    if (factor < 1) {
      List<Tensor> tensors = List.copyOf(new TreeMap<>(gradients).values());
      Chunks chunks = Chunks.of(tensors);
      chunks
          .parallel()
          .forEach(i -> {
            Chunks.Chunk c = chunks.list().get(i);
            scale(tensors.get(c.tensor()).data(), c.from(), c.to(), (float) factor);
          });
    }
    return norm;
  }

  private static void scale(float[] x, int from, int to, float factor) {
    for (int i = from; i < to; i++) {
      x[i] *= factor;
    }
  }
}
