package org.rectiflow.training;

import java.util.Arrays;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.Value;

/** Rows divided by their length. */
final class UnitRows {
  /** Keeps a row of zeros finite; far below the square of any other's length. */
  private static final float EPS = 1e-12f;

  private UnitRows() {}

  /** {@code x / |x|} along the last axis: an RMS norm whose weight is one over the root of C. */
  static Value of(Graph g, Value x) {
    int width = x.shape().dim(-1);
    Tensor weight = Tensor.zeros(Shape.of(width));
    Arrays.fill(weight.data(), (float) (1 / Math.sqrt(width)));
    return g.rmsNorm(x, g.constant(weight), EPS);
  }
}
