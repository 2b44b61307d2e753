package org.rectiflow.scheduler.density;

import org.rectiflow.scheduler.math.Checks;
import org.rectiflow.scheduler.math.Logistic;
import org.rectiflow.scheduler.math.Parameters;
import org.rectiflow.scheduler.math.StandardNormal;

/**
 * The logit-normal density pi_ln(t; m, s) of equation 19: logit(t) ~ N(m, s^2). A negative m
 * favours data, a positive one noise. On rectified flow the log-SNR is then N(-2m, (2s)^2), the law
 * of EDM with P_m = m and P_s = s.
 *
 * @param mean m, the mean of logit(t)
 * @param std s, the standard deviation of logit(t), positive
 */
public record LogitNormal(double mean, double std) implements TimestepDensity {

  /**
   * Checks the parameters.
   *
   * @throws IllegalArgumentException if the mean is not finite or the standard deviation not
   *     positive
   */
  public LogitNormal {
    Checks.requireFinite("m of lognorm", mean);
    Checks.requireStd("s of lognorm", std);
  }

  @Override
  public String name() {
    return "lognorm(" + Parameters.print(mean) + "," + Parameters.print(std) + ")";
  }

  private double standardize(double t) {
    return (Logistic.logit(Checks.requireTime(t)) - mean) / std;
  }

  @Override
  public double pdf(double t) {
    Checks.requireTime(t);
    return t == 0 || t == 1 ? 0 : StandardNormal.pdf(standardize(t)) / (std * t * (1 - t));
  }

  @Override
  public double cdf(double t) {
    return StandardNormal.cdf(standardize(t));
  }

  @Override
  public double survival(double t) {
    return StandardNormal.cdf(-standardize(t));
  }

  @Override
  public double quantile(double u) {
    return Logistic.sigmoid(mean + std * StandardNormal.quantile(Checks.requireProbability(u)));
  }

  @Override
  public double survivalQuantile(double u) {
    return Logistic.sigmoid(mean - std * StandardNormal.quantile(Checks.requireProbability(u)));
  }
}
