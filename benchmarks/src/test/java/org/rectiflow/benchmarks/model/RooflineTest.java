package org.rectiflow.benchmarks.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.rectiflow.engine.Cost;
import org.rectiflow.engine.Profile;

class RooflineTest {
  private final Roofline roofline = new Roofline(100, 10);

  @Test
  void theSlowerOfComputingAndReadingCounts() {
    assertThat(roofline.leastSeconds(200e9, 10e9)).isCloseTo(2, within(1e-12));
    assertThat(roofline.leastSeconds(10e9, 30e9)).isCloseTo(3, within(1e-12));
  }

  @Test
  void rowsAreTheLongestFirstWithTheirShare() {
    Profile profile = new Profile();
    profile.add("g", "Add", "a", 1_000_000_000L, new Cost(1e9, 5e9));
    profile.add("g", "Linear", "a", 2_000_000_000L, new Cost(100e9, 1e9));
    profile.add("g", "Linear", "b", 1_000_000_000L, new Cost(50e9, 0.5e9));
    assertThat(roofline.rows(profile))
        .containsExactly(
            new Roofline.Row("Linear", 2, 3, 0.75, 50, 0.5, 100, 0.5),
            new Roofline.Row("Add", 1, 1, 0.25, 1, 5, 0.2, 0.5));
  }
}
