package org.rectiflow.pipeline.verify;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.rectiflow.pipeline.SamplerChoice;
import org.rectiflow.pipeline.checkpoint.SchedulerConfigFile;
import org.rectiflow.pipeline.io.Json;
import org.rectiflow.pipeline.io.TextFiles;
import org.rectiflow.pipeline.io.UserException;
import org.rectiflow.pipeline.verify.Comparison.Rule;
import org.rectiflow.scheduler.Schedule;
import org.rectiflow.scheduler.ScheduleRequest;
import org.rectiflow.scheduler.Scheduler;
import org.rectiflow.scheduler.Stepper;
import org.rectiflow.scheduler.TorchGenerator;
import org.rectiflow.scheduler.training.DiffusersTraining;
import org.rectiflow.scheduler.training.WeightingScheme;

/**
 * The golden numbers that need no model: diffusers' schedules and steps, torch's random numbers,
 * and diffusers' helpers for training.
 */
public final class SamplingGoldens {
  private static final double TOLERANCE = 1e-6;
  private static final double TRAIN_TIMESTEPS = 1000;

  private SamplingGoldens() {}

  /**
   * Sigmas, timesteps and the sample after each step, by {@code schedulers.json}: a list of
   * schedulers with configuration and arguments. Names have the number in the list.
   */
  public static List<Comparison> schedules(Path file) throws IOException {
    List<Comparison> all = new ArrayList<>();
    int index = 0;
    for (JsonNode entry : read(file)) {
      SamplerChoice choice =
          entry.get("scheduler").asText().contains("Heun")
              ? SamplerChoice.HEUN
              : SamplerChoice.EULER;
      Scheduler scheduler = choice.create(SchedulerConfigFile.of(file, entry.get("config")));
      String name = "%s[%d].".formatted(choice, index++);
      Schedule schedule = scheduler.schedule(request(entry));
      all.add(absolute(name + "sigmas", schedule.sigmas(), entry.get("sigmas"), 1));
      all.add(
          absolute(
              name + "timesteps", schedule.timesteps(), entry.get("timesteps"), TRAIN_TIMESTEPS));
      Stepper stepper = scheduler.stepper(schedule);
      float[] sample = floats(entry.get("sample"));
      for (JsonNode expected : entry.get("samples_after_each_step")) {
        sample = stepper.step(velocity(sample), sample);
        all.add(absolute(name + "sample", sample, expected, 1));
      }
    }
    return all;
  }

  private static ScheduleRequest request(JsonNode entry) {
    JsonNode arguments = entry.get("set_timesteps");
    ScheduleRequest request;
    if (arguments.has("sigmas")) {
      request = ScheduleRequest.ofSigmas(doubles(arguments.get("sigmas")));
    } else if (arguments.has("timesteps")) {
      request = ScheduleRequest.ofTimesteps(doubles(arguments.get("timesteps")));
    } else {
      request = ScheduleRequest.ofSteps(entry.get("num_inference_steps").asInt());
    }
    return arguments.has("mu") ? request.withMu(arguments.get("mu").asDouble()) : request;
  }

  /** What stood in for a network when the file was computed. */
  private static float[] velocity(float[] x) {
    float[] out = new float[x.length];
    for (int i = 0; i < x.length; i++) {
      out[i] = (float) Math.sin(1.7f * x[i]) * 0.9f - 0.3f * x[i];
    }
    return out;
  }

  /**
   * Random numbers of torch's CPU generator, one call after the other, by {@code torch_randn.json}.
   */
  public static List<Comparison> random(Path file) throws IOException {
    List<Comparison> all = new ArrayList<>();
    int index = 0;
    for (JsonNode entry : read(file)) {
      int n = 1;
      for (JsonNode size : entry.get("shape")) {
        n *= size.asInt();
      }
      TorchGenerator generator = new TorchGenerator(entry.get("seed").asLong());
      String name = "torch[%d].".formatted(index++);
      all.add(equal(name + "randn", generator.randn(n), entry.get("first")));
      all.add(equal(name + "randn", generator.randn(n), entry.get("second")));
      all.add(equal(name + "rand", generator.rand(5), entry.get("then_rand5")));
    }
    return all;
  }

  /** Densities and weights of diffusers' training scripts, by {@code training_utils.json}. */
  public static List<Comparison> training(Path file) throws IOException {
    JsonNode golden = read(file);
    List<Comparison> all = new ArrayList<>();
    for (JsonNode entry : golden.get("densities")) {
      JsonNode arguments = entry.get("args");
      float[] u =
          DiffusersTraining.densityForTimestepSampling(
              WeightingScheme.fromConfigName(entry.get("scheme").asText()),
              entry.get("n").asInt(),
              arguments.path("logit_mean").asDouble(0),
              arguments.path("logit_std").asDouble(1),
              arguments.path("mode_scale").asDouble(1.29),
              new TorchGenerator(entry.get("seed").asLong()));
      all.add(absolute(entry.get("scheme").asText() + ".u", u, entry.get("u"), 1));
    }
    float[] sigmas = floats(golden.get("weighting_sigmas"));
    for (Map.Entry<String, JsonNode> entry : golden.get("weighting").properties()) {
      float[] weights =
          DiffusersTraining.lossWeighting(WeightingScheme.fromConfigName(entry.getKey()), sigmas);
      for (int i = 0; i < weights.length; i++) { // each by its own size: they span four decades
        all.add(
            Comparison.of(
                entry.getKey() + ".weight",
                new float[] {weights[i]},
                new float[] {(float) entry.getValue().get(i).asDouble()},
                Rule.RELATIVE,
                TOLERANCE));
      }
    }
    return all;
  }

  private static Comparison absolute(String name, float[] actual, JsonNode expected, double unit) {
    return Comparison.of(name, actual, floats(expected), Rule.ABSOLUTE, unit * TOLERANCE);
  }

  private static Comparison equal(String name, float[] actual, JsonNode expected) {
    return Comparison.of(name, actual, floats(expected), Rule.EQUAL, 0);
  }

  private static float[] floats(JsonNode list) {
    float[] values = new float[list.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) list.get(i).asDouble();
    }
    return values;
  }

  private static List<Double> doubles(JsonNode list) {
    List<Double> values = new ArrayList<>();
    list.forEach(value -> values.add(value.asDouble()));
    return values;
  }

  private static JsonNode read(Path file) throws IOException {
    try {
      return Json.parse(TextFiles.read(file, "golden numbers as JSON"));
    } catch (JsonProcessingException e) {
      throw new UserException("%s is not JSON: %s".formatted(file, e.getOriginalMessage()), e);
    }
  }
}
