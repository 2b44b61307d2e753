package org.rectiflow.scheduler.density;

/** Uniform timesteps, the plain rectified flow. */
public record Uniform() implements TimestepDensity {

  @Override
  public String name() {
    return "uniform";
  }

  @Override
  public double pdf(double t) {
    Arguments.requireTime(t);
    return 1;
  }

  @Override
  public double cdf(double t) {
    return Arguments.requireTime(t);
  }

  @Override
  public double survival(double t) {
    return 1 - Arguments.requireTime(t);
  }

  @Override
  public double quantile(double u) {
    return Arguments.requireProbability(u);
  }

  @Override
  public double survivalQuantile(double u) {
    return 1 - Arguments.requireProbability(u);
  }
}
