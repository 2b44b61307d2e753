package org.rectiflow.scheduler;

import java.util.OptionalDouble;

/**
 * The configuration of diffusers' {@code FlowMatchEulerDiscreteScheduler} (0.40.0), one component
 * per key of {@code scheduler_config.json} with the same meaning and, in {@link #defaults()}, the
 * same default.
 *
 * @param numTrainTimesteps {@code num_train_timesteps}, default 1000: timestep = sigma * this
 * @param shift {@code shift}, default 1.0 (SD3 and SD3.5: 3.0): the static shift; unused under
 *     dynamic shifting
 * @param useDynamicShifting {@code use_dynamic_shifting}, default false: shift by a {@code mu}
 *     given with each schedule
 * @param baseShift {@code base_shift}, default 0.5: mu at {@code baseImageSeqLen}, see {@link #mu}
 * @param maxShift {@code max_shift}, default 1.15: mu at {@code maxImageSeqLen}
 * @param baseImageSeqLen {@code base_image_seq_len}, default 256 image tokens
 * @param maxImageSeqLen {@code max_image_seq_len}, default 4096 image tokens
 * @param invertSigmas {@code invert_sigmas}, default false: run from 0 to 1 (Mochi)
 * @param shiftTerminal {@code shift_terminal}, default null: stretch the sigmas so that the last
 *     one equals it; 0 is off, as in diffusers
 * @param useKarrasSigmas {@code use_karras_sigmas}, default false
 * @param useExponentialSigmas {@code use_exponential_sigmas}, default false
 * @param useBetaSigmas {@code use_beta_sigmas}, default false
 * @param timeShiftType {@code time_shift_type}, default exponential
 * @param stochasticSampling {@code stochastic_sampling}, default false: predict the data, then
 *     noise it anew
 */
