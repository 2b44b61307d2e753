package org.rectiflow.scheduler.density;

import org.rectiflow.scheduler.math.Checks;
import org.rectiflow.scheduler.math.Parameters;
import org.rectiflow.scheduler.math.StandardNormal;
import org.rectiflow.scheduler.path.Edm;
import org.rectiflow.scheduler.path.LinearPath;
import org.rectiflow.scheduler.path.NoisePath;

/**
 * The log-normal noise level of EDM carried to the time of any path: ln(b_t / a_t) ~ N(P_m, P_s^2),
 * so lambda ~ N(-2 P_m, (2 P_s)^2) (equation 16 of the paper; Karras et al. 2022 use P_m = -1.2,
 * P_s = 1.2). On rectified flow this is {@link LogitNormal} with m = P_m and s = P_s, on {@code
 * edm(P_m,P_s)} it is {@link Uniform}.
 *
 * @param path the path whose time is drawn; it must reach every noise level, which the discrete
 *     linear paths do not
 * @param pMean P_m, the mean of ln(b / a)
 * @param pStd P_s, the standard deviation of ln(b / a), positive
 */
public record EdmLogNormal(NoisePath path, double pMean, double pStd) implements TimestepDensity {

  /**
   * Checks the parameters.
   *
   * @throws IllegalArgumentException if the path ends before pure noise, the mean is not finite or
   *     the standard deviation not positive
   */
  public EdmLogNormal {
    if (path instanceof LinearPath) {
      throw new IllegalArgumentException(
          "The EDM density needs a path that reaches every noise level; "
              + path
              + " ends at log-SNR "
              + path.logSnr(1)
              + ".");
    }
    Checks.requireFinite("P_m of edm", pMean);
    Checks.requireStd("P_s of edm", pStd);
  }

  @Override
  public String name() {
    return "edm-lognorm(" + Parameters.print(pMean) + "," + Parameters.print(pStd) + ")";
  }

  private double standardize(double t) {
    return (-0.5 * path.logSnr(t) - pMean) / pStd;
  }

  @Override
  public double pdf(double t) {
    double z = standardize(t);
    double slope = -0.5 * path.logSnrDot(t) / pStd;
    return Double.isInfinite(z) ? limitAtEnd(t) : StandardNormal.pdf(z) * slope;
  }

  /**
   * The limit at t = 0 or 1. The normal tail wins against every path but that of EDM itself, whose
   * time has normal tails too: there the wider law wins, and among equally wide ones the mean
   * nearer to that end.
   */
  private double limitAtEnd(double t) {
    if (!(path instanceof Edm edm) || pStd < edm.pStd()) {
      return 0;
    }
    if (pStd == edm.pStd() && pMean == edm.pMean()) {
      return 1;
    }
    boolean nearerMean = t == 0 ? pMean < edm.pMean() : pMean > edm.pMean();
    return pStd > edm.pStd() || nearerMean ? Double.POSITIVE_INFINITY : 0;
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
    return timeOf(StandardNormal.quantile(Checks.requireProbability(u)));
  }

  @Override
  public double survivalQuantile(double u) {
    return timeOf(-StandardNormal.quantile(Checks.requireProbability(u)));
  }

  private double timeOf(double z) {
    return path.timestepOf(-2 * (pMean + pStd * z));
  }
}
