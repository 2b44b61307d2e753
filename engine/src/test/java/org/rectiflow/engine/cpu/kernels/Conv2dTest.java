package org.rectiflow.engine.cpu.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.rectiflow.safetensors.DType;

@Tag("simd")
class Conv2dTest {
  private static final Workers ONE = new Workers(1);
  private static final Workers TWO = new Workers(2);
  private final Random random = new Random(3);
  private double worst;

  @AfterAll
  static void close() {
    ONE.close();
    TWO.close();
  }

  @Test
  void threeByThree() {
    check(Conv2d.Shape.of(1, 1, 1, 1, 1, 3, 1, 1));
    check(Conv2d.Shape.of(2, 3, 8, 8, 14, 3, 1, 1));
    check(Conv2d.Shape.of(1, 60, 17, 33, 5, 3, 1, 1));
    check(Conv2d.Shape.of(1, 120, 6, 9, 30, 3, 1, 1));
    check(Conv2d.Shape.of(1, 2, 3, 300, 3, 3, 1, 1));
    check(Conv2d.Shape.of(1, 2, 300, 5, 3, 3, 1, 1));
    check(Conv2d.Shape.of(1, 4, 10, 11, 3, 3, 1, 0));
    System.out.printf(Locale.ROOT, "conv 3x3: largest error %.3f of the bound%n", worst);
  }

  @Test
  void oneByOne() {
    check(Conv2d.Shape.of(1, 1, 1, 1, 1, 1, 1, 0));
    check(Conv2d.Shape.of(2, 16, 9, 7, 27, 1, 1, 0));
    check(Conv2d.Shape.of(1, 600, 5, 40, 2, 1, 1, 0));
    check(Conv2d.Shape.of(1, 1030, 9, 64, 30, 1, 1, 0));
    check(Conv2d.Shape.of(1, 5, 12, 12, 4, 1, 2, 0));
  }

  @Test
  void strideTwo() {
    check(new Conv2d.Shape(1, 5, 8, 8, 6, 3, 3, 2, 0, 0, 1, 1, 1));
    check(new Conv2d.Shape(2, 3, 33, 70, 15, 3, 3, 2, 0, 0, 1, 1, 1));
    check(new Conv2d.Shape(1, 2, 7, 9, 3, 3, 3, 2, 1, 1, 1, 1, 1));
    check(Conv2d.Shape.of(2, 16, 12, 10, 20, 2, 2, 0));
  }

  @Test
  void upsampled() {
    check(Conv2d.Shape.of(1, 3, 5, 6, 4, 3, 1, 1).upsampled(2));
    check(Conv2d.Shape.of(2, 60, 9, 70, 14, 3, 1, 1).upsampled(2));
    check(Conv2d.Shape.of(1, 2, 4, 3, 3, 3, 2, 1).upsampled(3));
  }

  @Test
  void anyOtherKernel() {
    for (int i = 0; i < 40; i++) {
      int kh = 1 + random.nextInt(5);
      int kw = 1 + random.nextInt(5);
      check(
          new Conv2d.Shape(
              1 + random.nextInt(2),
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
              1 + random.nextInt(2)));
    }
    System.out.printf(Locale.ROOT, "conv any: largest error %.3f of the bound%n", worst);
  }

  @Test
  void winograd() {
    Way way =
        (workers, conv) -> {
          assertThat(WinogradConv.possible(conv.shape())).isTrue();
          new WinogradConv(conv).run(workers);
        };
    check(Conv2d.Shape.of(1, 1, 1, 1, 1, 3, 1, 1), way, true);
    check(Conv2d.Shape.of(1, 300, 6, 9, 14, 3, 1, 1), way, true);
    check(Conv2d.Shape.of(1, 5, 3, 150, 27, 3, 1, 1), way, true);
    check(Conv2d.Shape.of(2, 9, 70, 5, 140, 3, 1, 1), way, true);
    check(Conv2d.Shape.of(1, 9, 40, 33, 3, 3, 1, 1), way, true);
    check(Conv2d.Shape.of(2, 5, 6, 9, 14, 3, 1, 1).upsampled(2), way, true);
    check(Conv2d.Shape.of(1, 3, 7, 40, 14, 3, 1, 1).upsampled(2), way, true);
    check(Conv2d.Shape.of(1, 3, 7, 40, 14, 3, 1, 0).upsampled(2), way, true);
    for (int i = 0; i < 30; i++) {
      check(random3x3(12, 40, 1, 3), way, true);
    }
    System.out.printf(Locale.ROOT, "conv by Winograd: largest error %.3f of the bound%n", worst);
  }

