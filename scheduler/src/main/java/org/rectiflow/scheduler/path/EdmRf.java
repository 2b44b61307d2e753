package org.rectiflow.scheduler.path;

import org.rectiflow.scheduler.math.Checks;

/**
 * EDM with the log-SNR of rectified flow: a = 1, b = t / (1 - t), the natural reading of the
 * paper's "edm/rf" (Section 5.1), whose schedule matches the log-SNR weighting of rf.
 */
public record EdmRf() implements VarianceExploding {

  private static final RectifiedFlow MATCHED = new RectifiedFlow();

  @Override
  public String name() {
    return "edm/rf";
  }

  @Override
  public double b(double t) {
    return Checks.requireTime(t) / (1 - t);
  }

  @Override
  public double bDot(double t) {
    double rest = 1 - Checks.requireTime(t);
    return 1 / (rest * rest);
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
