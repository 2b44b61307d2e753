package org.rectiflow.scheduler.path;

import org.rectiflow.scheduler.math.Checks;

/** The cosine path: a = cos(pi t / 2), b = sin(pi t / 2) (equation 17 of the paper). */
public record Cosine() implements NoisePath {

  private static final double HALF_PI = Math.PI / 2;

  @Override
  public String name() {
    return "cos";
  }

  @Override
  public double a(double t) {
    return cosine(Checks.requireTime(t));
  }

  @Override
  public double b(double t) {
    return cosine(1 - Checks.requireTime(t));
  }

  /** cos(pi t / 2), exactly 0 at t = 1. */
  static double cosine(double t) {
    return t <= 0.5 ? Math.cos(HALF_PI * t) : Math.sin(HALF_PI * (1 - t));
  }

  /** tan(pi t / 2), infinite at t = 1. */
  static double tangent(double t) {
    return t <= 0.5 ? Math.tan(HALF_PI * t) : 1 / Math.tan(HALF_PI * (1 - t));
  }

  @Override
  public double aDot(double t) {
    return -HALF_PI * b(t);
  }

  @Override
  public double bDot(double t) {
    return HALF_PI * a(t);
  }

  @Override
  public double logSnr(double t) {
    return -2 * Math.log(tangent(Checks.requireTime(t)));
  }

  @Override
  public double logSnrDot(double t) {
    return -Math.PI / (a(t) * b(t));
  }

  @Override
  public double timestepOf(double lambda) {
    return Math.atan(Math.exp(-0.5 * Checks.requireLogSnr(lambda))) / HALF_PI;
  }
}
