package org.rectiflow.pipeline.verify;

/**
 * One tensor of a golden file against ours.
 *
 * @param name its name
 * @param absolute largest absolute difference
 * @param relative {@code max|a - b| / max|b|}, or over what {@code b} is a small part of
 * @param tolerance what is allowed, see {@code rule}
 * @param rule how it is judged
 */
public record Comparison(
    String name, double absolute, double relative, double tolerance, Rule rule) {

  /** How a tensor is judged. */
  public enum Rule {
    /** The same numbers: token ids and noise. */
    EQUAL,
    /** By the absolute difference: sigmas and timesteps. */
    ABSOLUTE,
    /** By the relative difference: everything a network computes. */
    RELATIVE,
    /** By the difference in 8-bit levels of a picture in 0 to 1. */
    LEVELS
  }

  /** Compares. Lengths must agree. */
  static Comparison of(String name, float[] actual, float[] golden, Rule rule, double tolerance) {
    return of(name, actual, golden, rule, tolerance, 0);
  }

  /**
   * Compares.
   *
   * @param least what relative differences are held against if it is more than the largest value
   */
  static Comparison of(
      String name, float[] actual, float[] golden, Rule rule, double tolerance, double least) {
    double difference = 0;
    double size = least;
    double levels = 0;
    for (int i = 0; i < golden.length; i++) {
      double d = Math.abs((double) actual[i] - golden[i]);
      difference = Double.isNaN(d) ? Double.POSITIVE_INFINITY : Math.max(difference, d);
      size = Math.max(size, Math.abs((double) golden[i]));
      levels =
          Math.max(levels, Math.abs(Math.rint(actual[i] * 255f) - Math.rint(golden[i] * 255f)));
    }
    double relative = difference == 0 ? 0 : difference / size;
    double absolute = rule == Rule.LEVELS ? levels : difference;
    return new Comparison(name, absolute, relative, tolerance, rule);
  }

  /** Whether the difference is allowed. */
  public boolean passes() {
    return switch (rule) {
      case EQUAL -> absolute == 0;
      case ABSOLUTE, LEVELS -> absolute <= tolerance;
      case RELATIVE -> relative <= tolerance;
    };
  }
}
