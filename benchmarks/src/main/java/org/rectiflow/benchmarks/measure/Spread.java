package org.rectiflow.benchmarks.measure;

import java.util.Arrays;

/**
 * The middle of several measurements of one quantity and how far they lie apart.
 *
 * @param lower the first quartile
 * @param upper the third quartile
 */
public record Spread(double median, double lower, double upper) {

  /**
   * Median and quartiles, interpolated linearly between neighbours.
   *
   * @throws IllegalArgumentException if there are no values, or one is not finite
   */
  public static Spread of(double... values) {
    if (values.length == 0) {
      throw new IllegalArgumentException("no measurements to take the median of");
    }
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    for (double value : sorted) {
      if (!Double.isFinite(value)) {
        throw new IllegalArgumentException("a measurement is " + value);
      }
    }
    return new Spread(quantile(sorted, 0.5), quantile(sorted, 0.25), quantile(sorted, 0.75));
  }

  private static double quantile(double[] sorted, double p) {
    double position = p * (sorted.length - 1);
    int below = (int) position;
    int above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
  }

  /**
   * The geometric mean: what ratios are averaged with.
   *
   * @throws IllegalArgumentException if there are no values, or one is not positive
   */
  public static double geometricMean(double... values) {
    if (values.length == 0) {
      throw new IllegalArgumentException("no ratios to average");
    }
    double sum = 0;
    for (double value : values) {
      if (!(value > 0)) {
        throw new IllegalArgumentException("a ratio is " + value + ", expected more than 0");
      }
      sum += Math.log(value);
    }
    return Math.exp(sum / values.length);
  }
}
