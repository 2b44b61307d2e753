package org.rectiflow.scheduler.path;

import org.rectiflow.scheduler.math.Checks;

/**
 * The resolution-dependent shift of the timestep (Section 5.3.2, equation 23 of the paper): with n
 * and m pixels and alpha = sqrt(m / n), the time t_m = alpha t / (1 + (alpha - 1) t) is as
 * uncertain at m pixels as t is at n. On rectified flow it moves the log-SNR by -2 ln alpha = -ln(m
 * / n) (equations 24 and 25). The paper trains and samples at 1024^2 with alpha = 3.
 *
 * @param alpha the shift, positive; 1 is none
 */
public record ResolutionShift(double alpha) {

  /**
   * Checks the shift.
   *
   * @throws IllegalArgumentException if it is not positive and finite
   */
  public ResolutionShift {
    if (!(alpha > 0) || Double.isInfinite(alpha)) {
      throw new IllegalArgumentException(
          "The shift alpha must be positive and finite, found " + alpha + ".");
    }
  }

  /** The shift from n to m pixels, sqrt(m / n). */
  public static ResolutionShift ofPixels(double n, double m) {
    if (!(n > 0) || !(m > 0)) {
      throw new IllegalArgumentException(
          "Numbers of pixels must be positive, found " + n + " and " + m + ".");
    }
    return new ResolutionShift(Math.sqrt(m / n));
  }

  /** The shift that is configured as mu under exponential dynamic shifting, e^mu. */
  public static ResolutionShift ofMu(double mu) {
    return new ResolutionShift(Math.exp(mu));
  }

  /** t_m of t_n. */
  public double apply(double t) {
    // This order of the sum keeps the result in [0, 1].
    double moved = alpha * Checks.requireTime(t);
    return moved / (moved + (1 - t));
  }

  /**
   * The shift on any path: the time whose log-SNR is lower by 2 ln alpha; on rectified flow that is
   * equation 23.
   *
   * @throws IllegalArgumentException if the path ends before that log-SNR
   */
  public double apply(NoisePath path, double t) {
    if (alpha == 1) {
      return Checks.requireTime(t);
    }
    if (path instanceof RectifiedFlow) {
      return apply(t);
    }
    return path.timestepOf(path.logSnr(t) + logSnrChange());
  }

  /** The derivative of {@link #apply(double)}. */
  public double derivative(double t) {
    double denominator = alpha * Checks.requireTime(t) + (1 - t);
    return alpha / (denominator * denominator);
  }

  /** The shift back, by 1 / alpha. */
  public ResolutionShift inverse() {
    return new ResolutionShift(1 / alpha);
  }

  /** The change of the log-SNR on rectified flow, -2 ln alpha. */
  public double logSnrChange() {
    return -2 * Math.log(alpha);
  }

  /**
   * The standard deviation sigma(t, n) = t / (1 - t) * sqrt(1 / n) with which n noised pixels tell
   * the value of a constant image (Section 5.3.2); the shift keeps it the same.
   */
  public static double uncertainty(double t, double n) {
    if (!(n > 0)) {
      throw new IllegalArgumentException("The number of pixels must be positive, found " + n + ".");
    }
    return Checks.requireTime(t) / (1 - t) * Math.sqrt(1 / n);
  }
}
