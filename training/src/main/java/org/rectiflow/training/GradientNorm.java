package org.rectiflow.training;

import java.util.Map;
import org.rectiflow.engine.Tensor;

/** The Euclidean norm of all gradients together, and clipping by it. */
public final class GradientNorm {
  /** torch's guard against a norm of zero. */
  private static final double TINY = 1e-6;

  private GradientNorm() {}

  /** The root of the sum of all squares. */
  public static double of(Map<String, Tensor> gradients) {
    double squares = 0;
    for (Tensor gradient : gradients.values()) {
      for (float g : gradient.data()) {
        squares += (double) g * g;
      }
    }
    return Math.sqrt(squares);
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
      for (Tensor gradient : gradients.values()) {
        float[] g = gradient.data();
        for (int i = 0; i < g.length; i++) {
          g[i] = (float) (g[i] * factor);
        }
      }
    }
    return norm;
  }
}
