package org.rectiflow.engine;

/** The complementary error function in double precision. */
final class Erf {
  private Erf() {}

  /**
   * erfc(x) = 1 - erf(x), relative error about 1e-15: the power series of erf for small |x|, the
   * continued fraction of erfc (Abramowitz and Stegun 7.1.14) beyond.
   */
  static double erfc(double x) {
    double z = Math.abs(x);
    double tail = z < 2.5 ? 1 - series(z) : continuedFraction(z);
    return x >= 0 ? tail : 2 - tail;
  }

  /** erf(z) = 2/sqrt(pi) exp(-z^2) sum 2^n z^(2n+1) / (2n+1)!!: all terms positive. */
  private static double series(double z) {
    double term = z;
    double sum = z;
    for (int n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
      term *= 2 * z * z / (2 * n + 1);
      sum += term;
    }
    return 2 / Math.sqrt(Math.PI) * Math.exp(-z * z) * sum;
  }

  private static double continuedFraction(double z) {
    double f = z;
    for (int n = 60; n >= 1; n--) {
      f = z + (n / 2.0) / f;
    }
    return Math.exp(-z * z) / (Math.sqrt(Math.PI) * f);
  }
}
