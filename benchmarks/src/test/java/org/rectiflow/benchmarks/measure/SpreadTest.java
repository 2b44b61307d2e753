package org.rectiflow.benchmarks.measure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class SpreadTest {
  @Test
  void medianAndQuartilesOfAnOddNumber() {
    assertThat(Spread.of(5, 1, 4, 2, 3)).isEqualTo(new Spread(3, 2, 4));
  }

  @Test
  void betweenNeighboursOfAnEvenNumber() {
    assertThat(Spread.of(4, 1, 3, 2)).isEqualTo(new Spread(2.5, 1.75, 3.25));
  }

  @Test
  void oneMeasurementHasNoSpread() {
    assertThat(Spread.of(7)).isEqualTo(new Spread(7, 7, 7));
  }

  @Test
  void geometricMeanOfInverseRatiosIsOne() {
    assertThat(Spread.geometricMean(4, 0.25)).isCloseTo(1, within(1e-15));
    assertThat(Spread.geometricMean(2, 8)).isCloseTo(4, within(1e-14));
  }

  @Test
  void refusesWhatHasNoMedian() {
    assertThatThrownBy(Spread::of).hasMessageContaining("no measurements");
    assertThatThrownBy(() -> Spread.of(1, Double.NaN)).hasMessageContaining("NaN");
    assertThatThrownBy(() -> Spread.geometricMean(1, 0)).hasMessageContaining("more than 0");
  }
}
