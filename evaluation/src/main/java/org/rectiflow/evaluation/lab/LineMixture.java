package org.rectiflow.evaluation.lab;

import org.apache.commons.numbers.gamma.Erfc;

/**
 * A mixture on the line. In one dimension the ODE of a path moves quantiles to quantiles, so its
 * exact solution needs no integration: the state at one time and the state at another have the same
 * rank in their distributions.
 */
public final class LineMixture {

  /** Distance in standard deviations beyond which a component holds no mass a double can see. */
  private static final double TAIL = 38;

  private static final double SQRT2 = Math.sqrt(2);

  private final GaussianMixture mixture;

  /**
   * A view of a one-dimensional mixture.
   *
   * @throws IllegalArgumentException if the data has more dimensions
   */
  public LineMixture(GaussianMixture mixture) {
    if (mixture.dimension() != 1) {
      throw new IllegalArgumentException(
          "quantiles need one-dimensional data, found %d dimensions"
              .formatted(mixture.dimension()));
    }
    this.mixture = mixture;
  }

  /** The mixture itself. */
  public GaussianMixture mixture() {
    return mixture;
  }

  /** Probability that {@code a x0 + b epsilon} is at most z. */
  public double cdf(double z, double a, double b) {
    return tail(z, a, b, -1);
  }

  /** Probability that {@code a x0 + b epsilon} exceeds z; exact also where the cdf rounds to 1. */
  public double survival(double z, double a, double b) {
    return tail(z, a, b, 1);
  }

  /**
   * The value that {@code a x0 + b epsilon} stays below with probability p.
   *
   * @throws IllegalArgumentException if p is not strictly between 0 and 1
   */
  public double quantile(double p, double a, double b) {
    if (!(p > 0 && p < 1)) {
      throw new IllegalArgumentException("p must be strictly between 0 and 1, found " + p);
    }
    return p < 0.5 ? invert(p, a, b, -1) : invert(1 - p, a, b, 1);
  }

  /**
   * The exact ODE flow: where a particle that is at z under (a, b) is under other coefficients.
   *
   * @param z state under (a, b)
   * @param toA signal coefficient at the end; 1 for data
   * @param toB noise coefficient at the end; 0 for data
   */
  public double transport(double z, double a, double b, double toA, double toB) {
    double below = cdf(z, a, b);
    double above = survival(z, a, b);
    // The smaller of the two keeps its digits.
    return below < above ? invert(below, toA, toB, -1) : invert(above, toA, toB, 1);
  }

  /** Solves tail(x) = p by bisection to the last bit; tail rises with side -1, falls with 1. */
  private double invert(double p, double a, double b, int side) {
    double low = Double.POSITIVE_INFINITY;
    double high = Double.NEGATIVE_INFINITY;
    for (int k = 0; k < mixture.components(); k++) {
      double std = Math.hypot(a * mixture.std(k), b);
      low = Math.min(low, a * mixture.mean(k, 0) - TAIL * std);
      high = Math.max(high, a * mixture.mean(k, 0) + TAIL * std);
    }
    while (true) {
      double middle = 0.5 * (low + high);
      if (middle <= low || middle >= high) {
        return middle;
      }
      if (tail(middle, a, b, side) < p == (side < 0)) {
        low = middle;
      } else {
        high = middle;
      }
    }
  }

  private double tail(double z, double a, double b, int side) {
    double sum = 0;
    for (int k = 0; k < mixture.components(); k++) {
      double std = Math.hypot(a * mixture.std(k), b);
      double standard = (z - a * mixture.mean(k, 0)) / std;
      sum += mixture.weight(k) * 0.5 * Erfc.value(side * standard / SQRT2);
    }
    return sum;
  }
}
