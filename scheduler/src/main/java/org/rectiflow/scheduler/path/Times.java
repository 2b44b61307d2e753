package org.rectiflow.scheduler.path;

/** The check that all functions of time share. */
final class Times {

  private Times() {}

  static double require(double t) {
    if (!(t >= 0 && t <= 1)) {
      throw new IllegalArgumentException(
          "A time must lie in [0, 1] (0 is data, 1 is noise), found t = " + t + ".");
    }
    return t;
  }

  static double requireLogSnr(double lambda) {
    if (Double.isNaN(lambda)) {
      throw new IllegalArgumentException("A log-SNR must be a number, found NaN.");
    }
    return lambda;
  }
}
