package org.rectiflow.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.rectiflow.engine.Shape;
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

  /** More elements than one thread takes at a time. */
  @Test
  void anOptimizerGoesOnWhereAnotherStopped() {
    Tensor one = random(1, 100_003);
    Tensor other = random(1, 100_003);
    AdamW first = new AdamW(AdamW.Settings.TORCH);
    for (int step = 0; step < 5; step++) {
      first.step(Map.of("w", one), Map.of("w", random(10 + step, 100_003)), 0.01);
    }

    AdamW before = new AdamW(AdamW.Settings.TORCH);
    for (int step = 0; step < 3; step++) {
      before.step(Map.of("w", other), Map.of("w", random(10 + step, 100_003)), 0.01);
    }
    AdamW after = new AdamW(AdamW.Settings.TORCH);
    after.restore(before.steps(), before.moments());
    before.step(Map.of("w", random(2, 100_003)), Map.of("w", random(3, 100_003)), 0.01);
    for (int step = 3; step < 5; step++) {
      after.step(Map.of("w", other), Map.of("w", random(10 + step, 100_003)), 0.01);
    }

    assertThat(after.steps()).isEqualTo(5);
    assertThat(other).isEqualTo(one);
    assertThat(after.moments()).isEqualTo(first.moments());
  }

  @Test
  void aStateThatDoesNotFitIsRefused() {
    AdamW optimizer = new AdamW(AdamW.Settings.TORCH);
    Tensor two = random(1, 2);
    Tensor three = random(1, 3);

    assertThatThrownBy(() -> optimizer.restore(3, Map.of()))
        .hasMessage("3 steps do not go with the moments of 0 tensors");
    assertThatThrownBy(() -> optimizer.restore(3, Map.of("w", new AdamW.Moments(two, three))))
        .hasMessage("the moments of w have shapes [2] and [3], expected the same");
    optimizer.restore(3, Map.of("w", new AdamW.Moments(two, two)));
    assertThatThrownBy(() -> optimizer.step(Map.of("w", three), Map.of("w", three), 1))
        .hasMessage("the moments of w after 3 steps are [2], expected those of [3]");
    assertThatThrownBy(() -> optimizer.step(Map.of("v", two), Map.of("v", two), 1))
        .hasMessage("the moments of v after 3 steps are missing, expected those of [2]");
  }

  private static Tensor random(long seed, int count) {
    Random random = new Random(seed);
    Tensor tensor = Tensor.zeros(Shape.of(count));
    for (int i = 0; i < count; i++) {
      tensor.data()[i] = (float) random.nextGaussian();
    }
    return tensor;
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
