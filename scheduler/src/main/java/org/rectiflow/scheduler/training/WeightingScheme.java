package org.rectiflow.scheduler.training;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** The values of {@code --weighting_scheme} in diffusers' SD3 training scripts (0.40.0). */
public enum WeightingScheme {
  /** Uniform timesteps, loss weight sigma^-2 (in spite of the name). */
  SIGMA_SQRT,
  /** Logit-normal timesteps, loss weight 1. */
  LOGIT_NORMAL,
  /** Timesteps by the mode density, loss weight 1. */
  MODE,
  /** Uniform timesteps, loss weight 2 / (pi (1 - 2 sigma + 2 sigma^2)). */
  COSMAP,
  /** Uniform timesteps, loss weight 1. */
  NONE;

  /** The name in diffusers. */
  public String configName() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * Reads the name in diffusers, which takes any other word for {@code none}; here that is an
   * error.
   *
   * @throws IllegalArgumentException if the name is not known
   */
  public static WeightingScheme fromConfigName(String name) {
    return Arrays.stream(values())
        .filter(scheme -> scheme.configName().equals(name))
        .findFirst()
        .orElseThrow(() ->
            new IllegalArgumentException(
                "weighting_scheme must be one of "
                    + Arrays.stream(values())
                        .map(WeightingScheme::configName)
                        .collect(Collectors.joining(", "))
                    + ", found '"
                    + name
                    + "'."));
  }
}
