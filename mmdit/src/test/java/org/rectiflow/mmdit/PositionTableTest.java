package org.rectiflow.mmdit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.rectiflow.engine.Tensor;

class PositionTableTest {
  /** A table of 192 for training at 64: SD3's. Its place (0.25, -16) is column 65, row 0. */
  @Test
  void followsThePapersGrid() {
    Tensor table = PositionTable.of(192, 64, 1536);
    assertThat(table.shape().dims()).containsExactly(1, 192 * 192, 1536);
    int at = 65 * 1536;
    assertThat((double) table.data()[at]).isCloseTo(0.247404, within(1e-6));
    assertThat((double) table.data()[at + 384]).isCloseTo(0.968912, within(1e-6));
    assertThat((double) table.data()[at + 768]).isCloseTo(0.287903, within(1e-6));
    assertThat((double) table.data()[at + 1152]).isCloseTo(-0.957659, within(1e-6));
    assertThat((double) table.data()[at + 1]).isCloseTo(0.241659, within(1e-6));
    assertThat((double) table.data()[at + 769]).isCloseTo(-0.087051, within(1e-6));
  }

  @Test
  void refusesATableSmallerThanThePicture() {
    assertThatThrownBy(() -> PositionTable.of(3, 4, 64))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("side >= trained");
  }
}
