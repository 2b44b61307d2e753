package org.rectiflow.datasets.shapes;

import java.util.Optional;

/**
 * A shape that {@link ShapeReader} found in a picture. Lengths are in parts of the picture's sides.
 *
 * @param kind absent if it looks like none of the shapes
 * @param color absent if it is near none of the colours
 * @param x middle, to the right
 * @param y middle, down
 * @param width of the bounding box
 * @param height of the bounding box
 * @param fit overlap with the ideal shape: intersection over union of coverages, 0 to 1
 */
public record SeenShape(
    Optional<ShapeKind> kind,
    Optional<ShapeColor> color,
    double x,
    double y,
    double width,
    double height,
    double fit) {

  /** Small, medium or big; a shape of unknown kind is measured as a circle. */
  public ShapeSize size() {
    ShapeKind measure = kind.orElse(ShapeKind.CIRCLE);
    double radius =
        Math.sqrt(width / (2 * measure.halfWidth()) * (height / (2 * measure.halfHeight())));
    return ShapeSize.of(radius);
  }

  /** Whether this is what a noun of a caption means. */
  public boolean is(ShapePhrase phrase) {
    return kind.equals(Optional.of(phrase.kind()))
        && (phrase.color().isEmpty() || phrase.color().equals(color))
        && (phrase.size().isEmpty() || phrase.size().get() == size());
  }

  /** Whether this lies there as seen from the other shape. */
  public boolean isThere(Relation relation, SeenShape other) {
    return relation.holds(x - other.x, y - other.y, width + other.width, height + other.height);
  }

  /** Such as "small red circle". */
  @Override
  public String toString() {
    String words = size() == ShapeSize.MEDIUM ? "" : size().word() + " ";
    words += color.map(ShapeColor::word).orElse("odd-coloured") + " ";
    return words + kind.map(ShapeKind::word).orElse("blob");
  }
}
