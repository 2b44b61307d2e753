package org.rectiflow.trainer.transformer;

import org.rectiflow.engine.Tensor;
import org.rectiflow.scheduler.PathScheduler;
import org.rectiflow.scheduler.TimeGrid;
import org.rectiflow.scheduler.formulation.Formulation;
import org.rectiflow.scheduler.path.Prediction;
import org.rectiflow.scheduler.path.ResolutionShift;
import org.rectiflow.scheduler.solver.Solver;

/** How models of a formulation are sampled. */
public final class Samplers {
  private Samplers() {}

  /**
   * Euler's method on equation 1, as in the paper's study (Section 5.1), over equal steps in t that
   * are shifted once.
   *
   * @param shift 1 for none
   */
  public static PathScheduler euler(Formulation formulation, double shift) {
    Solver solver = new Solver.Euler(Solver.Variable.TIME);
    if (shift == 1) {
      return formulation.scheduler(solver);
    }
    double start = formulation.path().startTime();
    boolean blind =
        formulation.prediction() == Prediction.EPSILON && formulation.path().a(start) == 0;
    double first = blind ? start - 1 / NoisedBatch.TRAIN_TIMESTEPS : start;
    return formulation.scheduler(solver, new TimeGrid.Uniform(first, new ResolutionShift(shift)));
  }

  /** Standard normal noise as sampling begins with it: times the path's first scale. */
  public static Tensor scaled(Tensor noise, Formulation formulation) {
    float scale = (float) formulation.path().startScale();
    float[] values = noise.data().clone();
    for (int i = 0; i < values.length; i++) {
      values[i] *= scale;
    }
    return new Tensor(noise.shape(), values);
  }
}
