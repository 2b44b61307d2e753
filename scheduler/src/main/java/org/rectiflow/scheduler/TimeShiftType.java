package org.rectiflow.scheduler;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * How {@code mu} moves the sigmas under dynamic shifting ({@code time_shift_type} of diffusers
 * 0.40.0).
 */
public enum TimeShiftType {
  /** Static shift by e^mu: sigma = e^mu / (e^mu + 1/t - 1). */
  EXPONENTIAL,
  /** Static shift by mu: sigma = mu / (mu + 1/t - 1). */
  LINEAR;

  /** The name in {@code scheduler_config.json}. */
  public String configName() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * Reads the name in {@code scheduler_config.json}.
   *
   * @throws IllegalArgumentException for any other name
   */
  public static TimeShiftType fromConfigName(String name) {
    for (TimeShiftType type : values()) {
      if (type.configName().equals(name)) {
        return type;
      }
    }
    throw new IllegalArgumentException(
        "time_shift_type must be one of "
            + Arrays.stream(values())
                .map(TimeShiftType::configName)
                .collect(Collectors.joining(", "))
            + ", found '"
            + name
            + "'.");
  }
}
