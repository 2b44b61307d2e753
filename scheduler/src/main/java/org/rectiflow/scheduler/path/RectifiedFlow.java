package org.rectiflow.scheduler.path;

import org.rectiflow.scheduler.math.Logistic;

/** Rectified flow: a = 1 - t, b = t (equation 13 of the paper). */
public record RectifiedFlow() implements NoisePath {

  @Override
  public String name() {
    return "rf";
  }

  @Override
  public double a(double t) {
    return 1 - Times.require(t);
  }

  @Override
  public double b(double t) {
    return Times.require(t);
  }

  @Override
  public double aDot(double t) {
    Times.require(t);
    return -1;
  }

  @Override
  public double bDot(double t) {
    Times.require(t);
    return 1;
  }

  @Override
  public double logSnr(double t) {
    return -2 * Logistic.logit(Times.require(t));
  }

  @Override
  public double logSnrDot(double t) {
    return -2 / (Times.require(t) * (1 - t));
  }

  @Override
  public double timestepOf(double lambda) {
    return Logistic.sigmoid(-0.5 * Times.requireLogSnr(lambda));
  }
}
