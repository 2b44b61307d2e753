package org.rectiflow.scheduler.formulation;

import java.util.ArrayList;
import java.util.List;
import org.rectiflow.scheduler.density.CosMap;
import org.rectiflow.scheduler.density.LogitNormal;
import org.rectiflow.scheduler.density.Mode;
import org.rectiflow.scheduler.density.TimestepDensity;
import org.rectiflow.scheduler.density.Uniform;
import org.rectiflow.scheduler.path.Cosine;
import org.rectiflow.scheduler.path.Edm;
import org.rectiflow.scheduler.path.EdmCos;
import org.rectiflow.scheduler.path.EdmRf;
import org.rectiflow.scheduler.path.LinearPath;
import org.rectiflow.scheduler.path.NoisePath;
import org.rectiflow.scheduler.path.Prediction;
import org.rectiflow.scheduler.path.RectifiedFlow;

/**
 * The 61 formulations of Section 5.1. The paper gives ranges and counts; the grids that they and
 * the printed names imply are equally spaced. Mode's s is equally spaced in [-1, 1.75] too and
 * stands here rounded to the two decimals of the printed names, so that a name is the formulation.
 */
final class Study {

  private static final double[] MODE_SCALES = {-1, -0.54, -0.08, 0.38, 0.83, 1.29, 1.75, 1};
  private static final double[] LOGNORM_MEANS = {-1, -0.5, 0, 0.5, 1};
  private static final double[] LOGNORM_STDS = {0.2, 0.6, 1, 1.4, 1.8, 2.2};
  private static final double[] EDM_MEANS = {-1.2, -0.6, 0, 0.6, 1.2};
  private static final double[] EDM_STDS = {0.6, 1.2, 1.8};

  static final List<Formulation> FORMULATIONS = formulations();

  private Study() {}

  private static List<Formulation> formulations() {
    List<Formulation> all = new ArrayList<>();
    for (NoisePath path : List.of(LinearPath.ldm(), new Cosine())) {
      all.add(of(path, Prediction.EPSILON, new Uniform()));
      all.add(of(path, Prediction.V, new Uniform()));
    }
    // rf is mode with s = 0.
    all.add(rf(new Uniform()));
    for (double s : MODE_SCALES) {
      all.add(rf(new Mode(s)));
    }
    for (double m : LOGNORM_MEANS) {
      for (double s : LOGNORM_STDS) {
        all.add(rf(new LogitNormal(m, s)));
      }
    }
    all.add(rf(new CosMap()));
    for (double m : EDM_MEANS) {
      for (double s : EDM_STDS) {
        all.add(of(new Edm(m, s), Prediction.F, new Uniform()));
      }
    }
    all.add(of(new EdmRf(), Prediction.F, new Uniform()));
    all.add(of(new EdmCos(), Prediction.F, new Uniform()));
    return List.copyOf(all);
  }

  private static Formulation rf(TimestepDensity density) {
    return of(new RectifiedFlow(), Prediction.VELOCITY, density);
  }

  private static Formulation of(NoisePath path, Prediction prediction, TimestepDensity density) {
    return new Formulation(path, prediction, density, OutputWeight.ONE);
  }
}
