package org.rectiflow.scheduler;

import java.util.List;

/**
 * {@code FlowMatchEulerDiscreteScheduler} of diffusers 0.40.0 with all its options, in its order of
 * operations and its precisions. Two properties are worth knowing. The lower end of the default
 * schedule is shifted twice (sigma_min is taken after the shift, and shifted again), so the last
 * sigma at shift 3 is 0.008929 and not 0.002994; the SD3 reference code does the same. And sigmas
 * or timesteps given by the user are shifted too. Immutable.
 */
public final class FlowMatchEulerDiscrete implements Scheduler {

  private final FlowMatchConfig config;
  private final double shift;
  private final TrainingTable table;

  /** A scheduler with the shift of its configuration. */
  public FlowMatchEulerDiscrete(FlowMatchConfig config) {
    this(
        config,
        config.shift(),
        TrainingTable.of(
            config.numTrainTimesteps(), config.useDynamicShifting() ? 1.0 : config.shift()));
  }

  private FlowMatchEulerDiscrete(FlowMatchConfig config, double shift, TrainingTable table) {
    this.config = config;
    this.shift = shift;
    this.table = table;
  }

  /** The configuration this scheduler was made with. */
  public FlowMatchConfig config() {
    return config;
  }

  /** The static shift in use. */
  public double shift() {
    return shift;
  }

  /**
   * The same scheduler with another static shift. As diffusers' {@code set_shift} this leaves the
   * training table, and so the range of the default schedule, as the configured shift made them.
   */
  public FlowMatchEulerDiscrete withShift(double value) {
    double checked = config.toBuilder().shift(value).build().shift();
    return new FlowMatchEulerDiscrete(config, checked, table);
  }

  /**
   * The sigmas and timesteps of training: numTrainTimesteps of them, descending, without a final 0.
   */
  public TrainingTable trainingTable() {
    return table;
  }

  @Override
  public int order() {
    return 1;
  }

  @Override
  public int numTrainTimesteps() {
    return config.numTrainTimesteps();
  }

  @Override
  public Schedule schedule(ScheduleRequest request) {
    if (config.useDynamicShifting() && request.mu().isEmpty()) {
      throw new IllegalArgumentException(
          "use_dynamic_shifting is true, so the schedule needs mu; FlowMatchConfig.mu gives it for a picture size.");
    }
    boolean single = request.sigmas().isPresent() || request.timesteps().isPresent();
    double[] sigmas = startingSigmas(request);
    if (config.useDynamicShifting()) {
      SigmaTransforms.timeShift(sigmas, request.mu().getAsDouble(), config.timeShiftType(), single);
    } else {
      SigmaTransforms.staticShift(sigmas, shift, single);
    }
    double terminal = config.shiftTerminal().orElse(0);
    if (terminal != 0) {
      SigmaTransforms.stretchToTerminal(sigmas, terminal, single);
    }
    if (config.useKarrasSigmas()) {
      sigmas = SigmaTransforms.karras(sigmas);
    } else if (config.useExponentialSigmas()) {
      sigmas = SigmaTransforms.exponential(sigmas);
    } else if (config.useBetaSigmas()) {
      sigmas = SigmaTransforms.beta(sigmas);
    }
    return finish(sigmas);
  }

  private double[] startingSigmas(ScheduleRequest request) {
    int count = config.numTrainTimesteps();
    if (request.sigmas().isPresent()) {
      return floats(request.sigmas().get());
    }
    if (request.timesteps().isPresent()) {
      double[] values = floats(request.timesteps().get());
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) (values[i] / count);
      }
      return values;
    }
    return table.linearSigmas(request.length());
  }

  private Schedule finish(double[] values) {
    int steps = values.length;
    float[] sigmas = new float[steps + 1];
    float[] timesteps = new float[steps];
    for (int i = 0; i < steps; i++) {
      float sigma = (float) values[i];
      sigmas[i] = config.invertSigmas() ? 1f - sigma : sigma;
      timesteps[i] = sigmas[i] * config.numTrainTimesteps();
    }
    sigmas[steps] = config.invertSigmas() ? 1f : 0f;
    return new Schedule(steps, sigmas, timesteps);
  }

  private static double[] floats(List<Double> values) {
    return values.stream().mapToDouble(value -> (float) value.doubleValue()).toArray();
  }

  @Override
  public FlowMatchEulerStepper stepper(Schedule schedule, StepOptions options) {
    return new FlowMatchEulerStepper(config, schedule, options);
  }
}
