package org.rectiflow.scheduler;

/**
 * The state of one sampling run; made by {@link Scheduler#stepper}. Not safe for use by several
 * threads.
 */
public sealed interface Stepper permits FlowMatchEulerStepper, FlowMatchHeunStepper, PathStepper {

  /** The schedule this run follows. */
  Schedule schedule();

  /**
   * Index in the schedule of the next model call; {@code schedule().modelCalls()} after the last.
   */
  int call();

  /** Whether the run is over and the sample final. */
  default boolean done() {
    return call() >= schedule().modelCalls();
  }

  /** Model calls that are left. */
  default int remainingCalls() {
    return schedule().modelCalls() - call();
  }

  /** The timestep that the next model call is conditioned on. */
  default float timestep() {
    return schedule().timestep(call());
  }

  /** The noise level of the next model call. */
  default float sigma() {
    return schedule().sigma(call());
  }

  /** What the model is given at the next call: the sample itself, but for EDM's F prediction. */
  default float[] modelInput(float[] sample) {
    return sample;
  }

  /**
   * Goes on to the next model call.
   *
   * @param modelOutput output of the model for {@link #modelInput} at {@link #timestep}; for
   *     rectified flow the velocity
   * @param sample the current sample, as returned by the previous call, of the same length
   * @return the next sample, a new array
   * @throws IllegalStateException if the run is done
   * @throws IllegalArgumentException if the lengths differ
   */
  float[] step(float[] modelOutput, float[] sample);
}
