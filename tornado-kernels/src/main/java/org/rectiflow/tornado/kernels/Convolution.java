package org.rectiflow.tornado.kernels;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.ShortArray;

/**
 * Convolution of x [B, C, H, W] with w [O, C, kh, kw]: any kernel, stride and padding, of x itself
 * or of x with every pixel doubled both ways.
 *
 * <p>A lane computes 4 pixels of 4 channels in registers. The lanes of a group share their
 * channels, so that a weight is one read for all of them, and have neighbouring pixels. Each sum is
 * added up in the order of w by one lane.
 */
public final class Convolution {
  /** Lanes of a group. */
  public static final int LANES = 64;

  /** Pixels a group computes. */
  public static final int PIXELS = 4 * LANES;

  /** Output channels a group computes. */
  public static final int CHANNELS = 4;

  private Convolution() {}

  /**
   * Sizes of a convolution.
   *
   * @param up 1 if x's pixels are doubled first, 0 if not
   */
  public record Geometry(
      int batch,
      int channels,
      int height,
      int width,
      int outChannels,
      int outHeight,
      int outWidth,
      int kernelHeight,
      int kernelWidth,
      int stride,
      int padTop,
      int padLeft,
      int up) {
    /** Pixels of one channel of all samples. */
    public int pixels() {
      return batch * outHeight * outWidth;
    }
  }

  /**
   * Arguments of all kernels of this class.
   *
   * @param bias offset of [O] or -1
   * @param residual offset of a tensor of y's shape to add, or -1
   */
  public static int[] row(Geometry g, int x, int w, int bias, int residual, int y, int powers) {
    return Row.of(
        g.pixels(),
        g.channels,
        g.height,
        g.width,
        g.outChannels,
        g.outHeight,
        g.outWidth,
        g.kernelHeight,
        g.kernelWidth,
        g.stride,
        g.padTop,
        g.padLeft,
        g.up,
        x,
        w,
        bias,
        residual,
        y,
        powers);
  }

  /** The pixel at a tap, or zero outside. */
  private static float pixel(
      FloatArray mem, int plane, int row, int column, int height, int width, int up) {
    float value = 0f;
    if (row >= 0 && column >= 0 && row < (height << up) && column < (width << up)) {
      value = mem.get(plane + (row >> up) * width + (column >> up));
    }
    return value;
  }

  private static void finish(FloatArray mem, IntArray p, int pixel, int channel, float sum) {
    int channels = p.get(6);
    if (pixel < p.get(2) && channel < channels) {
      int plane = p.get(7) * p.get(8);
      int at = (pixel / plane * channels + channel) * plane + pixel % plane;
      float v = sum;
      if (p.get(17) >= 0) {
        v = v + mem.get(p.get(17) + channel);
      }
      if (p.get(18) >= 0) {
        v = mem.get(p.get(18) + at) + v;
      }
      mem.set(p.get(19) + at, v);
    }
  }

