package org.rectiflow.encoders;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.rectiflow.engine.Tensor;

class ClipScorerTest {
  @Test
  void theNearestTextIsTheClass() {
    Tensor texts = Tensor.of(new float[] {1, 0, 0, 1, -1, 0}, 3, 2);
    Tensor images = Tensor.of(new float[] {0.1f, 9, -3, 1, 2, 2}, 3, 2);

    // The last is as near to the first as to the second.
    assertThat(ClipScorer.classify(images, texts)).containsExactly(1, 2, 0);
    assertThat(ClipScorer.alignment(images, texts)[2]).isCloseTo(-Math.sqrt(0.5), within(1e-7));
    assertThatThrownBy(() -> ClipScorer.alignment(images, Tensor.of(new float[] {1, 0}, 1, 2)))
        .hasMessageContaining("each picture needs its text");
  }
}
