package org.rectiflow.scheduler.path;

import org.rectiflow.scheduler.math.Checks;
import org.rectiflow.scheduler.math.StandardNormal;

/**
 * The path of EDM with time measured by the training distribution: ln b_t = P_m + P_s Phi^-1(t), so
 * that uniform t gives ln sigma ~ N(P_m, P_s^2) and lambda ~ N(-2 P_m, (2 P_s)^2) (equations 14 to
 * 16 of the paper).
 *
 * @param pMean P_m, the mean of ln sigma; -1.2 in Karras et al. 2022
 * @param pStd P_s, the standard deviation of ln sigma, positive; 1.2 in Karras et al. 2022
 */
public record Edm(double pMean, double pStd) implements VarianceExploding {

  /**
   * Checks the parameters.
   *
   * @throws IllegalArgumentException if P_s is not positive or one is not finite
   */
  public Edm {
    Checks.requireFinite("P_m of edm", pMean);
    Checks.requireStd("P_s of edm", pStd);
  }

  @Override
  public String name() {
    return "edm";
  }

  private double logSigma(double t) {
    return pMean + pStd * StandardNormal.quantile(Checks.requireTime(t));
  }

  @Override
  public double b(double t) {
    return Math.exp(logSigma(t));
  }

  @Override
  public double bDot(double t) {
    // Infinite at both ends, where the product below would be 0 times infinity or its like.
    return t == 0 || t == 1 ? Double.POSITIVE_INFINITY : -0.5 * b(t) * logSnrDot(t);
  }

  @Override
  public double logSnr(double t) {
    return -2 * logSigma(t);
  }

  @Override
  public double logSnrDot(double t) {
    return -2 * pStd / StandardNormal.pdf(StandardNormal.quantile(Checks.requireTime(t)));
  }

  @Override
  public double timestepOf(double lambda) {
    return StandardNormal.cdf((-0.5 * Checks.requireLogSnr(lambda) - pMean) / pStd);
  }
}