  private static void blocked(
      KernelContext context, FloatArray mem, FloatArray w32, ShortArray w16, int kind, IntArray p) {
    int pixel0 = context.groupIdx * PIXELS + context.localIdx;
    int channel0 = context.groupIdy * CHANNELS;
    int pixels = p.get(2);
    int channels = p.get(3);
    int height = p.get(4);
    int width = p.get(5);
    int outChannels = p.get(6);
    int outWidth = p.get(8);
    int outPlane = p.get(7) * outWidth;
    int kernelHeight = p.get(9);
    int kernelWidth = p.get(10);
    int stride = p.get(11);
    int padTop = p.get(12);
    int padLeft = p.get(13);
    int up = p.get(14);
    int x = p.get(15);
    int powers = p.get(20);
    int taps = channels * kernelHeight * kernelWidth;
    int plane = height * width;
    // Pixels and channels beyond the last are computed from the last and not written.
    int q0 = Tile.atMost(pixel0, pixels - 1);
    int q1 = Tile.atMost(pixel0 + LANES, pixels - 1);
    int q2 = Tile.atMost(pixel0 + 2 * LANES, pixels - 1);
    int q3 = Tile.atMost(pixel0 + 3 * LANES, pixels - 1);
    int x0 = x + q0 / outPlane * channels * plane;
    int x1 = x + q1 / outPlane * channels * plane;
    int x2 = x + q2 / outPlane * channels * plane;
    int x3 = x + q3 / outPlane * channels * plane;
    int r0 = q0 % outPlane / outWidth * stride - padTop;
    int r1 = q1 % outPlane / outWidth * stride - padTop;
    int r2 = q2 % outPlane / outWidth * stride - padTop;
    int r3 = q3 % outPlane / outWidth * stride - padTop;
    int c0 = q0 % outWidth * stride - padLeft;
    int c1 = q1 % outWidth * stride - padLeft;
    int c2 = q2 % outWidth * stride - padLeft;
    int c3 = q3 % outWidth * stride - padLeft;
    int w0 = p.get(16) + channel0 * taps;
    int w1 = w0 + Tile.atMost(1, outChannels - 1 - channel0) * taps;
    int w2 = w0 + Tile.atMost(2, outChannels - 1 - channel0) * taps;
    int w3 = w0 + Tile.atMost(3, outChannels - 1 - channel0) * taps;
    float a00 = 0f;
    float a01 = 0f;
    float a02 = 0f;
    float a03 = 0f;
    float a10 = 0f;
    float a11 = 0f;
    float a12 = 0f;
    float a13 = 0f;
    float a20 = 0f;
    float a21 = 0f;
    float a22 = 0f;
    float a23 = 0f;
    float a30 = 0f;
    float a31 = 0f;
    float a32 = 0f;
    float a33 = 0f;
    int tap = 0;
    for (int c = 0; c < channels; c++) {
      for (int i = 0; i < kernelHeight; i++) {
        for (int j = 0; j < kernelWidth; j++) {
          float xv0 = pixel(mem, x0 + c * plane, r0 + i, c0 + j, height, width, up);
          float xv1 = pixel(mem, x1 + c * plane, r1 + i, c1 + j, height, width, up);
          float xv2 = pixel(mem, x2 + c * plane, r2 + i, c2 + j, height, width, up);
          float xv3 = pixel(mem, x3 + c * plane, r3 + i, c3 + j, height, width, up);
          float wv0 = Stored.at(mem, powers, w32, w16, kind, w0 + tap);
          float wv1 = Stored.at(mem, powers, w32, w16, kind, w1 + tap);
          float wv2 = Stored.at(mem, powers, w32, w16, kind, w2 + tap);
          float wv3 = Stored.at(mem, powers, w32, w16, kind, w3 + tap);
          a00 += xv0 * wv0;
          a01 += xv0 * wv1;
          a02 += xv0 * wv2;
          a03 += xv0 * wv3;
          a10 += xv1 * wv0;
          a11 += xv1 * wv1;
          a12 += xv1 * wv2;
          a13 += xv1 * wv3;
          a20 += xv2 * wv0;
          a21 += xv2 * wv1;
          a22 += xv2 * wv2;
          a23 += xv2 * wv3;
          a30 += xv3 * wv0;
          a31 += xv3 * wv1;
          a32 += xv3 * wv2;
          a33 += xv3 * wv3;
          tap++;
        }
      }
    }
    for (int o = 0; o < CHANNELS; o++) {
      finish(mem, p, pixel0, channel0 + o, Tile.pick(o, a00, a01, a02, a03));
      finish(mem, p, pixel0 + LANES, channel0 + o, Tile.pick(o, a10, a11, a12, a13));
      finish(mem, p, pixel0 + 2 * LANES, channel0 + o, Tile.pick(o, a20, a21, a22, a23));
      finish(mem, p, pixel0 + 3 * LANES, channel0 + o, Tile.pick(o, a30, a31, a32, a33));
    }
    Row.stamp(context, mem, p);
  }

  public static void convolveMem(KernelContext context, FloatArray mem, IntArray p) {
    blocked(context, mem, mem, null, Stored.F32, p);
  }

  public static void convolveFloats(
      KernelContext context, FloatArray mem, FloatArray weights, IntArray p) {
    blocked(context, mem, weights, null, Stored.F32, p);
  }

  public static void convolveHalves(
      KernelContext context, FloatArray mem, ShortArray weights, IntArray p) {
    blocked(context, mem, null, weights, Stored.F16, p);
  }

  public static void convolveBfloats(
      KernelContext context, FloatArray mem, ShortArray weights, IntArray p) {
    blocked(context, mem, null, weights, Stored.BF16, p);
  }
}
