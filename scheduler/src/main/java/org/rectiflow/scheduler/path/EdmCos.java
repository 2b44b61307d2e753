package org.rectiflow.scheduler.path;

import org.rectiflow.scheduler.math.Checks;

/**
 * EDM with the log-SNR of the cosine path: a = 1, b = tan(pi t / 2), the natural reading of the
 * paper's "edm/cos" (Section 5.1), whose schedule matches the log-SNR weighting of v/cos.
 */
public record EdmCos() implements VarianceExploding {

  private static final Cosine MATCHED = new Cosine();

  @Override
  public String name() {
    return "edm/cos";
  }

  @Override
  public double b(double t) {
    return Cosine.tangent(Checks.requireTime(t));
  }

  @Override
  public double bDot(double t) {
    double a = MATCHED.a(t);
    return Math.PI / 2 / (a * a);
  }

  @Override
  public double logSnr(double t) {
    return MATCHED.logSnr(t);
  }

  @Override
  public double logSnrDot(double t) {
    return MATCHED.logSnrDot(t);
  }

  @Override
  public double timestepOf(double lambda) {
    return MATCHED.timestepOf(lambda);
  }
}
