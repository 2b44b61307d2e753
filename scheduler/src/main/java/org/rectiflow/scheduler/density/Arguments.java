package org.rectiflow.scheduler.density;

import java.math.BigDecimal;
import java.math.RoundingMode;

/** Checks and number formats that the densities share. */
final class Arguments {

  private static final int PRINTED_DECIMALS = 2;

  private Arguments() {}

  static double requireTime(double t) {
    if (!(t >= 0 && t <= 1)) {
      throw new IllegalArgumentException(
          "A time must lie in [0, 1] (0 is data, 1 is noise), found t = " + t + ".");
    }
    return t;
  }

  static double requireProbability(double u) {
    if (!(u >= 0 && u <= 1)) {
      throw new IllegalArgumentException("A probability must lie in [0, 1], found " + u + ".");
    }
    return u;
  }

  static double requireFinite(String name, double value) {
    if (!Double.isFinite(value)) {
      throw new IllegalArgumentException(name + " must be a finite number, found " + value + ".");
    }
    return value;
  }

  static double requireStd(String name, double value) {
    if (!(value > 0) || Double.isInfinite(value)) {
      throw new IllegalArgumentException(
          name + " is a standard deviation and must be positive and finite, found " + value + ".");
    }
    return value;
  }

  /** At least the two decimals of the paper's names, and as many more as the value needs. */
  static String print(double value) {
    BigDecimal exact = BigDecimal.valueOf(value == 0 ? 0.0 : value);
    int decimals = Math.max(PRINTED_DECIMALS, exact.stripTrailingZeros().scale());
    return exact.setScale(decimals, RoundingMode.UNNECESSARY).toPlainString();
  }
}
