package org.rectiflow.tornado;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.rectiflow.engine.Shape;

class StridesTest {

  @Test
  void axesThatWalkOnAsOneAreJoined() {
    Launch dense = Strides.of(Shape.of(3, 4, 5)).copy(7, 9);
    assertThat(dense.row()[2]).isEqualTo(60);
    assertThat(dense.row()[3]).as("rank").isEqualTo(1);
    Launch slice = Strides.of(Shape.of(3, 2, 5)).from(Shape.of(3, 4, 5)).copy(0, 0);
    assertThat(slice.row()[3]).as("rank").isEqualTo(2);
  }

  @Test
  void permutationsKeepTheirAxes() {
    Launch permuted =
        Strides.of(Shape.of(5, 3, 4)).permuted(Shape.of(3, 4, 5), List.of(2, 0, 1)).copy(0, 0);
    assertThat(permuted.row()[2]).isEqualTo(60);
    assertThat(permuted.row()[3]).as("rank").isEqualTo(2);
  }
}
