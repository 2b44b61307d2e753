package org.rectiflow.datasets.shapes;

import java.util.Optional;

/**
 * One noun of a caption: "three small green triangles".
 *
 * @param count 1 to 4
 * @param size absent when any size will do
 * @param color absent when any colour will do
 * @param kind the shape
 */
public record ShapePhrase(
    int count, Optional<ShapeSize> size, Optional<ShapeColor> color, ShapeKind kind) {
  /** The most shapes of a kind that a caption counts. */
  public static final int MAX_COUNT = 4;

  /**
   * Refuses counts that have no word.
   *
   * @throws IllegalArgumentException unless 1 &lt;= count &lt;= 4
   */
  public ShapePhrase {
    if (count < 1 || count > MAX_COUNT) {
      throw new IllegalArgumentException("captions count from 1 to 4, found " + count);
    }
  }

  /** One shape of any size and colour. */
  public static ShapePhrase of(ShapeKind kind) {
    return new ShapePhrase(1, Optional.empty(), Optional.empty(), kind);
  }

  /** One shape of any size. */
  public static ShapePhrase of(ShapeColor color, ShapeKind kind) {
    return new ShapePhrase(1, Optional.empty(), Optional.of(color), kind);
  }

  /** Adjectives and noun, without article or number. A medium shape has no adjective. */
  String words() {
    StringBuilder text = new StringBuilder();
    size.filter(s -> s != ShapeSize.MEDIUM).ifPresent(s -> text.append(s.word()).append(' '));
    color.ifPresent(c -> text.append(c.word()).append(' '));
    text.append(kind.word());
    return count > 1 ? text.append('s').toString() : text.toString();
  }
}
