package org.rectiflow.tornado;

import java.util.Arrays;
import java.util.stream.Collectors;

/** What can be switched on for a device, by adding its name: {@code tornado+stream}. */
enum Feature {
  /** Weights beyond the device's memory are sent anew with each run. */
  STREAM("stream");

  private final String suffix;

  Feature(String suffix) {
    this.suffix = suffix;
  }

  String suffix() {
    return suffix;
  }

  /**
   * The feature of that name.
   *
   * @throws IllegalArgumentException if there is none, naming all
   */
  static Feature of(String suffix) {
    return Arrays.stream(values())
        .filter(feature -> feature.suffix.equals(suffix))
        .findFirst()
        .orElseThrow(() ->
            new IllegalArgumentException(
                "+%s is nothing a tornado device can do; it can do %s"
                    .formatted(
                        suffix,
                        Arrays.stream(values())
                            .map(f -> "+" + f.suffix)
                            .collect(Collectors.joining(", ")))));
  }
}