  /** A small 3x3 convolution of up to 20 channels; its size and upsampling have so many values. */
  private Conv2d.Shape random3x3(int heights, int widths, int stride, int upsamplings) {
    return new Conv2d.Shape(
        1 + random.nextInt(2),
        1 + random.nextInt(20),
        3 + random.nextInt(heights),
        3 + random.nextInt(widths),
        1 + random.nextInt(20),
        3,
        3,
        stride,
        random.nextInt(3),
        random.nextInt(3),
        random.nextInt(3),
        random.nextInt(3),
        1 + random.nextInt(upsamplings));
  }

  @Test
  void winogradOfStrideTwo() {
    Way way =
        (workers, conv) -> {
          assertThat(WinogradConv.possible(conv.shape())).isTrue();
          new WinogradConv(conv).run(workers);
        };
    check(new Conv2d.Shape(1, 1, 2, 2, 1, 3, 3, 2, 0, 0, 1, 1, 1), way, true);
    check(new Conv2d.Shape(1, 70, 12, 18, 14, 3, 3, 2, 0, 0, 1, 1, 1), way, true);
    check(new Conv2d.Shape(1, 5, 6, 300, 27, 3, 3, 2, 1, 1, 1, 1, 1), way, true);
    check(new Conv2d.Shape(2, 3, 140, 10, 140, 3, 3, 2, 0, 0, 1, 1, 1), way, true);
    for (int i = 0; i < 20; i++) {
      check(random3x3(24, 80, 2, 1), way, true);
    }
    System.out.printf(
        Locale.ROOT, "conv of stride 2 by Winograd: largest error %.3f of the bound%n", worst);
  }

  @Test
  void threeChannelsOfWholeRows() {
    check(Conv2d.Shape.of(1, 60, 9, 96, 3, 3, 1, 1));
    check(Conv2d.Shape.of(2, 30, 24, 16, 2, 3, 1, 1));
    check(Conv2d.Shape.of(1, 3, 12, 64, 3, 2, 2, 0));
    System.out.printf(
        Locale.ROOT, "conv to three channels: largest error %.3f of the bound%n", worst);
  }

  @Test
  void manyChannels() {
    Conv2d.Shape plain = Conv2d.Shape.of(1, 64, 16, 64, 70, 3, 1, 1);
    Conv2d.Shape doubled = Conv2d.Shape.of(1, 33, 8, 32, 40, 3, 1, 1).upsampled(2);
    assertThat(WinogradConv.fits(plain)).isTrue();
    assertThat(WinogradConv.fits(doubled)).isTrue();
    check(plain);
    check(doubled);
    Conv2d.Shape halved = new Conv2d.Shape(1, 128, 46, 62, 128, 3, 3, 2, 0, 0, 1, 1, 1);
    assertThat(WinogradConv.fits(halved)).isTrue();
    check(halved);
    System.out.printf(
        Locale.ROOT, "conv of many channels: largest error %.3f of the bound%n", worst);
  }

  /** A way to compute a convolution. */
  @FunctionalInterface
  private interface Way {
    void run(Workers workers, Convolution conv);
  }

  private void check(Conv2d.Shape s) {
    check(s, Conv2d::run, false);
  }

