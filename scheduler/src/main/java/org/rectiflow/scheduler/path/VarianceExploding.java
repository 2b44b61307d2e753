package org.rectiflow.scheduler.path;

import org.rectiflow.scheduler.math.Checks;

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
    Checks.requireTime(t);
    return 1;
  }

  @Override
  default double aDot(double t) {
    Checks.requireTime(t);
    return 0;
  }

  @Override
  default double startTime() {
    // The time of a narrow EDM law rounds to 1 before this noise level is reached.
    return Math.min(timestepOf(-2 * Math.log(SIGMA_MAX)), Math.nextDown(1.0));
  }

  @Override
  default double startScale() {
    return b(startTime());
  }
}
