package org.rectiflow.scheduler.density;

import org.rectiflow.scheduler.math.Parameters;
import org.rectiflow.scheduler.path.ResolutionShift;

/**
 * Timesteps of a density, each moved by the resolution-dependent shift (Section 5.3.2, equation
 * 23). A logit-normal stays one, its m larger by ln alpha.
 *
 * @param base the density that is drawn from
 * @param shift the shift applied to each draw
 */
public record ResolutionShifted(TimestepDensity base, ResolutionShift shift)
    implements TimestepDensity {

  @Override
  public String name() {
    return base.name() + "+shift(" + Parameters.print(shift.alpha()) + ")";
  }

  @Override
  public double pdf(double t) {
    ResolutionShift back = shift.inverse();
    return base.pdf(back.apply(t)) * back.derivative(t);
  }

  @Override
  public double cdf(double t) {
    return base.cdf(shift.inverse().apply(t));
  }

  @Override
  public double survival(double t) {
    return base.survival(shift.inverse().apply(t));
  }

  @Override
  public double quantile(double u) {
    return shift.apply(base.quantile(u));
  }

  @Override
  public double survivalQuantile(double u) {
    return shift.apply(base.survivalQuantile(u));
  }
}
