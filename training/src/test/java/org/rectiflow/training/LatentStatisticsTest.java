package org.rectiflow.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.rectiflow.vae.VaeConfig;

class LatentStatisticsTest {
  private static final VaeConfig CONFIG = new VaeConfig(16, List.of(8, 8), 1, 4, 1, 0);

  @Test
  void normalisesToMeanZeroAndDeviationOne() {
    LatentStatistics statistics = new LatentStatistics();
    statistics.add(new float[] {1, 3});
    statistics.add(new float[] {3, 5, 3});

    assertThat(statistics.count()).isEqualTo(5);
    assertThat(statistics.mean()).isCloseTo(3, within(1e-12));
    assertThat(statistics.deviation()).isCloseTo(Math.sqrt(8.0 / 5), within(1e-12));
    VaeConfig config = statistics.applyTo(CONFIG);
    assertThat(config.shiftFactor()).isEqualTo(3);
    assertThat(config.scalingFactor()).isEqualTo((float) Math.sqrt(5.0 / 8));
    assertThat(config.latentChannels()).isEqualTo(16);
  }

  @Test
  void equalElementsCannotBeNormalised() {
    LatentStatistics statistics = new LatentStatistics();
    statistics.add(new float[] {2, 2});

    assertThatThrownBy(() -> statistics.applyTo(CONFIG))
        .hasMessage("2 latent elements of deviation 0.0 cannot be normalised");
    assertThatThrownBy(() -> new LatentStatistics().applyTo(CONFIG))
        .isInstanceOf(IllegalStateException.class);
  }
}
