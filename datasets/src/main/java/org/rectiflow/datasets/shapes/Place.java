package org.rectiflow.datasets.shapes;

/** A part of the picture: its ninths without the middle one. */
public enum Place {
  TOP_LEFT(-1, -1),
  TOP(0, -1),
  TOP_RIGHT(1, -1),
  LEFT(-1, 0),
  RIGHT(1, 0),
  BOTTOM_LEFT(-1, 1),
  BOTTOM(0, 1),
  BOTTOM_RIGHT(1, 1);

  private static final double LOW = 0.4;
  private static final double HIGH = 0.6;

  private final int column;
  private final int row;

  Place(int column, int row) {
    this.column = column;
    this.row = row;
  }

  /** The words after "at the" in captions. */
  public String words() {
    return ShapeWords.lower(this);
  }

  /** Whether a shape with this middle, in parts of the side, is here, give or take a tolerance. */
  public boolean holds(double x, double y, double tolerance) {
    return in(column, x, tolerance) && in(row, y, tolerance);
  }

  private static boolean in(int third, double value, double tolerance) {
    return switch (third) {
      case -1 -> value < LOW + tolerance;
      case 0 -> value >= LOW - tolerance && value <= HIGH + tolerance;
      default -> value > HIGH - tolerance;
    };
  }
}
