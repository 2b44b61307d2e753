package org.rectiflow.scheduler.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.rectiflow.scheduler.FlowMatchConfig;
import org.rectiflow.scheduler.FlowMatchEulerDiscrete;
import org.rectiflow.scheduler.Golden;
import org.rectiflow.scheduler.TorchGenerator;
import org.rectiflow.scheduler.TrainingTable;

class DiffusersTrainingTest {

  @Test
  void densitiesEqualDiffusers() throws IOException {
    JsonNode densities = Golden.json("training_utils.json").get("densities");
    assertThat(densities).hasSize(5);
    for (JsonNode entry : densities) {
      JsonNode arguments = entry.get("args");
      float[] u =
          DiffusersTraining.densityForTimestepSampling(
              WeightingScheme.fromConfigName(entry.get("scheme").asText()),
              entry.get("n").asInt(),
              arguments.path("logit_mean").asDouble(0),
              arguments.path("logit_std").asDouble(1),
              arguments.path("mode_scale").asDouble(1.29),
              new TorchGenerator(entry.get("seed").asLong()));
      double difference = Golden.largestDifference(u, Golden.floats(entry.get("u")));
      System.out.printf(
          "%s %s: largest difference %.1e%n", entry.get("scheme"), arguments, difference);
      assertThat(difference).isLessThanOrEqualTo(1e-6);
    }
  }

  @Test
  void lossWeightsEqualDiffusers() throws IOException {
    JsonNode golden = Golden.json("training_utils.json");
    float[] sigmas = Golden.floats(golden.get("weighting_sigmas"));
    for (Map.Entry<String, JsonNode> entry : golden.get("weighting").properties()) {
      float[] weights =
          DiffusersTraining.lossWeighting(WeightingScheme.fromConfigName(entry.getKey()), sigmas);
      float[] expected = Golden.floats(entry.getValue());
      for (int i = 0; i < expected.length; i++) {
        double relative = Math.abs((double) weights[i] - expected[i]) / expected[i];
        System.out.printf(
            "%s at %s: relative difference %.1e%n", entry.getKey(), sigmas[i], relative);
        assertThat(relative).isLessThanOrEqualTo(1e-6);
      }
    }
  }

  @Test
  void indicesDescendAndTheListIsShifted() {
    TrainingTable table =
        new FlowMatchEulerDiscrete(FlowMatchConfig.builder().shift(3).build()).trainingTable();
    int[] indices = DiffusersTraining.indices(new float[] {0f, 0.5f, 0.9999f, 1f}, table);
    assertThat(indices).containsExactly(0, 500, 999, 999);
    assertThat(table.sigma(indices[0])).isEqualTo(1f);
    assertThat(table.sigma(indices[1])).isEqualTo(0.75f);
    assertThat(table.timestep(indices[1])).isEqualTo(750f);
    assertThatThrownBy(() -> DiffusersTraining.indices(new float[] {1.1f}, table))
        .hasMessageContaining("found 1.1");
  }

  @Test
  void aPositiveMeanFavoursDataUnlikeThePaper() {
    TrainingTable table = new FlowMatchEulerDiscrete(FlowMatchConfig.defaults()).trainingTable();
    float[] u =
        DiffusersTraining.densityForTimestepSampling(
            WeightingScheme.LOGIT_NORMAL, 10_000, 1, 1, 0, new TorchGenerator(1));
    double sum = 0;
    for (int index : DiffusersTraining.indices(u, table)) {
      sum += table.sigma(index);
    }
    assertThat(sum / u.length).isLessThan(0.4);
  }

  @Test
  void badParametersAreRefused() {
    TorchGenerator generator = new TorchGenerator(0);
    assertThatThrownBy(() -> WeightingScheme.fromConfigName("logitnormal"))
        .hasMessageContaining("found 'logitnormal'");
    assertThatThrownBy(() ->
            DiffusersTraining.densityForTimestepSampling(
                WeightingScheme.LOGIT_NORMAL, 2, 0, 0, 0, generator))
        .hasMessageContaining("standard deviation");
    assertThatThrownBy(() ->
            DiffusersTraining.densityForTimestepSampling(
                WeightingScheme.MODE, 2, 0, 1, 2, generator))
        .hasMessageContaining("not monotone");
  }
}
