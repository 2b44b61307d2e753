package org.rectiflow.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;

class SamplingEfficiencyTest {

  @Test
  void lengthOfAPath() {
    assertThat(
            SamplingEfficiency.pathLength(
                List.of(new float[] {0, 0}, new float[] {3, 4}, new float[] {3, 5})))
        .isEqualTo(6);
  }

  @Test
  void floorsOfTheStraightPath() {
    long latent256 = SamplingEfficiency.latentDimension(256, 256, 16);
    assertThat(latent256).isEqualTo(16384);
    assertThat(SamplingEfficiency.straightPathLength(latent256)).isCloseTo(181.02, within(0.005));
    assertThat(
            SamplingEfficiency.straightPathLength(SamplingEfficiency.latentDimension(512, 512, 16)))
        .isCloseTo(362.04, within(0.005));
    assertThat(
            SamplingEfficiency.straightPathLength(
                SamplingEfficiency.latentDimension(1024, 1024, 16)))
        .isCloseTo(724.08, within(0.005));
  }

  @Test
  void relativeDecrease() {
    assertThat(SamplingEfficiency.relativeDecreasePercent(0.25, 0.24)).isCloseTo(4, within(1e-12));
    assertThat(SamplingEfficiency.relativeDecreasePercent(0.25, 0.26)).isCloseTo(-4, within(1e-12));
  }

  @Test
  void refusesNonsense() {
    assertThatThrownBy(() -> SamplingEfficiency.pathLength(List.of(new float[1])))
        .hasMessageContaining("at least two states, found 1");
    assertThatThrownBy(() -> SamplingEfficiency.pathLength(List.of(new float[1], new float[2])))
        .hasMessageContaining("state 1 has 2 numbers, the state before has 1");
    assertThatThrownBy(() -> SamplingEfficiency.relativeDecreasePercent(0, 1))
        .hasMessageContaining("positive score");
    assertThatThrownBy(() -> SamplingEfficiency.straightPathLength(0))
        .hasMessageContaining("dimension must be positive");
    assertThatThrownBy(() -> SamplingEfficiency.latentDimension(250, 256, 16))
        .hasMessageContaining("250 x 256 x 16");
  }
}
