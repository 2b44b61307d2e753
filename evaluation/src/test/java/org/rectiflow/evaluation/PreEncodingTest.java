package org.rectiflow.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.rectiflow.evaluation.PreEncoding.Encoder;

class PreEncodingTest {

  @Test
  void storageAndMemoryColumnsOfTable7() {
    assertThat(PreEncoding.PAPER.stream().map(Encoder::storageBytes))
        .containsExactly(65_536L, 121_344L, 202_240L, 630_784L);
    assertThat(PreEncoding.PAPER.stream().map(e -> "%.2f".formatted(e.memoryBytes() / 1e9)))
        .containsExactly("0.14", "0.49", "2.78", "19.05");
  }

  /** Table 7 computes from unrounded times, so its last digit may differ by one. */
  @Test
  void stepIncreaseOfTable7() {
    double[] milliseconds = {2.45, 0.45, 2.77, 17.46};
    double[] printed = {13.8, 2.6, 15.6, 98.3};
    for (int i = 0; i < printed.length; i++) {
      assertThat(PreEncoding.stepIncreasePercent(milliseconds[i]))
          .isCloseTo(printed[i], within(0.1));
    }
    assertThatThrownBy(() -> PreEncoding.stepIncreasePercent(-1))
        .hasMessageContaining("positive time");
    // 64 samples in 640 ms, each of 2 ms: 128 ms on top.
    assertThat(PreEncoding.stepIncreasePercent(2, 64 / 0.640)).isCloseTo(20, within(1e-12));
    assertThatThrownBy(() -> PreEncoding.stepIncreasePercent(1, 0))
        .hasMessageContaining("positive speed");
  }
}
