package org.rectiflow.scheduler.formulation;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import org.rectiflow.scheduler.math.Checks;

/** A factor on the squared error of the network's output, as a function of t in [0, 1]. */
public enum OutputWeight {
  /** 1, the plain mean squared error; what all 61 formulations of the paper use. */
  ONE,
  /** t^-2, which diffusers' training scripts call {@code sigma_sqrt}. */
  SIGMA_SQRT,
  /** 2 / (pi (1 - 2 t + 2 t^2)), the density of CosMap as a weight instead. */
  COSMAP;

  /** The weight at t. */
  public double at(double t) {
    Checks.requireTime(t);
    return switch (this) {
      case ONE -> 1;
      case SIGMA_SQRT -> 1 / (t * t);
      case COSMAP -> 2 / (Math.PI * (1 - 2 * t + 2 * t * t));
    };
  }

  /** The name in formulations. */
  public String printedName() {
    return name().toLowerCase(Locale.ROOT);
  }

  static OutputWeight parse(String text) {
    return Arrays.stream(values())
        .filter(weight -> weight.printedName().equals(text))
        .findFirst()
        .orElseThrow(() ->
            new IllegalArgumentException(
                "Unknown loss weight '"
                    + text
                    + "'; known are "
                    + Arrays.stream(values())
                        .map(OutputWeight::printedName)
                        .collect(Collectors.joining(", "))
                    + "."));
  }
}
