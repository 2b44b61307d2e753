package org.rectiflow.engine.cpu.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Derivatives of {@link Conv2d} without upsampling. Tensors are contiguous. */
public final class Conv2dGrads {
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT.withOrder(Simd.LE);

  private Conv2dGrads() {}

  /**
   * By the input: the convolution of dy, its pixels {@code stride} apart, with the kernel turned by
   * 180 degrees and its channels exchanged.
   *
   * @param s sizes of the forward convolution
   * @param w float32 [O, I, kh, kw]
   * @param dy float32 [N, O, outHeight, outWidth]
   * @param dx float32 [N, I, H, W]
   */
  public static void input(
      Workers workers, Conv2d.Shape s, StoredVector w, StoredVector dy, StoredVector dx) {
    int kh = s.kernelHeight();
    int kw = s.kernelWidth();
    if (s.padTop() >= kh || s.padLeft() >= kw || s.upsample() != 1) {
      throw new UnsupportedOperationException(
          "the derivative of a convolution whose padding is not smaller than its kernel: " + s);
    }
    int height = (s.outHeight() - 1) * s.stride() + 1;
    int width = (s.outWidth() - 1) * s.stride() + 1;
    int top = kh - 1 - s.padTop();
    int left = kw - 1 - s.padLeft();
    Conv2d.Shape back =
        new Conv2d.Shape(
            s.batch(),
            s.outChannels(),
            height,
            width,
            s.inChannels(),
            kh,
            kw,
            1,
            top,
            left,
            s.height() - height - top + kh - 1,
            s.width() - width - left + kw - 1,
            1);
    StoredVector turned = turn(workers, s, w);
    StoredVector spread = s.stride() == 1 ? dy : spread(workers, s, height, width, dy);
    Conv2d.run(workers, new Convolution(back, spread, turned, null, Activation.NONE, null, dx));
  }

  private static StoredVector turn(Workers workers, Conv2d.Shape s, StoredVector w) {
    int taps = s.kernelHeight() * s.kernelWidth();
    int in = s.inChannels();
    int out = s.outChannels();
    MemorySegment turned = workers.shared().segment(3, 4L * in * out * taps);
    workers.parallelFor(
        in,
        (i, _) -> {
          for (int o = 0; o < out; o++) {
            long from = w.byteOffset() + 4L * (o * in + i) * taps;
            long to = 4L * (i * out + o) * taps;
            for (int tap = 0; tap < taps; tap++) {
              turned.set(
                  FLOAT, to + 4L * (taps - 1 - tap), w.segment().get(FLOAT, from + 4L * tap));
            }
          }
        });
    return StoredVector.f32(turned, 0);
  }

  private static StoredVector spread(
      Workers workers, Conv2d.Shape s, int height, int width, StoredVector dy) {
    int rows = s.outHeight();
    int columns = s.outWidth();
    long picture = 4L * height * width;
    MemorySegment spread = workers.shared().segment(4, picture * s.batch() * s.outChannels());
    workers.parallelFor(
        s.batch() * s.outChannels(),
        (plane, _) -> {
          long to = plane * picture;
          spread.asSlice(to, picture).fill((byte) 0);
          for (int r = 0; r < rows; r++) {
            long from = dy.byteOffset() + 4L * (plane * rows + r) * columns;
            for (int c = 0; c < columns; c++) {
              long at = to + 4L * s.stride() * ((long) r * width + c);
              spread.set(FLOAT, at, dy.segment().get(FLOAT, from + 4L * c));
            }
          }
        });
    return StoredVector.f32(spread, 0);
  }

  /**
   * By the weights: sums over all pictures and outputs.
   *
   * @param s sizes of the forward convolution
   * @param x float32 [N, I, H, W]
   * @param dy float32 [N, O, outHeight, outWidth]
   * @param dw float32 [O, I, kh, kw]
   */
  public static void weights(
      Workers workers, Conv2d.Shape s, StoredVector x, StoredVector dy, StoredVector dw) {
    ConvWeightGrad.run(workers, s, x, dy, dw);
  }
}
