package org.rectiflow.engine.cpu.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.rectiflow.safetensors.DType;

@Tag("simd")
class NormsTest {
  private static final Workers ONE = new Workers(1);
  private static final Workers TWO = new Workers(2);
  private final Random random = new Random(9);
  private double worst;

  @AfterAll
  static void close() {
    ONE.close();
    TWO.close();
  }

  private void compare(double expected, float found, double bound, Object where) {
    double error = Math.abs(found - expected);
    assertThat(error)
        .as("%s: expected %s found %s", where, expected, found)
        .isLessThanOrEqualTo(bound);
    worst = Math.max(worst, bound == 0 ? 0 : error / bound);
  }

  /** Standard normal values around a mean. */
  private MemorySegment around(double mean, long count) {
    MemorySegment s = Memory.gaussian(random, count);
    for (long i = 0; i < count; i++) {
      s.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) (mean + Memory.get(s, i)));
    }
    return s;
  }

  @Test
  void layerNorm() {
    for (int i = 0; i < 60; i++) {
      int rows = 1 + random.nextInt(i % 2 == 0 ? 5 : 90);
      int n = i % 3 == 0 ? 1 + random.nextInt(40) : 1 + random.nextInt(1600);
      int ld = n + random.nextInt(3);
      int perModulation = 1 + random.nextInt(rows);
      double mean = i % 4 == 0 ? 100 : 0;
      DType type = Memory.STORED[i % 5];
      MemorySegment x = around(mean, (long) rows * ld);
      StoredVector weight = random.nextBoolean() ? Memory.stored(random, type, n) : null;
      StoredVector bias = random.nextBoolean() ? Memory.stored(random, type, n) : null;
      long modulations = (rows - 1) / perModulation + 1;
      MemorySegment scale = random.nextBoolean() ? Memory.gaussian(random, modulations * n) : null;
      MemorySegment shift = random.nextBoolean() ? Memory.gaussian(random, modulations * n) : null;
      MemorySegment out = Memory.empty((long) rows * n);
      MemorySegment again = Memory.empty((long) rows * n);
      double eps = 1e-6;
      Norms.Affine affine =
          new Norms.Affine(
              weight,
              bias,
              scale == null ? null : MatrixView.f32(scale, 0, n),
              shift == null ? null : MatrixView.f32(shift, 0, n),
              perModulation);
      Norms.layerNorm(
          ONE, rows, n, MatrixView.f32(x, 0, ld), eps, affine, MatrixView.f32(out, 0, n));
      Norms.layerNorm(
          TWO, rows, n, MatrixView.f32(x, 0, ld), eps, affine, MatrixView.f32(again, 0, n));
      assertThat(out.mismatch(again)).as("one and two threads").isEqualTo(-1);
      for (int r = 0; r < rows; r++) {
        double sum = 0;
        double squares = 0;
        for (int j = 0; j < n; j++) {
          sum += Memory.get(x, (long) r * ld + j);
        }
        double m = sum / n;
        for (int j = 0; j < n; j++) {
          squares += Math.pow(Memory.get(x, (long) r * ld + j) - m, 2);
        }
        double inverse = 1 / Math.sqrt(squares / n + eps);
        for (int j = 0; j < n; j++) {
          double v = (Memory.get(x, (long) r * ld + j) - m) * inverse;
          // Rounding the mean moves every x by up to half an ulp of the mean.
          double size =
              Math.abs(v)
                  + 1
                  + (Math.abs(m) + Math.abs(Memory.get(x, (long) r * ld + j))) * inverse;
          double w = weight == null ? 1 : Memory.value(weight, j);
          double b = bias == null ? 0 : Memory.value(bias, j);
          double c = scale == null ? 1 : 1 + Memory.get(scale, (long) (r / perModulation) * n + j);
          double d = shift == null ? 0 : Memory.get(shift, (long) (r / perModulation) * n + j);
          double expected = (v * w + b) * c + d;
          double bound =
              Memory.ULP
                  * (4 * size * Math.abs(w * c)
                      + 3 * Math.abs(b * c)
                      + 2 * (Math.abs(v * w) + Math.abs(b)) * (1 + Math.abs(c))
                      + 2 * Math.abs(d));
          compare(
              expected, Memory.get(out, (long) r * n + j), bound, rows + "x" + n + " mean " + mean);
        }
      }
    }
    System.out.printf(Locale.ROOT, "layerNorm: largest error %.3f of the bound%n", worst);
  }

  @Test
  void rmsNorm() {
    for (int i = 0; i < 40; i++) {
      int rows = 1 + random.nextInt(30);
      // Heads of whole vectors take a way of their own.
      boolean whole = i % 3 == 1;
      int groups = whole ? 1 : 1 + random.nextInt(4);
      int dim = whole ? 16 * (1 + random.nextInt(9)) : 1 + random.nextInt(i % 4 == 0 ? 700 : 70);
      int n = groups * dim;
      int ld = n + random.nextInt(5);
      MemorySegment x = Memory.gaussian(random, (long) rows * ld);
      StoredVector weight = i % 3 == 0 ? null : Memory.stored(random, Memory.STORED[i % 5], dim);
      MemorySegment out = Memory.empty((long) rows * ld);
      double eps = 1e-6;
      Norms.rmsNorm(
          TWO,
          rows,
          groups,
          dim,
          MatrixView.f32(x, 0, ld),
          eps,
          weight,
          MatrixView.f32(out, 0, ld));
      for (int r = 0; r < rows; r++) {
        for (int g = 0; g < groups; g++) {
          long first = (long) r * ld + (long) g * dim;
          double squares = 0;
          for (int d = 0; d < dim; d++) {
            squares += Math.pow(Memory.get(x, first + d), 2);
          }
          for (int d = 0; d < dim; d++) {
            double w = weight == null ? 1 : Memory.value(weight, d);
            double expected = Memory.get(x, first + d) / Math.sqrt(squares / dim + eps) * w;
            compare(
                expected,
                Memory.get(out, first + d),
                8 * Memory.ULP * Math.abs(expected),
                groups + "x" + dim);
          }
        }
      }
      Norms.rmsNorm(
          ONE, rows, groups, dim, MatrixView.f32(x, 0, ld), eps, weight, MatrixView.f32(x, 0, ld));
      for (int r = 0; r < rows; r++) {
        for (int j = 0; j < n; j++) {
          assertThat(Memory.get(x, (long) r * ld + j))
              .isEqualTo(Memory.get(out, (long) r * ld + j));
        }
      }
    }
    System.out.printf(Locale.ROOT, "rmsNorm: largest error %.3f of the bound%n", worst);
  }

  @Test
  void groupNorm() {
    for (int i = 0; i < 30; i++) {
      int groups = 1 + random.nextInt(5);
      int channels = groups * (1 + random.nextInt(4));
      int batch = 1 + random.nextInt(2);
      int pixels = i % 5 == 0 ? 5000 + random.nextInt(4000) : 1 + random.nextInt(300);
      double mean = i % 3 == 0 ? 50 : 0.5;
      Activation f = i % 2 == 0 ? Activation.SILU : Activation.NONE;
      MemorySegment x = around(mean, (long) batch * channels * pixels);
      StoredVector weight =
          i % 4 == 1 ? null : Memory.stored(random, Memory.STORED[i % 5], channels);
      StoredVector bias = i % 4 == 1 ? null : Memory.stored(random, Memory.STORED[i % 5], channels);
      MemorySegment out = Memory.empty((long) batch * channels * pixels);
      StoredVector view = StoredVector.f32(x, 0);
      Norms.groupNorm(
          TWO,
          batch,
          channels,
          pixels,
          groups,
          view,
          1e-6,
          weight,
          bias,
          f,
          StoredVector.f32(out, 0));
      int size = channels / groups;
      for (int g = 0; g < batch * groups; g++) {
        long first = (long) g * size * pixels;
        double sum = 0;
        double squares = 0;
        for (int j = 0; j < size * pixels; j++) {
          sum += Memory.get(x, first + j);
        }
        double m = sum / ((double) size * pixels);
        for (int j = 0; j < size * pixels; j++) {
          squares += Math.pow(Memory.get(x, first + j) - m, 2);
        }
        double inverse = 1 / Math.sqrt(squares / ((double) size * pixels) + 1e-6);
        for (int j = 0; j < size * pixels; j++) {
          int c = g % groups * size + j / pixels;
          double w = weight == null ? 1 : Memory.value(weight, c);
          double b = bias == null ? 0 : Memory.value(bias, c);
          double v = (Memory.get(x, first + j) - m) * inverse;
          double expected = Memory.activate(f, v * w + b);
          double bound =
              Memory.ULP
                  * (8 * (1 + Math.abs(v)) * Math.abs(w)
                      + 8 * Math.abs(b)
                      + 8 * Math.abs(expected));
          compare(
              expected,
              Memory.get(out, first + j),
              bound,
              channels + "/" + groups + " pixels " + pixels);
        }
      }
      Norms.groupNorm(ONE, batch, channels, pixels, groups, view, 1e-6, weight, bias, f, view);
      assertThat(x.mismatch(out)).as("in place, one thread").isEqualTo(-1);
    }
    System.out.printf(Locale.ROOT, "groupNorm: largest error %.3f of the bound%n", worst);
  }

  @Test
  void refusesUnevenGroups() {
    StoredVector x = StoredVector.f32(Memory.gaussian(random, 5), 0);
    assertThatThrownBy(
            () -> Norms.groupNorm(ONE, 1, 5, 1, 2, x, 1e-6, null, null, Activation.NONE, x))
        .hasMessageContaining("5 channels and 2 groups");
  }
}
