package org.rectiflow.scheduler.path;

import java.util.Arrays;
import org.rectiflow.scheduler.math.Checks;

/**
 * The discrete variance-preserving paths of DDPM and LDM: a_i^2 = prod over s up to i of (1 -
 * beta_s), b_i^2 = 1 - a_i^2, i = 0 .. T-1, with beta_i linear in i (DDPM) or sqrt(beta_i) linear
 * in i (LDM); Section 3 of the paper. The paper gives no numbers; the constants here are those
 * published with DDPM (Ho et al. 2020) and LDM (Rombach et al. 2022).
 *
 * <p>Index i is the time t = (i + 1) / T, and t = 0 is the data itself, so that a_0 = 1 and b_0 = 0
 * hold as equation 2 asks. Between these knots ln a is linear, so the derivatives are those of the
 * segment to the right. The end t = 1 is not pure noise: a_1 is 0.068 for LDM. Immutable.
 */
public final class LinearPath implements NoisePath {

  private static final int TRAINING_STEPS = 1000;

  private final String name;

  /** ln a^2 at t = k / T, from 0 at k = 0 downwards. */
  private final double[] logAlphaBar;

  private LinearPath(String name, double[] betas) {
    this.name = name;
    this.logAlphaBar = new double[betas.length + 1];
    for (int i = 0; i < betas.length; i++) {
      logAlphaBar[i + 1] = logAlphaBar[i] + Math.log1p(-betas[i]);
    }
  }

  /**
   * LDM: T = 1000, beta from 0.00085 to 0.012, linear in the square root. The "linear" of
   * eps/linear and v/linear.
   */
  public static LinearPath ldm() {
    return ldm(TRAINING_STEPS, 0.00085, 0.012);
  }

  /** LDM-linear with other constants; 0 < betaStart <= betaEnd < 1. */
  public static LinearPath ldm(int steps, double betaStart, double betaEnd) {
    double[] betas = line(steps, betaStart, betaEnd, Math.sqrt(betaStart), Math.sqrt(betaEnd));
    return new LinearPath("linear", Arrays.stream(betas).map(root -> root * root).toArray());
  }

  /** DDPM: T = 1000, beta from 0.0001 to 0.02, linear. */
  public static LinearPath ddpm() {
    return ddpm(TRAINING_STEPS, 1e-4, 0.02);
  }

  /** DDPM-linear with other constants; 0 < betaStart <= betaEnd < 1. */
  public static LinearPath ddpm(int steps, double betaStart, double betaEnd) {
    return new LinearPath("ddpm-linear", line(steps, betaStart, betaEnd, betaStart, betaEnd));
  }

  private static double[] line(
      int steps, double betaStart, double betaEnd, double from, double to) {
    if (steps < 2) {
      throw new IllegalArgumentException(
          "A discrete path needs at least 2 steps, found " + steps + ".");
    }
    if (!(betaStart > 0 && betaStart <= betaEnd && betaEnd < 1)) {
      throw new IllegalArgumentException(
          "The betas must satisfy 0 < start <= end < 1, found "
              + betaStart
              + " and "
              + betaEnd
              + ".");
    }
    double[] out = new double[steps];
    for (int i = 0; i < steps; i++) {
      out[i] = from + (double) i / (steps - 1) * (to - from);
    }
    return out;
  }

  @Override
  public String name() {
    return name;
  }

  /** T, the number of discrete times. */
  public int steps() {
    return logAlphaBar.length - 1;
  }

  /**
   * The time of a discrete index, (i + 1) / T.
   *
   * @throws IllegalArgumentException if the index is not in 0 .. T-1
   */
  public double timeOfIndex(int i) {
    if (i < 0 || i >= steps()) {
      throw new IllegalArgumentException(
          "An index must lie in 0 .. " + (steps() - 1) + ", found " + i + ".");
    }
    return (i + 1.0) / steps();
  }

  private int segment(double t) {
    return Math.min((int) (Checks.requireTime(t) * steps()), steps() - 1);
  }

  private double slope(double t) {
    int k = segment(t);
    return (logAlphaBar[k + 1] - logAlphaBar[k]) * steps();
  }

  private double logAlphaBar(double t) {
    int k = segment(t);
    double fraction = t * steps() - k;
    return logAlphaBar[k] + fraction * (logAlphaBar[k + 1] - logAlphaBar[k]);
  }

  /** b^2; the subtraction from 0 makes it +0 at t = 0. */
  private double noiseVariance(double t) {
    return 0 - Math.expm1(logAlphaBar(t));
  }

  @Override
  public double a(double t) {
    return Math.exp(0.5 * logAlphaBar(t));
  }

  @Override
  public double b(double t) {
    return Math.sqrt(noiseVariance(t));
  }

  @Override
  public double aDot(double t) {
    return 0.5 * a(t) * slope(t);
  }

  @Override
  public double bDot(double t) {
    return -0.5 * Math.exp(logAlphaBar(t)) * slope(t) / b(t);
  }

  @Override
  public double logSnr(double t) {
    return logAlphaBar(t) - Math.log(noiseVariance(t));
  }

  @Override
  public double logSnrDot(double t) {
    return slope(t) / noiseVariance(t);
  }

  @Override
  public double timestepOf(double lambda) {
    // alpha-bar = sigmoid(lambda)
    Checks.requireLogSnr(lambda);
    double log = Math.min(lambda, 0) - Math.log1p(Math.exp(-Math.abs(lambda)));
    int last = steps();
    double rounding = 1e-12;
    if (log < logAlphaBar[last] * (1 + rounding)) {
      throw new IllegalArgumentException(
          "The path "
              + name
              + " ends at log-SNR "
              + logSnr(1)
              + " and does not reach "
              + lambda
              + ".");
    }
    int low = 0;
    int high = last;
    while (high - low > 1) {
      int middle = (low + high) >>> 1;
      if (logAlphaBar[middle] >= log) {
        low = middle;
      } else {
        high = middle;
      }
    }
    double fraction = (log - logAlphaBar[low]) / (logAlphaBar[high] - logAlphaBar[low]);
    return Math.min(1, (low + fraction) / last);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof LinearPath path
        && path.name.equals(name)
        && Arrays.equals(path.logAlphaBar, logAlphaBar);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(logAlphaBar);
  }

  @Override
  public String toString() {
    return name + "[" + steps() + " steps]";
  }
}
