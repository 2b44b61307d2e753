package org.rectiflow.scheduler.formulation;

import java.util.OptionalDouble;
import org.rectiflow.scheduler.density.Uniform;
import org.rectiflow.scheduler.math.StandardNormal;
import org.rectiflow.scheduler.path.Cosine;
import org.rectiflow.scheduler.path.Edm;
import org.rectiflow.scheduler.path.Prediction;
import org.rectiflow.scheduler.path.RectifiedFlow;

/** The loss weights that the paper prints in Sections 2 and 3. */
final class PrintedWeight {

  private PrintedWeight() {}

  static OptionalDouble of(Formulation formulation, double t) {
    if (factor(formulation).isEmpty()) {
      return OptionalDouble.empty();
    }
    double lambda = formulation.path().logSnr(t);
    return OptionalDouble.of(
        switch (formulation.path()) {
          case RectifiedFlow _ -> t / (1 - t) * formulation.density().pdf(t);
          case Edm edm -> {
            double std = 2 * edm.pStd();
            double normal = StandardNormal.pdf((lambda + 2 * edm.pMean()) / std) / std;
            yield normal * (Math.exp(-lambda) + Prediction.SIGMA_DATA * Prediction.SIGMA_DATA);
          }
          default ->
              formulation.prediction() == Prediction.EPSILON
                  ? 1 / Math.cosh(0.5 * lambda)
                  : Math.exp(-0.5 * lambda);
        });
  }

  static OptionalDouble factor(Formulation formulation) {
    if (formulation.outputWeight() != OutputWeight.ONE) {
      return OptionalDouble.empty();
    }
    boolean uniform = formulation.density() instanceof Uniform;
    boolean cosine = formulation.path() instanceof Cosine && uniform;
    return switch (formulation.prediction()) {
      case VELOCITY -> given(formulation.path() instanceof RectifiedFlow, 1);
      case F ->
          given(
              formulation.path() instanceof Edm && uniform,
              0.5 * Prediction.SIGMA_DATA * Prediction.SIGMA_DATA);
      case EPSILON -> given(cosine, Math.PI);
      case V -> given(cosine, Math.PI / 2);
    };
  }

  private static OptionalDouble given(boolean printed, double factor) {
    return printed ? OptionalDouble.of(factor) : OptionalDouble.empty();
  }
}
