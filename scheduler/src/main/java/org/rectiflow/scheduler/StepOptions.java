package org.rectiflow.scheduler;

import java.util.Optional;

/**
 * Options of one sampling run, the further arguments of diffusers' {@code step}.
 *
 * @param beginIndex the model call to begin with, default 0; image-to-image runs begin later
 *     (diffusers' {@code set_begin_index})
 * @param sChurn how much fresh noise each step may add (Karras et al. 2022), default 0. Heun only:
 *     diffusers' Euler accepts and ignores the four churn settings since 0.30
 * @param sTmin churn only where sigma is at least this, default 0
 * @param sTmax churn only where sigma is at most this, default infinity
 * @param sNoise scale of the churn noise, default 1
 * @param generator source of churn noise and of stochastic sampling; needed where one of them is on
 */
public record StepOptions(
    int beginIndex,
    double sChurn,
    double sTmin,
    double sTmax,
    double sNoise,
    Optional<TorchGenerator> generator) {

  private static final StepOptions DEFAULTS =
      new StepOptions(0, 0, 0, Double.POSITIVE_INFINITY, 1, Optional.empty());

  /**
   * Checks the values.
   *
   * @throws IllegalArgumentException if one is negative or not a number
   */
  public StepOptions {
    if (beginIndex < 0) {
      throw new IllegalArgumentException(
          "The begin index must not be negative, found " + beginIndex + ".");
    }
    requireNonNegative("s_churn", sChurn);
    requireNonNegative("s_tmin", sTmin);
    requireNonNegative("s_tmax", sTmax);
    requireNonNegative("s_noise", sNoise);
  }

  /** From the first call on, without churn, without a generator. */
  public static StepOptions defaults() {
    return DEFAULTS;
  }

  public StepOptions withBeginIndex(int value) {
    return new StepOptions(value, sChurn, sTmin, sTmax, sNoise, generator);
  }

  public StepOptions withGenerator(TorchGenerator value) {
    return new StepOptions(beginIndex, sChurn, sTmin, sTmax, sNoise, Optional.of(value));
  }

  public StepOptions withChurn(double churn, double tmin, double tmax, double noise) {
    return new StepOptions(beginIndex, churn, tmin, tmax, noise, generator);
  }

  TorchGenerator requireGenerator(String purpose) {
    return generator.orElseThrow(() ->
        new IllegalArgumentException(
            purpose + " draws noise and needs a generator in the step options."));
  }

  private static void requireNonNegative(String name, double value) {
    if (!(value >= 0)) {
      throw new IllegalArgumentException(name + " must be a number >= 0, found " + value + ".");
    }
  }
}
