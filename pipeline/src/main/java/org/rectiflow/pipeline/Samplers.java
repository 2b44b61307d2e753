package org.rectiflow.pipeline;

import org.rectiflow.engine.Tensor;
import org.rectiflow.scheduler.FlowMatchConfig;
import org.rectiflow.scheduler.PathScheduler;
import org.rectiflow.scheduler.Scheduler;
import org.rectiflow.scheduler.TimeGrid;
import org.rectiflow.scheduler.formulation.Formulation;
import org.rectiflow.scheduler.path.Prediction;
import org.rectiflow.scheduler.path.RectifiedFlow;
import org.rectiflow.scheduler.path.ResolutionShift;
import org.rectiflow.scheduler.solver.Solver;

/** How models of any formulation are sampled. */
public final class Samplers {
  private static final double TRAIN_TIMESTEPS = 1000;

  private Samplers() {}

  /** Whether models of this formulation answer the velocity of a rectified flow, as SD3 does. */
  public static boolean isFlow(Formulation formulation) {
    return formulation.path() instanceof RectifiedFlow
        && formulation.prediction() == Prediction.VELOCITY;
  }

  /**
   * The scheduler of a choice for models of a formulation. What is no rectified flow is sampled
   * over equal steps of its own time, shifted once; of the configuration only the shift is used.
   */
  public static Scheduler of(
      Formulation formulation, SamplerChoice choice, FlowMatchConfig config) {
    if (isFlow(formulation)) {
      return choice.create(config);
    }
    Solver solver =
        switch (choice) {
          case EULER -> new Solver.Euler(Solver.Variable.TIME);
          case HEUN -> new Solver.Heun(Solver.Variable.TIME);
          case DPMPP_2M -> new Solver.DpmSolver2M(Solver.Clock.HALF_LOG_SNR);
        };
    return of(formulation, solver, config.shift());
  }

  /**
   * Euler's method on equation 1, as in the paper's study (Section 5.1), over equal steps in t that
   * are shifted once.
   *
   * @param shift 1 for none
   */
  public static PathScheduler euler(Formulation formulation, double shift) {
    return of(formulation, new Solver.Euler(Solver.Variable.TIME), shift);
  }

  private static PathScheduler of(Formulation formulation, Solver solver, double shift) {
    if (shift == 1) {
      return formulation.scheduler(solver);
    }
    double start = formulation.path().startTime();
    boolean blind =
        formulation.prediction() == Prediction.EPSILON && formulation.path().a(start) == 0;
    double first = blind ? start - 1 / TRAIN_TIMESTEPS : start;
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
