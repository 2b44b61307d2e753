package org.rectiflow.paper.items;

import org.rectiflow.evaluation.lab.ExactModel;
import org.rectiflow.evaluation.lab.ExactSampling;
import org.rectiflow.evaluation.lab.GaussianMixture;
import org.rectiflow.scheduler.path.NoisePath;
import org.rectiflow.scheduler.path.Prediction;
import org.rectiflow.scheduler.solver.Solver;

/** The smallest experiment of the exact laboratory: one number, one Gaussian. */
final class ExactEnds {

  private ExactEnds() {}

  /** The sample from noise 1 for data N(0, 0.25) over equal steps. */
  static double fromUnitNoise(NoisePath path, Solver solver, int steps) {
    ExactModel model =
        new ExactModel(GaussianMixture.single(new double[] {0}, 0.5), path, Prediction.VELOCITY);
    return ExactSampling.sample(
        model, solver, ExactSampling.uniformTimes(path, steps), new double[] {1})[0];
  }
}
