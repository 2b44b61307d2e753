package org.rectiflow.engine.cpu.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The derivative by the weights against sums in double. */
@Tag("simd")
class ConvWeightGradTest {
  private static final Workers ONE = new Workers(1);
  private static final Workers TWO = new Workers(2);
  private final Random random = new Random(11);
  private double worst;

  @AfterAll
  static void close() {
    ONE.close();
    TWO.close();
  }

  @Test
  void shapesOfAutoencoders() {
    check(Conv2d.Shape.of(1, 1, 1, 1, 1, 3, 1, 1));
    check(Conv2d.Shape.of(2, 3, 16, 16, 16, 3, 1, 1));
    check(Conv2d.Shape.of(3, 16, 8, 8, 3, 3, 1, 1));
    check(Conv2d.Shape.of(2, 20, 9, 7, 70, 1, 1, 0));
    check(new Conv2d.Shape(2, 5, 16, 18, 6, 3, 3, 2, 0, 0, 1, 1, 1));
    System.out.printf(Locale.ROOT, "weights of convolutions: largest error %.3f%n", worst);
  }

  @Test
  void pictureInBands() {
    check(Conv2d.Shape.of(1, 2, 50, 200, 3, 3, 1, 1));
    check(Conv2d.Shape.of(1, 2, 3, 2500, 2, 3, 1, 1));
  }

  @Test
  void anyOther() {
    for (int i = 0; i < 40; i++) {
      int kh = 1 + random.nextInt(5);
      int kw = 1 + random.nextInt(5);
      check(
          new Conv2d.Shape(
              1 + random.nextInt(3),
              1 + random.nextInt(20),
              kh + random.nextInt(12),
              kw + random.nextInt(40),
              1 + random.nextInt(20),
              kh,
              kw,
              1 + random.nextInt(3),
              random.nextInt(3),
              random.nextInt(3),
              random.nextInt(3),
              random.nextInt(3),
              1));
    }
    System.out.printf(Locale.ROOT, "weights of any convolution: largest error %.3f%n", worst);
  }

  private void check(Conv2d.Shape s) {
    int positions = s.batch() * s.outHeight() * s.outWidth();
    int taps = s.inChannels() * s.kernelHeight() * s.kernelWidth();
    MemorySegment x =
        Memory.gaussian(random, 1L + s.batch() * s.inChannels() * s.height() * s.width());
    MemorySegment dy = Memory.gaussian(random, (long) positions * s.outChannels());
    MemorySegment dw = Memory.empty((long) s.outChannels() * taps);
    MemorySegment again = Memory.empty((long) s.outChannels() * taps);
    for (int i = 0; i < 2; i++) {
      Conv2dGrads.weights(
          i == 0 ? ONE : TWO,
          s,
          StoredVector.f32(x, 4),
          StoredVector.f32(dy, 0),
          StoredVector.f32(i == 0 ? dw : again, 0));
    }
    assertThat(dw.mismatch(again)).as("one and two threads").isEqualTo(-1);
    for (int o = 0; o < s.outChannels(); o++) {
      for (int t = 0; t < taps; t++) {
        double sum = 0;
        double size = 0;
        for (int b = 0; b < s.batch(); b++) {
          for (int r = 0; r < s.outHeight(); r++) {
            for (int c = 0; c < s.outWidth(); c++) {
              double p = (double) y(s, dy, b, o, r, c) * x(s, x, b, t, r, c);
              sum += p;
              size += Math.abs(p);
            }
          }
        }
        double error = Math.abs(sum - Memory.get(dw, (long) o * taps + t));
        // Each lane adds up its own share, then the lanes and the shares are added.
        double bound = Memory.ULP * (positions + 20) * size;
        worst = Math.max(worst, size == 0 ? error : error / bound);
        assertThat(error).as("%s, dw[%d, %d]", s, o, t).isLessThanOrEqualTo(bound);
      }
    }
  }

  private static float y(Conv2d.Shape s, MemorySegment dy, int b, int o, int r, int c) {
    return Memory.get(
        dy, (((long) b * s.outChannels() + o) * s.outHeight() + r) * s.outWidth() + c);
  }

  /** What tap {@code t}, counted over input channels and kernel, sees at an output. */
  private static float x(Conv2d.Shape s, MemorySegment x, int b, int t, int r, int c) {
    int row = r * s.stride() + t / s.kernelWidth() % s.kernelHeight() - s.padTop();
    int column = c * s.stride() + t % s.kernelWidth() - s.padLeft();
    int channel = t / (s.kernelWidth() * s.kernelHeight());
    boolean outside = row < 0 || column < 0 || row >= s.height() || column >= s.width();
    long plane = (long) b * s.inChannels() + channel;
    return outside ? 0 : Memory.get(x, 1 + (plane * s.height() + row) * s.width() + column);
  }
}
