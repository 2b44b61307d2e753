package org.rectiflow.datasets.shapes;

/**
 * The ideal shape that overlaps a soft mask best.
 *
 * @param kind which
 * @param overlap sum of the smaller over sum of the larger of the two coverages
 * @param x middle of the bounding box in pixels of the mask
 * @param y the same, down
 * @param halfWidth of the bounding box in pixels
 * @param halfHeight of the bounding box in pixels
 */
record ShapeFit(
    ShapeKind kind, double overlap, double x, double y, double halfWidth, double halfHeight) {
  private static final double[] STEPS = {0.5, 0.25};
  private static final int MOVES = 24;

  /** Samples across a template; large ones need fewer in each pixel. */
  private static final int SAMPLES = 32;

  private static final int MOST_SAMPLES = 4;

  /** Ratio of width to height, over the ideal one, beyond which a shape is not that shape. */
  private static final double STRETCH = 1.5;

  /**
   * The best of the four kinds.
   *
   * @param alpha coverage in [0, 1], row by row
   * @param box left, top, right and bottom edge of the mask, in pixels and parts of them
   */
  static ShapeFit best(float[] alpha, int width, double[] box) {
    ShapeFit best = null;
    for (ShapeKind kind : ShapeKind.values()) {
      ShapeFit fit = climb(kind, alpha, width, box);
      if (best == null || fit.overlap > best.overlap) {
        best = fit;
      }
    }
    return best;
  }

  /** Improves middle and size in small steps while the overlap grows. */
  private static ShapeFit climb(ShapeKind kind, float[] alpha, int width, double[] box) {
    ShapeFit fit =
        new ShapeFit(
                kind,
                0,
                (box[0] + box[2]) / 2,
                (box[1] + box[3]) / 2,
                Math.max(0.5, (box[2] - box[0]) / 2),
                Math.max(0.5, (box[3] - box[1]) / 2))
            .measured(alpha, width);
    for (double step : STEPS) {
      boolean better = true;
      for (int i = 0; better && i < MOVES; i++) {
        better = false;
        for (int move = 0; move < 8; move++) {
          ShapeFit other = fit.moved(move, step).measured(alpha, width);
          if (other.overlap > fit.overlap) {
            fit = other;
            better = true;
          }
        }
      }
    }
    return fit;
  }

  private ShapeFit moved(int move, double step) {
    double by = move % 2 == 0 ? step : -step;
    return switch (move / 2) {
      case 0 -> new ShapeFit(kind, 0, x + by, y, halfWidth, halfHeight);
      case 1 -> new ShapeFit(kind, 0, x, y + by, halfWidth, halfHeight);
      case 2 -> new ShapeFit(kind, 0, x, y, Math.max(0.5, halfWidth + by), halfHeight);
      default -> new ShapeFit(kind, 0, x, y, halfWidth, Math.max(0.5, halfHeight + by));
    };
  }

  private ShapeFit measured(float[] alpha, int width) {
    double scaleX = halfWidth / kind.halfWidth();
    double scaleY = halfHeight / kind.halfHeight();
    if (scaleX > STRETCH * scaleY || scaleY > STRETCH * scaleX) {
      return new ShapeFit(kind, 0, x, y, halfWidth, halfHeight);
    }
    int samples =
        Math.clamp(
            (int) Math.ceil(SAMPLES / (2 * Math.max(halfWidth, halfHeight))), 1, MOST_SAMPLES);
    double smaller = 0;
    double larger = 0;
    for (int i = 0; i < alpha.length; i++) {
      double top = i / width - y;
      double left = i % width - x;
      double ideal = 0;
      if (Math.abs(top + 0.5) < halfHeight + 1 && Math.abs(left + 0.5) < halfWidth + 1) {
        int inside = 0;
        for (int p = 0; p < samples; p++) {
          double v = (top + (p + 0.5) / samples) / scaleY;
          for (int q = 0; q < samples; q++) {
            if (kind.contains((left + (q + 0.5) / samples) / scaleX, v)) {
              inside++;
            }
          }
        }
        ideal = (double) inside / (samples * samples);
      }
      smaller += Math.min(alpha[i], ideal);
      larger += Math.max(alpha[i], ideal);
    }
    return new ShapeFit(kind, smaller / larger, x, y, halfWidth, halfHeight);
  }
}
