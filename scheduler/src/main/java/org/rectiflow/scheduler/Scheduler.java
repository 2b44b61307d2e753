package org.rectiflow.scheduler;

/**
 * Turns model outputs into samples. A scheduler is immutable; it makes the {@link Schedule} of a
 * run and the {@link Stepper} that holds the run's state:
 *
 * <pre>{@code
 * Schedule schedule = scheduler.schedule(ScheduleRequest.ofSteps(28));
 * Stepper stepper = scheduler.stepper(schedule, StepOptions.defaults());
 * while (!stepper.done()) {
 *   float[] output = model(stepper.modelInput(sample), stepper.timestep());
 *   sample = stepper.step(output, sample);
 * }
 * }</pre>
 */
public sealed interface Scheduler
    permits FlowMatchEulerDiscrete, FlowMatchHeunDiscrete, PathScheduler {

  /** Model calls per step: 1, or 2 for Heun (whose last step has one). */
  int order();

  /** The scale of timesteps: timestep = sigma * numTrainTimesteps. */
  int numTrainTimesteps();

  /**
   * The times of a run.
   *
   * @throws IllegalArgumentException if the request does not fit the scheduler's configuration
   */
  Schedule schedule(ScheduleRequest request);

  /**
   * Begins a run over a schedule that this scheduler made.
   *
   * @throws IllegalArgumentException if the options do not fit
   */
  Stepper stepper(Schedule schedule, StepOptions options);

  /** Begins a run with the default options. */
  default Stepper stepper(Schedule schedule) {
    return stepper(schedule, StepOptions.defaults());
  }
}
