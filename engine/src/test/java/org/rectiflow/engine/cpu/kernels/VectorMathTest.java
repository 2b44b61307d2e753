package org.rectiflow.engine.cpu.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("simd")
class VectorMathTest {
  private static final int N = 1 << 16;

  /**
   * Largest error in units of the last place of the exact result, over random and special arguments
   * in a range.
   */
  private static double worst(Activation f, double from, double to) {
    Random random = new Random(7);
    float[] x = new float[N];
    for (int i = 0; i < N; i++) {
      x[i] = (float) (from + (to - from) * random.nextDouble());
    }
    x[0] = 0f;
    x[1] = -0f;
    x[2] = (float) from;
    x[3] = (float) to;
    float[] y = x.clone();
    VectorMath.apply(f, y, 0, N);
    double worst = 0;
    float at = 0;
    for (int i = 0; i < N; i++) {
      double exact = Memory.activate(f, x[i]);
      double ulp = Math.max(Math.ulp((float) exact), Float.MIN_NORMAL);
      double error = Math.abs(y[i] - exact) / ulp;
      if (!(error <= worst)) {
        worst = error;
        at = x[i];
      }
    }
    System.out.printf(
        Locale.ROOT, "%s on [%g, %g]: largest error %.3f ulp at %g%n", f, from, to, worst, at);
    return worst;
  }

  @Test
  void exponential() {
    assertThat(worst(Activation.EXP, -87.3, 88.7)).isLessThan(1.2);
    assertThat(worst(Activation.EXP, -1, 1)).isLessThan(1.2);
  }

  @Test
  void hyperbolicTangentAndErrorFunction() {
    assertThat(worst(Activation.TANH, -12, 12)).isLessThan(2);
    assertThat(worst(Activation.TANH, -1, 1)).isLessThan(2);
    assertThat(worst(Activation.ERF, -5, 5)).isLessThan(2);
    assertThat(worst(Activation.ERF, -1.2, 1.2)).isLessThan(2);
    assertThat(worst(Activation.ERF, -1e-3, 1e-3)).isLessThan(2);
  }

  @Test
  void sigmoidFamily() {
    assertThat(worst(Activation.SIGMOID, -80, 80)).isLessThan(3);
    assertThat(worst(Activation.SILU, -10, 10)).isLessThan(4);
    assertThat(worst(Activation.QUICK_GELU, -2, 10)).isLessThan(4);
    assertThat(worst(Activation.GELU_TANH, -1, 10)).isLessThan(4);
    assertThat(worst(Activation.GELU_ERF, -0.5, 10)).isLessThan(4);
  }

  /** Where the result is small, what counts is the error next to x. */
  @Test
  void geluOfNegativeArguments() {
    for (Activation f :
        new Activation[] {Activation.GELU_ERF, Activation.GELU_TANH, Activation.QUICK_GELU}) {
      float[] x = new float[N];
      for (int i = 0; i < N; i++) {
        x[i] = -12f * i / N;
      }
      float[] y = x.clone();
      VectorMath.apply(f, y, 0, N);
      for (int i = 0; i < N; i++) {
        assertThat((double) y[i])
            .isCloseTo(Memory.activate(f, x[i]), within(1e-7 * Math.max(Math.abs(x[i]), 1e-30)));
      }
    }
  }

  @Test
  void specialArguments() {
    float inf = Float.POSITIVE_INFINITY;
    assertThat(apply(Activation.EXP, inf, -inf, Float.NaN, 1000f, -1000f, 0f))
        .containsExactly(inf, 0f, Float.NaN, inf, 0f, 1f);
    assertThat(apply(Activation.TANH, inf, -inf, Float.NaN, 100f, -100f, 0f))
        .containsExactly(1f, -1f, Float.NaN, 1f, -1f, 0f);
    assertThat(apply(Activation.ERF, inf, -inf, Float.NaN, 5f, -5f, 0f))
        .containsExactly(1f, -1f, Float.NaN, 1f, -1f, 0f);
    assertThat(apply(Activation.SIGMOID, inf, -inf, Float.NaN, 200f, -200f, 0f))
        .containsExactly(1f, 0f, Float.NaN, 1f, 0f, 0.5f);
    assertThat(apply(Activation.RELU, inf, -inf, Float.NaN, 2f, -2f, 0f))
        .containsExactly(inf, 0f, Float.NaN, 2f, 0f, 0f);
    assertThat(apply(Activation.GELU_TANH, 200f, -200f, Float.NaN))
        .containsExactly(200f, -0f, Float.NaN);
  }

  private static float[] apply(Activation f, float... x) {
    float[] y = Arrays.copyOf(x, 2 * Simd.LANES * 8);
    VectorMath.apply(f, y, 0, y.length);
    return Arrays.copyOf(y, x.length);
  }
}
