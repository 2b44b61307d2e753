package org.rectiflow.scheduler;

import org.rectiflow.scheduler.path.NoisePath;
import org.rectiflow.scheduler.path.Prediction;
import org.rectiflow.scheduler.path.RectifiedFlow;
import org.rectiflow.scheduler.path.ResolutionShift;
import org.rectiflow.scheduler.solver.PathIntegrator;
import org.rectiflow.scheduler.solver.Solver;

/**
 * Samples a model of any path and prediction with any {@link Solver} over any {@link TimeGrid}. In
 * its schedules sigma is the path's time t, and timestep = t * numTrainTimesteps for every path: a
 * model of {@code edm(P_m,P_s)}, whose time is uniform in training, is conditioned on that time and
 * not on its noise level.
 *
 * @param path the path the model was trained on
 * @param prediction what the model predicts
 * @param solver the method
 * @param grid where the times lie
 * @param numTrainTimesteps the scale of timesteps, 1000 for all released models
 */
public record PathScheduler(
    NoisePath path, Prediction prediction, Solver solver, TimeGrid grid, int numTrainTimesteps)
    implements Scheduler {

  private static final int DEFAULT_TRAIN_TIMESTEPS = 1000;

  /**
   * Checks the scale.
   *
   * @throws IllegalArgumentException if it is less than 1
   */
  public PathScheduler {
    if (numTrainTimesteps < 1) {
      throw new IllegalArgumentException(
          "num_train_timesteps must be at least 1, found " + numTrainTimesteps + ".");
    }
  }

  /**
   * The default sampler of the SD3 reference code, DPM-Solver++(2M), over the schedule of a
   * scheduler configuration. It extrapolates linearly in ln(sigma); the default schedule's last
   * step before 0 is long in it, so on smooth fields this sampler may be further off than Euler
   * unless the sigmas are exponential or Karras.
   */
  public static PathScheduler dpmSolver2M(FlowMatchConfig config) {
    return new PathScheduler(
        new RectifiedFlow(),
        Prediction.VELOCITY,
        new Solver.DpmSolver2M(Solver.Clock.REFERENCE),
        new TimeGrid.FlowMatch(new FlowMatchEulerDiscrete(config)),
        config.numTrainTimesteps());
  }

  /** A sampler of the SD3 reference code over its own schedule. */
  public static PathScheduler reference(Solver solver, double shift) {
    return new PathScheduler(
        new RectifiedFlow(),
        Prediction.VELOCITY,
        solver,
        new TimeGrid.Reference(shift),
        DEFAULT_TRAIN_TIMESTEPS);
  }

  /** The sampler of the paper: Euler over equal steps, shifted once (Section 5.3.2). */
  public static PathScheduler paper(double shift) {
    return new PathScheduler(
        new RectifiedFlow(),
        Prediction.VELOCITY,
        new Solver.Euler(Solver.Variable.TIME),
        new TimeGrid.Uniform(1, new ResolutionShift(shift)),
        DEFAULT_TRAIN_TIMESTEPS);
  }

  @Override
  public int order() {
    return solver.order();
  }

  /**
   * {@inheritDoc}
   *
   * @throws IllegalArgumentException if the times do not decrease strictly within [0, 1]
   */
  @Override
  public Schedule schedule(ScheduleRequest request) {
    double[] times = grid.times(path, request);
    int steps = times.length - 1;
    PathIntegrator.requireTimes(times);
    int calls = order() == 2 ? 2 * steps - 1 : steps;
    double[] callTimes = new double[calls + 1];
    float[] timesteps = new float[calls];
    for (int call = 0; call < calls; call++) {
      callTimes[call] = times[order() == 2 ? (call + 1) / 2 : call];
      timesteps[call] = (float) (callTimes[call] * numTrainTimesteps);
    }
    callTimes[calls] = times[steps];
    return new Schedule(steps, callTimes, timesteps);
  }

  @Override
  public PathStepper stepper(Schedule schedule, StepOptions options) {
    return new PathStepper(this, schedule, options);
  }
}
