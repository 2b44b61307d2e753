package org.rectiflow.scheduler;

/**
 * {@code FlowMatchHeunDiscreteScheduler} of diffusers 0.40.0: Heun's method with two model calls
 * per step, the last step (to sigma 0) being Euler's, and the churn of Karras et al. 2022. The
 * default schedule is that of {@link FlowMatchEulerDiscrete} with its inner sigmas repeated; other
 * options than the static shift do not exist. Immutable.
 */
public final class FlowMatchHeunDiscrete implements Scheduler {

  private final double shift;
  private final TrainingTable table;

  /**
   * @param numTrainTimesteps {@code num_train_timesteps}, diffusers' default 1000
   * @param shift {@code shift}, diffusers' default 1.0
   */
  public FlowMatchHeunDiscrete(int numTrainTimesteps, double shift) {
    FlowMatchConfig checked =
        FlowMatchConfig.builder().numTrainTimesteps(numTrainTimesteps).shift(shift).build();
    this.shift = checked.shift();
    this.table = TrainingTable.of(checked.numTrainTimesteps(), this.shift);
  }

  /**
   * The Heun scheduler of an Euler scheduler's configuration.
   *
   * @throws IllegalArgumentException if the configuration turns on an option that Heun does not
   *     have
   */
  public static FlowMatchHeunDiscrete of(FlowMatchConfig config) {
    refuse(config.useDynamicShifting(), "use_dynamic_shifting");
    refuse(config.invertSigmas(), "invert_sigmas");
    refuse(config.shiftTerminal().orElse(0) != 0, "shift_terminal");
    refuse(config.useKarrasSigmas(), "use_karras_sigmas");
    refuse(config.useExponentialSigmas(), "use_exponential_sigmas");
    refuse(config.useBetaSigmas(), "use_beta_sigmas");
    refuse(config.stochasticSampling(), "stochastic_sampling");
    return new FlowMatchHeunDiscrete(config.numTrainTimesteps(), config.shift());
  }

  private static void refuse(boolean on, String key) {
    if (on) {
      throw new IllegalArgumentException(
          "FlowMatchHeunDiscreteScheduler has no "
              + key
              + "; turn it off or use FlowMatchEulerDiscreteScheduler.");
    }
  }

  /** The static shift. */
  public double shift() {
    return shift;
  }

  /** The sigmas and timesteps of training. */
  public TrainingTable trainingTable() {
    return table;
  }

  @Override
  public int order() {
    return 2;
  }

  @Override
  public int numTrainTimesteps() {
    return table.size();
  }

  /**
   * {@inheritDoc}
   *
   * @throws IllegalArgumentException if the request gives sigmas or timesteps, which diffusers'
   *     Heun does not take
   */
  @Override
  public Schedule schedule(ScheduleRequest request) {
    if (request.sigmas().isPresent() || request.timesteps().isPresent()) {
      throw new IllegalArgumentException(
          "FlowMatchHeunDiscreteScheduler takes a number of steps only, not sigmas or timesteps; use"
              + " FlowMatchEulerDiscreteScheduler.");
    }
    int steps = request.length();
    double[] values = table.linearSigmas(steps);
    SigmaTransforms.staticShift(values, shift, false);
    float[] sigmas = new float[2 * steps];
    float[] timesteps = new float[2 * steps - 1];
    for (int call = 0; call < timesteps.length; call++) {
      sigmas[call] = (float) values[(call + 1) / 2];
      timesteps[call] = sigmas[call] * table.size();
    }
    return new Schedule(steps, sigmas, timesteps);
  }

  @Override
  public FlowMatchHeunStepper stepper(Schedule schedule, StepOptions options) {
    return new FlowMatchHeunStepper(schedule, options);
  }
}
