package org.rectiflow.scheduler.density;

import org.rectiflow.scheduler.math.Checks;

/** Uniform timesteps, the plain rectified flow. */
public record Uniform() implements TimestepDensity {

  @Override
  public String name() {
    return "uniform";
  }

  @Override
  public double pdf(double t) {
    Checks.requireTime(t);
    return 1;
  }

  @Override
  public double cdf(double t) {
    return Checks.requireTime(t);
  }

  @Override
  public double survival(double t) {
    return 1 - Checks.requireTime(t);
  }

  @Override
  public double quantile(double u) {
    return Checks.requireProbability(u);
  }

  @Override
  public double survivalQuantile(double u) {
    return 1 - Checks.requireProbability(u);
  }
}
