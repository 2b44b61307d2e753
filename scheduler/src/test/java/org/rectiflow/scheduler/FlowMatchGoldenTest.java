package org.rectiflow.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Every entry of the golden file computed by diffusers: sigmas, timesteps and the sample after each
 * step.
 */
class FlowMatchGoldenTest {

  private static final double TOLERANCE = 1e-6;

  @TestFactory
  Stream<DynamicTest> equalsDiffusers() throws IOException {
    List<DynamicTest> tests = new ArrayList<>();
    for (JsonNode entry : Golden.json("schedulers.json")) {
      String name =
          entry.get("scheduler").asText()
              + " "
              + entry.get("config")
              + " N="
              + entry.get("num_inference_steps")
              + " "
              + entry.get("set_timesteps");
      tests.add(DynamicTest.dynamicTest(name, () -> check(name, entry)));
    }
    assertThat(tests).hasSize(21);
    return tests.stream();
  }

  private static void check(String name, JsonNode entry) {
    Scheduler scheduler = scheduler(entry);
    Schedule schedule = scheduler.schedule(request(entry));
    double sigmas = Golden.largestDifference(schedule.sigmas(), Golden.floats(entry.get("sigmas")));
    float[] expectedTimesteps = Golden.floats(entry.get("timesteps"));
    double timesteps = Golden.largestDifference(schedule.timesteps(), expectedTimesteps);
    Stepper stepper = scheduler.stepper(schedule);
    float[] sample = Golden.floats(entry.get("sample"));
    double samples = 0;
    for (JsonNode expected : entry.get("samples_after_each_step")) {
      sample = stepper.step(velocity(sample), sample);
      samples = Math.max(samples, Golden.largestDifference(sample, Golden.floats(expected)));
    }
    System.out.printf(
        "%s: sigmas %.1e timesteps %.1e samples %.1e%n", name, sigmas, timesteps, samples);
    assertThat(sigmas).isLessThanOrEqualTo(TOLERANCE);
    // A timestep is a sigma times 1000.
    assertThat(timesteps).isLessThanOrEqualTo(TOLERANCE * scheduler.numTrainTimesteps());
    assertThat(samples).isLessThanOrEqualTo(TOLERANCE);
    assertThat(stepper.done()).isTrue();
  }

  private static float[] velocity(float[] x) {
    float[] out = new float[x.length];
    for (int i = 0; i < x.length; i++) {
      out[i] = (float) Math.sin(1.7f * x[i]) * 0.9f - 0.3f * x[i];
    }
    return out;
  }

  private static Scheduler scheduler(JsonNode entry) {
    FlowMatchConfig.Builder builder = FlowMatchConfig.builder();
    for (Map.Entry<String, JsonNode> option : entry.get("config").properties()) {
      JsonNode value = option.getValue();
      switch (option.getKey()) {
        case "shift" -> builder.shift(value.asDouble());
        case "use_dynamic_shifting" -> builder.useDynamicShifting(value.asBoolean());
        case "time_shift_type" ->
            builder.timeShiftType(TimeShiftType.fromConfigName(value.asText()));
        case "use_karras_sigmas" -> builder.useKarrasSigmas(value.asBoolean());
        case "use_exponential_sigmas" -> builder.useExponentialSigmas(value.asBoolean());
        case "use_beta_sigmas" -> builder.useBetaSigmas(value.asBoolean());
        case "shift_terminal" -> builder.shiftTerminal(value.asDouble());
        case "invert_sigmas" -> builder.invertSigmas(value.asBoolean());
        default -> throw new AssertionError("The test does not know the option " + option.getKey());
      }
    }
    FlowMatchConfig config = builder.build();
    return switch (entry.get("scheduler").asText()) {
      case "FlowMatchEulerDiscreteScheduler" -> new FlowMatchEulerDiscrete(config);
      case "FlowMatchHeunDiscreteScheduler" -> FlowMatchHeunDiscrete.of(config);
      default -> throw new AssertionError("The test does not know " + entry.get("scheduler"));
    };
  }

  private static ScheduleRequest request(JsonNode entry) {
    JsonNode arguments = entry.get("set_timesteps");
    ScheduleRequest request;
    if (arguments.has("sigmas")) {
      request = ScheduleRequest.ofSigmas(Golden.doubles(arguments.get("sigmas")));
    } else if (arguments.has("timesteps")) {
      request = ScheduleRequest.ofTimesteps(Golden.doubles(arguments.get("timesteps")));
    } else {
      request = ScheduleRequest.ofSteps(entry.get("num_inference_steps").asInt());
    }
    return arguments.has("mu") ? request.withMu(arguments.get("mu").asDouble()) : request;
  }
}
