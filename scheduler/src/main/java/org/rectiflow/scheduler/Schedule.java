package org.rectiflow.scheduler;

/**
 * The times of one sampling run. Call i of the model gets {@code timestep(i)} and sees a sample at
 * noise level {@code sigma(i)}; the end of the run is {@code sigma(modelCalls())}. A second-order
 * scheduler repeats its inner times, one entry per model call, as diffusers does. Immutable.
 */
public final class Schedule {

  private final int steps;
  private final float[] sigmas;
  private final float[] timesteps;

  /** The sigmas before they were rounded to float. */
  private final double[] times;

  /**
   * @param steps number of inference steps asked for
   * @param sigmas noise level of each model call, then the final one
   * @param timesteps what the model is told at each call
   */
  Schedule(int steps, float[] sigmas, float[] timesteps) {
    this(steps, widen(sigmas), timesteps);
  }

  /** The same with sigmas in double precision. */
  Schedule(int steps, double[] times, float[] timesteps) {
    if (times.length != timesteps.length + 1) {
      throw new IllegalArgumentException(
          "A schedule needs one sigma more than timesteps, found "
              + times.length
              + " and "
              + timesteps.length
              + ".");
    }
    this.steps = steps;
    this.times = times.clone();
    this.timesteps = timesteps.clone();
    this.sigmas = new float[times.length];
    for (int i = 0; i < times.length; i++) {
      if (!Double.isFinite(times[i])) {
        throw new IllegalArgumentException(
            "The scheduler's options give a sigma that is no finite number (" + times[i] + ").");
      }
      sigmas[i] = (float) times[i];
    }
  }

  private static double[] widen(float[] values) {
    double[] out = new double[values.length];
    for (int i = 0; i < out.length; i++) {
      out[i] = values[i];
    }
    return out;
  }

  /** The number of inference steps asked for. */
  public int steps() {
    return steps;
  }

  /**
   * How often the model is called: steps() for first-order schedulers, 2 * steps() - 1 for Heun.
   */
  public int modelCalls() {
    return timesteps.length;
  }

  /** Noise level of model call i; {@code sigma(modelCalls())} is the final one. */
  public float sigma(int i) {
    return sigmas[i];
  }

  /**
   * {@link #sigma} in double precision where the scheduler has it, as {@link PathScheduler} does.
   */
  public double time(int i) {
    return times[i];
  }

  /** The timestep that model call i is conditioned on. */
  public float timestep(int i) {
    return timesteps[i];
  }

  /** All sigmas, {@code modelCalls() + 1} of them; diffusers' {@code scheduler.sigmas}. A copy. */
  public float[] sigmas() {
    return sigmas.clone();
  }

  /** All timesteps, one per model call; diffusers' {@code scheduler.timesteps}. A copy. */
  public float[] timesteps() {
    return timesteps.clone();
  }

  /**
   * The call at which a run that begins with this timestep starts: the one whose timestep is
   * exactly equal, and the second such one where a timestep is repeated (diffusers' {@code
   * index_for_timestep}).
   *
   * @throws IllegalArgumentException if the schedule has no such timestep; an index of the schedule
   *     is none
   */
  public int indexForTimestep(float timestep) {
    return TimestepTable.indexOf(timesteps, timestep);
  }

  /**
   * The forward process: sigma * noise + (1 - sigma) * sample, each image of the batch at its own
   * sigma (diffusers' {@code scale_noise}).
   *
   * @param sample data latents of the whole batch
   * @param noise standard normal noise of the same length
   * @param indices the call whose sigma is used, one per image or one for all: that of {@link
   *     #indexForTimestep}, the begin index of an image-to-image run, or the current call of a run
   *     under way
   */
  public float[] scaleNoise(float[] sample, float[] noise, int... indices) {
    return TimestepTable.scaleNoise(sigmas, sample, noise, indices);
  }
}
