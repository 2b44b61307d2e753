package org.rectiflow.scheduler.path;

/**
 * Paths that keep the data and add ever more noise: a = 1, b = sigma(t), unbounded at t = 1
 * (equation 14 of the paper, after Karras et al. 2022). Sampling begins at the noise level {@link
 * #SIGMA_MAX}.
 */
public sealed interface VarianceExploding extends NoisePath permits Edm, EdmRf, EdmCos {

  /** The largest noise level in use, the default of Karras et al. 2022, Table 1. */
  double SIGMA_MAX = 80;

  @Override
  default double a(double t) {
    Times.require(t);
    return 1;
  }

  @Override
  default double aDot(double t) {
    Times.require(t);
    return 0;
  }

  @Override
  default double startTime() {
    return timestepOf(-2 * Math.log(SIGMA_MAX));
  }

  @Override
  default double startScale() {
    return SIGMA_MAX;
  }
}
