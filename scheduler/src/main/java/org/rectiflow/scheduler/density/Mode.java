package org.rectiflow.scheduler.density;

import org.rectiflow.scheduler.math.Checks;
import org.rectiflow.scheduler.math.Parameters;

/**
 * The mode density with heavy tails of equation 20: t = f(u; s) = 1 - u - s (cos^2(pi u / 2) - 1 +
 * u) for uniform u. A positive s favours the middle, a negative one the ends, 0 is uniform. The
 * density is 1 / (1 + s - (pi s / 2) sin(pi u)) with u = f^-1(t), found by Newton's method.
 *
 * @param scale s, in [{@link #MIN_SCALE}, {@link #MAX_SCALE}]
 */
public record Mode(double scale) implements TimestepDensity {

  /** The smallest s for which f is monotone. */
  public static final double MIN_SCALE = -1;

  /** The largest s for which f is monotone, 2 / (pi - 2) = 1.7519384. */
  public static final double MAX_SCALE = 2 / (Math.PI - 2);

  private static final int MAX_ITERATIONS = 200;

  /**
   * Checks the scale.
   *
   * @throws IllegalArgumentException if f would not be monotone
   */
  public Mode {
    if (!(scale >= MIN_SCALE && scale <= MAX_SCALE)) {
      throw new IllegalArgumentException(
          "s of mode must lie in [-1, 2/(pi - 2) = 1.7519384], found "
              + scale
              + ": outside f(u; s) is not monotone, so it has no inverse and defines no density.");
    }
  }

  @Override
  public String name() {
    return "mode(" + Parameters.print(scale) + ")";
  }

  /** f(u; s) of equation 20, decreasing from 1 to 0. */
  public double f(double u) {
    return survivalQuantile(u);
  }

  /** f(1 - u) = 1 - f(u) = u + s (u - sin^2(pi u / 2)), without cancellation near 0. */
  private double increasing(double u) {
    double sine = Math.sin(0.5 * Math.PI * u);
    return u + scale * (u - sine * sine);
  }

  private double slope(double u) {
    return 1 + scale - 0.5 * Math.PI * scale * Math.sin(Math.PI * u);
  }

  @Override
  public double pdf(double t) {
    Checks.requireTime(t);
    // Symmetric about 1/2; from the lower half u keeps its digits.
    return 1 / slope(lowerCdf(Math.min(t, 1 - t)));
  }

  @Override
  public double cdf(double t) {
    Checks.requireTime(t);
    return t <= 0.5 ? lowerCdf(t) : 1 - lowerCdf(1 - t);
  }

  @Override
  public double survival(double t) {
    Checks.requireTime(t);
    return t <= 0.5 ? 1 - lowerCdf(t) : lowerCdf(1 - t);
  }

  @Override
  public double quantile(double u) {
    Checks.requireProbability(u);
    return u <= 0.5 ? increasing(u) : 1 - increasing(1 - u);
  }

  @Override
  public double survivalQuantile(double u) {
    Checks.requireProbability(u);
    return u <= 0.5 ? 1 - increasing(u) : increasing(1 - u);
  }

  /** The u in [0, 1/2] with increasing(u) = t, for t in [0, 1/2]. */
  private double lowerCdf(double t) {
    if (t == 0 || t == 0.5) {
      return t;
    }
    double low = 0;
    double high = 0.5;
    double u = t;
    for (int i = 0; i < MAX_ITERATIONS; i++) {
      double error = increasing(u) - t;
      if (error == 0) {
        return u;
      }
      if (error > 0) {
        high = u;
      } else {
        low = u;
      }
      double newton = u - error / slope(u);
      double next = newton > low && newton < high ? newton : 0.5 * (low + high);
      if (Math.abs(next - u) <= Math.ulp(u)) {
        return next;
      }
      u = next;
    }
    return u;
  }
}