public record FlowMatchConfig(
    int numTrainTimesteps,
    double shift,
    boolean useDynamicShifting,
    double baseShift,
    double maxShift,
    int baseImageSeqLen,
    int maxImageSeqLen,
    boolean invertSigmas,
    OptionalDouble shiftTerminal,
    boolean useKarrasSigmas,
    boolean useExponentialSigmas,
    boolean useBetaSigmas,
    TimeShiftType timeShiftType,
    boolean stochasticSampling) {

  /**
   * Checks the values.
   *
   * @throws IllegalArgumentException naming the key, if a value cannot be used
   */
  public FlowMatchConfig {
    require(numTrainTimesteps >= 1, "num_train_timesteps must be at least 1", numTrainTimesteps);
    require(shift > 0 && Double.isFinite(shift), "shift must be a positive number", shift);
    require(Double.isFinite(baseShift), "base_shift must be a finite number", baseShift);
    require(Double.isFinite(maxShift), "max_shift must be a finite number", maxShift);
    require(baseImageSeqLen >= 1, "base_image_seq_len must be at least 1", baseImageSeqLen);
    require(
        maxImageSeqLen != baseImageSeqLen && maxImageSeqLen >= 1,
        "max_image_seq_len must be at least 1 and differ from base_image_seq_len "
            + baseImageSeqLen,
        maxImageSeqLen);
    if (shiftTerminal.isPresent()) {
      double terminal = shiftTerminal.getAsDouble();
      require(terminal >= 0 && terminal < 1, "shift_terminal must be null or in [0, 1)", terminal);
    }
    int conversions =
        (useKarrasSigmas ? 1 : 0) + (useExponentialSigmas ? 1 : 0) + (useBetaSigmas ? 1 : 0);
    if (conversions > 1) {
      throw new IllegalArgumentException(
          "Only one of use_beta_sigmas, use_exponential_sigmas and use_karras_sigmas can be true, found "
              + conversions
              + ".");
    }
  }

  private static void require(boolean holds, String rule, Object found) {
    if (!holds) {
      throw new IllegalArgumentException(rule + ", found " + found + ".");
    }
  }

  /** All keys at the defaults of diffusers 0.40.0 (static shift 1). */
  public static FlowMatchConfig defaults() {
    return builder().build();
  }

  /** A builder that starts from the defaults. */
  public static Builder builder() {
    return new Builder();
  }

  /** A builder that starts from this configuration. */
  public Builder toBuilder() {
    Builder b = new Builder();
    b.numTrainTimesteps = numTrainTimesteps;
    b.shift = shift;
    b.useDynamicShifting = useDynamicShifting;
    b.baseShift = baseShift;
    b.maxShift = maxShift;
    b.baseImageSeqLen = baseImageSeqLen;
    b.maxImageSeqLen = maxImageSeqLen;
    b.invertSigmas = invertSigmas;
    b.shiftTerminal = shiftTerminal;
    b.useKarrasSigmas = useKarrasSigmas;
    b.useExponentialSigmas = useExponentialSigmas;
    b.useBetaSigmas = useBetaSigmas;
    b.timeShiftType = timeShiftType;
    b.stochasticSampling = stochasticSampling;
    return b;
  }

  /**
   * The {@code mu} of a picture under dynamic shifting, with this configuration's base and maximum.
   *
   * @param imageSeqLen image tokens, (latent height / 2) * (latent width / 2)
   */
  public double mu(int imageSeqLen) {
    return calculateShift(imageSeqLen, baseImageSeqLen, maxImageSeqLen, baseShift, maxShift);
  }

  /**
   * {@code calculate_shift} of diffusers' SD3 and Flux pipelines: the line through (baseSeqLen,
   * baseShift) and (maxSeqLen, maxShift), not clamped. The SD3 pipeline takes 1.16 where a
   * configuration lacks {@code max_shift}.
   */
  public static double calculateShift(
      int imageSeqLen, int baseSeqLen, int maxSeqLen, double baseShift, double maxShift) {
    require(imageSeqLen >= 1, "The number of image tokens must be at least 1", imageSeqLen);
    require(
        maxSeqLen != baseSeqLen,
        "max_image_seq_len must differ from base_image_seq_len",
        maxSeqLen);
    double slope = (maxShift - baseShift) / (maxSeqLen - baseSeqLen);
    double intercept = baseShift - slope * baseSeqLen;
    return imageSeqLen * slope + intercept;
  }

  /** Sets keys one by one; the rest keep their defaults. */
  public static final class Builder {
    private int numTrainTimesteps = 1000;
    private double shift = 1.0;
    private boolean useDynamicShifting;
    private double baseShift = 0.5;
    private double maxShift = 1.15;
    private int baseImageSeqLen = 256;
    private int maxImageSeqLen = 4096;
    private boolean invertSigmas;
    private OptionalDouble shiftTerminal = OptionalDouble.empty();
    private boolean useKarrasSigmas;
    private boolean useExponentialSigmas;
    private boolean useBetaSigmas;
    private TimeShiftType timeShiftType = TimeShiftType.EXPONENTIAL;
    private boolean stochasticSampling;

    private Builder() {}

    public Builder numTrainTimesteps(int value) {
      numTrainTimesteps = value;
      return this;
    }

    public Builder shift(double value) {
      shift = value;
      return this;
    }

    public Builder useDynamicShifting(boolean value) {
      useDynamicShifting = value;
      return this;
    }

    public Builder baseShift(double value) {
      baseShift = value;
      return this;
    }

    public Builder maxShift(double value) {
      maxShift = value;
      return this;
    }

    public Builder baseImageSeqLen(int value) {
      baseImageSeqLen = value;
      return this;
    }

    public Builder maxImageSeqLen(int value) {
      maxImageSeqLen = value;
      return this;
    }

    public Builder invertSigmas(boolean value) {
      invertSigmas = value;
      return this;
    }

    public Builder shiftTerminal(double value) {
      shiftTerminal = OptionalDouble.of(value);
      return this;
    }

    /** The {@code null} of the configuration file. */
    public Builder noShiftTerminal() {
      shiftTerminal = OptionalDouble.empty();
      return this;
    }

    public Builder useKarrasSigmas(boolean value) {
      useKarrasSigmas = value;
      return this;
    }

    public Builder useExponentialSigmas(boolean value) {
      useExponentialSigmas = value;
      return this;
    }

    public Builder useBetaSigmas(boolean value) {
      useBetaSigmas = value;
      return this;
    }

    public Builder timeShiftType(TimeShiftType value) {
      timeShiftType = value;
      return this;
    }

    public Builder stochasticSampling(boolean value) {
      stochasticSampling = value;
      return this;
    }

    /** The checked configuration. */
    public FlowMatchConfig build() {
      return new FlowMatchConfig(
          numTrainTimesteps,
          shift,
          useDynamicShifting,
          baseShift,
          maxShift,
          baseImageSeqLen,
          maxImageSeqLen,
          invertSigmas,
          shiftTerminal,
          useKarrasSigmas,
          useExponentialSigmas,
          useBetaSigmas,
          timeShiftType,
          stochasticSampling);
    }
  }
}
