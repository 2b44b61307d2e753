package org.rectiflow.datasets.shapes;

/** Where a shape lies as seen from another. */
public enum Relation {
  LEFT_OF("to the left of"),
  RIGHT_OF("to the right of"),
  ABOVE("above"),
  BELOW("below");

  /** Share of the two shapes' sizes that does not count as a distance (GenEval's code). */
  private static final double MARGIN = 0.1;

  /** Least cosine of the angle to the direction named (GenEval's code). */
  private static final double LEAST_COSINE = 0.5;

  private final String words;

  Relation(String words) {
    this.words = words;
  }

  /** The words in captions. */
  public String words() {
    return words;
  }

  /** What the second shape is to the first. */
  public Relation opposite() {
    return switch (this) {
      case LEFT_OF -> RIGHT_OF;
      case RIGHT_OF -> LEFT_OF;
      case ABOVE -> BELOW;
      case BELOW -> ABOVE;
    };
  }

  /**
   * GenEval's rule: the distance of the middles, less a tenth of the two sizes, must point within
   * 60 degrees of the direction. A shape can be both to the left of and above another.
   *
   * @param dx middle of the first less middle of the second, to the right
   * @param dy the same, down
   * @param widths sum of the two widths
   * @param heights sum of the two heights
   */
  public boolean holds(double dx, double dy, double widths, double heights) {
    double length = Math.sqrt(dx * dx + dy * dy);
    return switch (this) {
      case LEFT_OF -> -dx - MARGIN * widths > LEAST_COSINE * length;
      case RIGHT_OF -> dx - MARGIN * widths > LEAST_COSINE * length;
      case ABOVE -> -dy - MARGIN * heights > LEAST_COSINE * length;
      case BELOW -> dy - MARGIN * heights > LEAST_COSINE * length;
    };
  }
}
