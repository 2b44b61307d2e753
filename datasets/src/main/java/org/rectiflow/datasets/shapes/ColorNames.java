package org.rectiflow.datasets.shapes;

import java.util.Optional;

/** The name of a colour: the nearest of the palette in OKLab (Ottosson 2020). */
@SuppressWarnings("EnumOrdinal") // the palette has the order of the colours
final class ColorNames {
  /** A colour farther than this from all of the palette has no name here. */
  private static final double FARTHEST = 0.16;

  /** Chroma below which a colour is a grey. */
  private static final double GREY = 0.05;

  /** Lightness below which a grey is black: what blur leaves of a small black shape. */
  private static final double DARK = 0.5;

  private static final double[][] PALETTE = palette();

  private ColorNames() {}

  private static double[][] palette() {
    ShapeColor[] colors = ShapeColor.values();
    double[][] palette = new double[colors.length][];
    for (int i = 0; i < colors.length; i++) {
      palette[i] =
          oklab(colors[i].level(0) / 255.0, colors[i].level(1) / 255.0, colors[i].level(2) / 255.0);
    }
    return palette;
  }

  /** The nearest colour of the palette, if it is near enough; sRGB in [0, 1]. */
  static Optional<ShapeColor> of(double red, double green, double blue) {
    double[] color = oklab(red, green, blue);
    if (Math.sqrt(color[1] * color[1] + color[2] * color[2]) < GREY) {
      return color[0] < DARK ? Optional.of(ShapeColor.BLACK) : Optional.empty();
    }
    int nearest = nearest(color);
    return distance(color, PALETTE[nearest]) <= FARTHEST
        ? Optional.of(ShapeColor.values()[nearest])
        : Optional.empty();
  }

  private static int nearest(double[] color) {
    int nearest = 0;
    for (int i = 1; i < PALETTE.length; i++) {
      if (distance(color, PALETTE[i]) < distance(color, PALETTE[nearest])) {
        nearest = i;
      }
    }
    return nearest;
  }

  static double distance(double[] a, double[] b) {
    double l = a[0] - b[0];
    double u = a[1] - b[1];
    double v = a[2] - b[2];
    return Math.sqrt(l * l + u * u + v * v);
  }

  /** Lightness and the two colour axes. */
  static double[] oklab(double red, double green, double blue) {
    double r = linear(red);
    double g = linear(green);
    double b = linear(blue);
    double l = StrictMath.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
    double m = StrictMath.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
    double s = StrictMath.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
    return new double[] {
      0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
      1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
      0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s
    };
  }

  /** The sRGB transfer function (IEC 61966-2-1), undone. */
  private static double linear(double level) {
    return level <= 0.04045 ? level / 12.92 : StrictMath.pow((level + 0.055) / 1.055, 2.4);
  }
}