  /**
   * Compares with sums in double.
   *
   * @param spread whether errors are spread over neighbouring pixels and weights
   */
  private void check(Conv2d.Shape s, Way way, boolean spread) {
    DType type = Memory.STORED[random.nextInt(Memory.STORED.length)];
    Activation f = random.nextBoolean() ? Activation.NONE : Activation.SILU;
    boolean extras = random.nextBoolean();
    int oh = s.outHeight();
    int ow = s.outWidth();
    int count = s.batch() * s.outChannels() * oh * ow;
    MemorySegment x =
        Memory.gaussian(random, 1 + (long) s.batch() * s.inChannels() * s.height() * s.width());
    StoredVector w =
        Memory.stored(
            random, type, s.outChannels() * s.inChannels() * s.kernelHeight() * s.kernelWidth());
    StoredVector bias = extras ? Memory.stored(random, type, s.outChannels()) : null;
    MemorySegment residual = Memory.gaussian(random, count);
    StoredVector r = extras ? StoredVector.f32(residual, 0) : null;
    MemorySegment out = Memory.empty(count);
    MemorySegment again = Memory.empty(count);
    StoredVector in = StoredVector.f32(x, 4);
    way.run(ONE, new Convolution(s, in, w, bias, f, r, StoredVector.f32(out, 0)));
    way.run(TWO, new Convolution(s, in, w, bias, f, r, StoredVector.f32(again, 0)));
    assertThat(out.mismatch(again)).as("one and two threads").isEqualTo(-1);
    int at = 0;
    for (int n = 0; n < s.batch(); n++) {
      for (int o = 0; o < s.outChannels(); o++) {
        double more = spread ? spread(s, x, w, n, o) : 0;
        for (int y = 0; y < oh; y++) {
          for (int z = 0; z < ow; z++, at++) {
            double sum = bias == null ? 0 : Memory.value(bias, o);
            double size = Math.abs(sum) + more;
            for (int c = 0; c < s.inChannels(); c++) {
              for (int ky = 0; ky < s.kernelHeight(); ky++) {
                for (int kx = 0; kx < s.kernelWidth(); kx++) {
                  int iy = y * s.stride() + ky - s.padTop();
                  int ix = z * s.stride() + kx - s.padLeft();
                  if (iy < 0
                      || ix < 0
                      || iy >= s.height() * s.upsample()
                      || ix >= s.width() * s.upsample()) {
                    continue;
                  }
                  double p =
                      Memory.get(
                              x,
                              1
                                  + (((long) n * s.inChannels() + c) * s.height()
                                          + iy / s.upsample())
                                      * s.width()
                                  + ix / s.upsample())
                          * Memory.value(
                              w,
                              (((long) o * s.inChannels() + c) * s.kernelHeight() + ky)
                                      * s.kernelWidth()
                                  + kx);
                  sum += p;
                  size += Math.abs(p);
                }
              }
            }
            double exact = Memory.activate(f, sum);
            int k = s.inChannels() * s.kernelHeight() * s.kernelWidth();
            double bound =
                1.2 * (2 + Math.sqrt(k)) * Memory.ULP * size + 4 * Memory.ULP * Math.abs(exact);
            if (extras) {
              exact += Memory.get(residual, at);
              bound += Memory.ULP * Math.abs(exact);
            }
            double error = Math.abs(Memory.get(out, at) - exact);
            assertThat(error)
                .as("%s %s %s at (%d,%d,%d,%d)", s, type, f, n, o, y, z)
                .isLessThanOrEqualTo(bound);
            worst = Math.max(worst, bound == 0 ? 0 : error / bound);
          }
        }
      }
    }
  }

  /** What a sum of products can be at most: weights of a channel times its largest pixel. */
  private static double spread(Conv2d.Shape s, MemorySegment x, StoredVector w, int n, int o) {
    int taps = s.kernelHeight() * s.kernelWidth();
    long pixels = (long) s.height() * s.width();
    double sum = 0;
    for (int c = 0; c < s.inChannels(); c++) {
      double weights = 0;
      for (int tap = 0; tap < taps; tap++) {
        weights += Math.abs(Memory.value(w, (o * s.inChannels() + c) * taps + tap));
      }
      double largest = 0;
      for (long i = 0; i < pixels; i++) {
        long at = 1 + ((long) n * s.inChannels() + c) * pixels + i;
        largest = Math.max(largest, Math.abs(Memory.get(x, at)));
      }
      sum += weights * largest;
    }
    return sum;
  }

  @Test
  void refusesImpossibleShapes() {
    assertThatThrownBy(() -> Conv2d.Shape.of(1, 1, 2, 2, 1, 5, 1, 0)).hasMessageContaining("5x5");
    assertThatThrownBy(() -> Conv2d.Shape.of(1, 0, 2, 2, 1, 1, 1, 0))
        .hasMessageContaining("channels 0");
  }
}
