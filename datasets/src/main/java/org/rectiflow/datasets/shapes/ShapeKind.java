package org.rectiflow.datasets.shapes;

/**
 * The shapes. Each is given in units of its radius around the middle of its bounding box, x to the
 * right and y down.
 */
@SuppressWarnings("EnumOrdinal") // indexes a table of its own constants
public enum ShapeKind {
  CIRCLE(1, 1),
  SQUARE(0.9, 0.9),
  TRIANGLE(1, 0.9),
  STAR(1, 0.951);

  private static final int POINTS = 5;
  private static final double INNER = 0.44;

  /** Corners of the unit shapes, x and y in turn; none for the circle. */
  private static final double[][] CORNERS = {{}, square(), triangle(), star()};

  private final double halfWidth;
  private final double halfHeight;

  ShapeKind(double halfWidth, double halfHeight) {
    this.halfWidth = halfWidth;
    this.halfHeight = halfHeight;
  }

  /** Half the width of the bounding box of a shape of radius one. */
  public double halfWidth() {
    return halfWidth;
  }

  /** Half the height of the bounding box of a shape of radius one. */
  public double halfHeight() {
    return halfHeight;
  }

  /** The word in captions. */
  public String word() {
    return ShapeWords.lower(this);
  }

  /** Whether a point lies in the shape of radius one. */
  public boolean contains(double x, double y) {
    if (Math.abs(x) > halfWidth || Math.abs(y) > halfHeight) {
      return false;
    }
    return this == CIRCLE ? x * x + y * y <= 1 : inPolygon(CORNERS[ordinal()], x, y);
  }

  /** Even-odd rule. */
  private static boolean inPolygon(double[] corners, double x, double y) {
    boolean inside = false;
    int n = corners.length / 2;
    for (int i = 0, j = n - 1; i < n; j = i++) {
      double yi = corners[2 * i + 1];
      double yj = corners[2 * j + 1];
      if (yi > y != yj > y) {
        double xi = corners[2 * i];
        double crossing = xi + (y - yi) / (yj - yi) * (corners[2 * j] - xi);
        inside ^= x < crossing;
      }
    }
    return inside;
  }

  private static double[] square() {
    return new double[] {-0.9, -0.9, 0.9, -0.9, 0.9, 0.9, -0.9, 0.9};
  }

  private static double[] triangle() {
    return new double[] {0, -0.9, 1, 0.9, -1, 0.9};
  }

  /** One point up; scaled so that its bounding box is two wide, and moved to the box's middle. */
  private static double[] star() {
    double outer = 1 / StrictMath.cos(StrictMath.PI / 10);
    double middle = outer * (StrictMath.cos(StrictMath.PI / POINTS) - 1) / 2;
    double[] corners = new double[4 * POINTS];
    for (int i = 0; i < 2 * POINTS; i++) {
      double radius = i % 2 == 0 ? outer : outer * INNER;
      double angle = StrictMath.PI * i / POINTS;
      corners[2 * i] = radius * StrictMath.sin(angle);
      corners[2 * i + 1] = -radius * StrictMath.cos(angle) - middle;
    }
    return corners;
  }
}
