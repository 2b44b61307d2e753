package org.rectiflow.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.rectiflow.engine.Tensor;

class AdamWTest {

  /** After bias correction the first step is lr times the sign of the gradient, plus the decay. */
  @Test
  void theFirstStepHasTheLengthOfTheLearningRate() {
    Tensor value = Tensor.of(new float[] {1, -2, 3}, 3);
    AdamW optimizer = new AdamW(new AdamW.Settings(0.9, 0.999, 0, 0.1));

    optimizer.step(
        Map.of("w", value), Map.of("w", Tensor.of(new float[] {1e-3f, -7, 20}, 3)), 0.01);

    assertThat(value.data())
        .containsExactly(
            new float[] {0.999f - 0.01f, -1.998f + 0.01f, 2.997f - 0.01f}, within(1e-6f));
    assertThat(optimizer.steps()).isEqualTo(1);
  }

  @Test
  void aMissingGradientIsRefusedBeforeAnythingChanges() {
    Tensor value = Tensor.of(new float[] {1}, 1);
    AdamW optimizer = new AdamW(AdamW.Settings.TORCH);

    assertThatThrownBy(() -> optimizer.step(Map.of("w", value), Map.of(), 0.01))
        .hasMessage("the gradient of w is missing, expected one of [1]");
    assertThat(value.data()).containsExactly(1);
    assertThat(optimizer.steps()).isZero();
  }

  @Test
  void gradientsAreClippedTogether() {
    Tensor a = Tensor.of(new float[] {3}, 1);
    Tensor b = Tensor.of(new float[] {0, 4}, 2);

    assertThat(GradientNorm.clip(Map.of("a", a, "b", b), 10)).isEqualTo(5);
    assertThat(a.data()).containsExactly(3);
    assertThat(GradientNorm.clip(Map.of("a", a, "b", b), 1)).isEqualTo(5);
    assertThat(a.data()).containsExactly(new float[] {0.6f}, within(1e-6f));
    assertThat(b.data()).containsExactly(new float[] {0, 0.8f}, within(1e-6f));
  }

  @Test
  void impossibleSettingsAreRefused() {
    assertThatThrownBy(() -> new AdamW.Settings(0.9, 1, 1e-8, 0.01))
        .hasMessageContaining("betas 0.9 and 1.0");
  }
}
