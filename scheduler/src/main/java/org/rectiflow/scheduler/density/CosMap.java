package org.rectiflow.scheduler.density;

import org.rectiflow.scheduler.math.Checks;

/**
 * CosMap (equations 21 and 22): t = 1 - 1 / (tan(pi u / 2) + 1) for uniform u, with density 2 / (pi
 * - 2 pi t + 2 pi t^2). On rectified flow it gives the log-SNR law of the cosine path.
 */
public record CosMap() implements TimestepDensity {

  private static final double HALF_PI = Math.PI / 2;

  @Override
  public String name() {
    return "cosmap";
  }

  @Override
  public double pdf(double t) {
    Checks.requireTime(t);
    return 2 / (Math.PI * (1 - 2 * t + 2 * t * t));
  }

  @Override
  public double cdf(double t) {
    return Math.atan2(Checks.requireTime(t), 1 - t) / HALF_PI;
  }

  @Override
  public double survival(double t) {
    return Math.atan2(1 - Checks.requireTime(t), t) / HALF_PI;
  }

  @Override
  public double quantile(double u) {
    double sine = Math.sin(HALF_PI * Checks.requireProbability(u));
    return sine / (sine + Math.sin(HALF_PI * (1 - u)));
  }

  @Override
  public double survivalQuantile(double u) {
    double cosine = Math.sin(HALF_PI * (1 - Checks.requireProbability(u)));
    return cosine / (cosine + Math.sin(HALF_PI * u));
  }
}
