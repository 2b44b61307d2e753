package org.rectiflow.scheduler;

import org.apache.commons.numbers.gamma.LogBeta;
import org.apache.commons.numbers.gamma.RegularizedBeta;

/** Quantile function of the beta distribution, {@code scipy.stats.beta.ppf}. */
final class BetaQuantile {

  private static final int MAX_ITERATIONS = 200;

  private BetaQuantile() {}

  /**
   * The x in [0, 1] with I_x(a, b) = p, to a few units in the last place of x where the
   * distribution function is well conditioned.
   *
   * @param p probability in [0, 1]
   * @param a first shape, positive
   * @param b second shape, positive
   */
  static double of(double p, double a, double b) {
    if (!(p >= 0 && p <= 1)) {
      throw new IllegalArgumentException("A probability must lie in [0, 1], found " + p + ".");
    }
    if (p == 0 || p == 1) {
      return p;
    }
    double logBeta = LogBeta.value(a, b);
    double low = 0;
    double high = 1;
    double x = 0.5;
    for (int i = 0; i < MAX_ITERATIONS; i++) {
      double error = RegularizedBeta.value(x, a, b) - p;
      if (error == 0) {
        return x;
      }
      if (error > 0) {
        high = x;
      } else {
        low = x;
      }
      // Newton, kept inside the bracket; bisection where Newton leaves it.
      double logDensity = (a - 1) * Math.log(x) + (b - 1) * Math.log1p(-x) - logBeta;
      double newton = x - error * Math.exp(-logDensity);
      double next = newton > low && newton < high ? newton : 0.5 * (low + high);
      if (Math.abs(next - x) <= Math.ulp(x)) {
        return next;
      }
      x = next;
    }
    return x;
  }
}
