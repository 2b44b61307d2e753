package org.rectiflow.datasets.shapes;

/**
 * A shape in a picture. Lengths are in parts of the picture's side, from its upper left corner.
 *
 * @param kind what it is
 * @param color its colour
 * @param x middle of the bounding box, to the right
 * @param y middle of the bounding box, down
 * @param radius half the bounding box's width is radius x {@link ShapeKind#halfWidth}
 */
public record DrawnShape(ShapeKind kind, ShapeColor color, double x, double y, double radius) {

  /** Small, medium or big. */
  public ShapeSize size() {
    return ShapeSize.of(radius);
  }

  double halfWidth() {
    return radius * kind.halfWidth();
  }

  double halfHeight() {
    return radius * kind.halfHeight();
  }

  /** Whether the bounding boxes are nearer than a gap. */
  boolean touches(DrawnShape other, double gap) {
    return Math.abs(x - other.x) < halfWidth() + other.halfWidth() + gap
        && Math.abs(y - other.y) < halfHeight() + other.halfHeight() + gap;
  }

  /** Whether this lies there as seen from the other shape. */
  boolean isThere(Relation relation, DrawnShape other) {
    return relation.holds(
        x - other.x,
        y - other.y,
        2 * (halfWidth() + other.halfWidth()),
        2 * (halfHeight() + other.halfHeight()));
  }
}
