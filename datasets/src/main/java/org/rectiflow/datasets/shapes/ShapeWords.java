package org.rectiflow.datasets.shapes;

import java.util.Locale;

/** Words for the constants of the enums. */
final class ShapeWords {
  private ShapeWords() {}

  static String lower(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }
}
