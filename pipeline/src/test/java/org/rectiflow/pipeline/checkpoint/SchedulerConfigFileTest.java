package org.rectiflow.pipeline.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rectiflow.pipeline.ModelFolders;
import org.rectiflow.pipeline.io.UserException;
import org.rectiflow.scheduler.FlowMatchConfig;
import org.rectiflow.scheduler.TimeShiftType;

class SchedulerConfigFileTest {
  @TempDir private Path folder;

  private Path file(String json) throws IOException {
    return Files.writeString(folder.resolve("scheduler_config.json"), json);
  }

  @Test
  void readsAModelsOwn() {
    FlowMatchConfig config =
        SchedulerConfigFile.read(ModelFolders.SHAPES.resolve("scheduler/scheduler_config.json"));
    assertThat(config).isEqualTo(FlowMatchConfig.builder().shift(3).build());
  }

  @Test
  void readsEveryKey() throws IOException {
    FlowMatchConfig config =
        SchedulerConfigFile.read(
            file(
                """
                {"_class_name": "FlowMatchEulerDiscreteScheduler", "num_train_timesteps": 500,
                 "shift": 2.5, "use_dynamic_shifting": true, "base_shift": 0.4, "max_shift": 1.2,
                 "base_image_seq_len": 128, "max_image_seq_len": 2048, "invert_sigmas": true,
                 "shift_terminal": 0.1, "use_karras_sigmas": true, "use_exponential_sigmas": false,
                 "use_beta_sigmas": false, "stochastic_sampling": true, "time_shift_type": "linear"}
                """));
    assertThat(config)
        .isEqualTo(
            FlowMatchConfig.builder()
                .numTrainTimesteps(500)
                .shift(2.5)
                .useDynamicShifting(true)
                .baseShift(0.4)
                .maxShift(1.2)
                .baseImageSeqLen(128)
                .maxImageSeqLen(2048)
                .invertSigmas(true)
                .shiftTerminal(0.1)
                .useKarrasSigmas(true)
                .stochasticSampling(true)
                .timeShiftType(TimeShiftType.LINEAR)
                .build());
  }

  @Test
  void mistakesNameFileAndKey() throws IOException {
    refused("{\"shfit\": 3}", "unknown key shfit");
    refused("{\"shift\": \"3\"}", "shift must be a number, found \"3\"");
    refused("{\"invert_sigmas\": 1}", "invert_sigmas must be true or false, found 1");
    refused(
        "{\"time_shift_type\": \"cubic\"}",
        "time_shift_type must be one of exponential, linear, found 'cubic'");
    refused("{\"_class_name\": \"DDIMScheduler\"}", "found a DDIMScheduler");
    refused("[1]", "must hold a JSON object");
    refused("{\"shift\": }", "is not JSON");
    assertThatThrownBy(() -> SchedulerConfigFile.read(folder.resolve("none.json")))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("none.json");
  }

  private void refused(String json, String message) throws IOException {
    Path file = file(json);
    assertThatThrownBy(() -> SchedulerConfigFile.read(file))
        .isInstanceOf(UserException.class)
        .hasMessageContaining(file.toString())
        .hasMessageContaining(message);
  }
}
