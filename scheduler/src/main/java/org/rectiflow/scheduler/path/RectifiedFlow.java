package org.rectiflow.scheduler.path;

import org.rectiflow.scheduler.math.Checks;
import org.rectiflow.scheduler.math.Logistic;

/** Rectified flow: a = 1 - t, b = t (equation 13 of the paper). */
public record RectifiedFlow() implements NoisePath {

  @Override
  public String name() {
    return "rf";
  }

  @Override
  public double a(double t) {
    return 1 - Checks.requireTime(t);
  }

  @Override
  public double b(double t) {
    return Checks.requireTime(t);
  }

  @Override
  public double aDot(double t) {
    Checks.requireTime(t);
    return -1;
  }

  @Override
  public double bDot(double t) {
    Checks.requireTime(t);
    return 1;
  }

  @Override
  public double logSnr(double t) {
    return -2 * Logistic.logit(Checks.requireTime(t));
  }

  @Override
  public double logSnrDot(double t) {
    return -2 / (Checks.requireTime(t) * (1 - t));
  }

  @Override
  public double timestepOf(double lambda) {
    return Logistic.sigmoid(-0.5 * Checks.requireLogSnr(lambda));
  }
}
