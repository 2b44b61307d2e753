package org.rectiflow.scheduler.math;

import org.apache.commons.numbers.gamma.Erfc;
import org.apache.commons.numbers.gamma.InverseErfc;

/** The normal distribution with mean 0 and variance 1. */
public final class StandardNormal {

  private static final double SQRT_2 = Math.sqrt(2);
  private static final double INVERSE_SQRT_2_PI = 1 / Math.sqrt(2 * Math.PI);

  private StandardNormal() {}

  /** The density at x. */
  public static double pdf(double x) {
    return INVERSE_SQRT_2_PI * Math.exp(-0.5 * x * x);
  }

  /** The probability of values up to x, accurate far into the lower tail. */
  public static double cdf(double x) {
    return 0.5 * Erfc.value(-x / SQRT_2);
  }

  /**
   * The x with {@code cdf(x) = p}; infinite at 0 and 1. {@code -quantile(q)} is the accurate form
   * for the upper tail probability q.
   */
  public static double quantile(double p) {
    return -SQRT_2 * InverseErfc.value(2 * p);
  }
}
