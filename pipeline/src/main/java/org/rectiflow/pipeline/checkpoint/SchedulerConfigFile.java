package org.rectiflow.pipeline.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.Map;
import org.rectiflow.pipeline.io.Json;
import org.rectiflow.pipeline.io.UserException;
import org.rectiflow.scheduler.FlowMatchConfig;
import org.rectiflow.scheduler.TimeShiftType;

/** Reads diffusers' {@code scheduler_config.json}. */
public final class SchedulerConfigFile {
  private static final String CLASS = "FlowMatchEulerDiscreteScheduler";

  private SchedulerConfigFile() {}

  /**
   * The configuration; keys that are absent keep diffusers' defaults, keys that begin with an
   * underscore are comments.
   *
   * @throws UserException if the file is missing, has a key that is not known or a value that
   *     cannot be, or belongs to another scheduler
   */
  public static FlowMatchConfig read(Path file) {
    return of(file, Json.readObject(file));
  }

  /** The same of text that stands elsewhere; {@code file} says where. */
  public static FlowMatchConfig of(Path file, JsonNode json) {
    FlowMatchConfig.Builder b = FlowMatchConfig.builder();
    for (Map.Entry<String, JsonNode> entry : json.properties()) {
      JsonNode value = entry.getValue();
      switch (entry.getKey()) {
        case "_class_name" -> {
          if (!value.asText().equals(CLASS)) {
            throw new UserException(
                "%s: this version takes its configuration from a %s, found a %s; other samplers are chosen with --scheduler"
                    .formatted(file, CLASS, value.asText()));
          }
        }
        case "num_train_timesteps" -> b.numTrainTimesteps((int) number(file, entry));
        case "shift" -> b.shift(number(file, entry));
        case "use_dynamic_shifting" -> b.useDynamicShifting(bool(file, entry));
        case "base_shift" -> b.baseShift(number(file, entry));
        case "max_shift" -> b.maxShift(number(file, entry));
        case "base_image_seq_len" -> b.baseImageSeqLen((int) number(file, entry));
        case "max_image_seq_len" -> b.maxImageSeqLen((int) number(file, entry));
        case "invert_sigmas" -> b.invertSigmas(bool(file, entry));
        case "shift_terminal" -> {
          if (!value.isNull()) {
            b.shiftTerminal(number(file, entry));
          }
        }
        case "use_karras_sigmas" -> b.useKarrasSigmas(bool(file, entry));
        case "use_exponential_sigmas" -> b.useExponentialSigmas(bool(file, entry));
        case "use_beta_sigmas" -> b.useBetaSigmas(bool(file, entry));
        case "stochastic_sampling" -> b.stochasticSampling(bool(file, entry));
        case "time_shift_type" -> b.timeShiftType(timeShiftType(file, value.asText()));
        default -> {
          if (!entry.getKey().startsWith("_")) {
            throw new UserException(
                "%s: unknown key %s; this version knows the keys of diffusers 0.40"
                    .formatted(file, entry.getKey()));
          }
        }
      }
    }
    return b.build();
  }

  private static TimeShiftType timeShiftType(Path file, String name) {
    try {
      return TimeShiftType.fromConfigName(name);
    } catch (IllegalArgumentException e) {
      throw new UserException(file + ": " + e.getMessage(), e);
    }
  }

  private static double number(Path file, Map.Entry<String, JsonNode> entry) {
    if (!entry.getValue().isNumber()) {
      throw new UserException(
          "%s: %s must be a number, found %s".formatted(file, entry.getKey(), entry.getValue()));
    }
    return entry.getValue().doubleValue();
  }

  private static boolean bool(Path file, Map.Entry<String, JsonNode> entry) {
    if (!entry.getValue().isBoolean()) {
      throw new UserException(
          "%s: %s must be true or false, found %s"
              .formatted(file, entry.getKey(), entry.getValue()));
    }
    return entry.getValue().booleanValue();
  }
}
