package org.rectiflow.scheduler.math;

/**
 * The checks of numbers that paths, densities and formulations share; each returns the number it
 * passed.
 */
public final class Checks {

  private Checks() {}

  /** A time in [0, 1]. */
  public static double requireTime(double t) {
    if (!(t >= 0 && t <= 1)) {
      throw new IllegalArgumentException(
          "A time must lie in [0, 1] (0 is data, 1 is noise), found t = " + t + ".");
    }
    return t;
  }

  /** A probability in [0, 1]. */
  public static double requireProbability(double u) {
    if (!(u >= 0 && u <= 1)) {
      throw new IllegalArgumentException("A probability must lie in [0, 1], found " + u + ".");
    }
    return u;
  }

  /** A log-SNR, which may be infinite. */
  public static double requireLogSnr(double lambda) {
    if (Double.isNaN(lambda)) {
      throw new IllegalArgumentException("A log-SNR must be a number, found NaN.");
    }
    return lambda;
  }

  /** A finite parameter. */
  public static double requireFinite(String name, double value) {
    if (!Double.isFinite(value)) {
      throw new IllegalArgumentException(name + " must be a finite number, found " + value + ".");
    }
    return value;
  }

  /** A positive, finite standard deviation. */
  public static double requireStd(String name, double value) {
    if (!(value > 0) || Double.isInfinite(value)) {
      throw new IllegalArgumentException(
          name + " is a standard deviation and must be positive and finite, found " + value + ".");
    }
    return value;
  }
}
