package org.rectiflow.tornado.kernels;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * Normalisation: a group of lanes for each row or group of channels. Sums are taken in two levels,
 * so that rounding errors stay small in long ones, and in an order that depends on the length only.
 */
public final class Norms {
  /** Lanes of a group of {@link #layerNorm} and {@link #rmsNorm}. */
  public static final int ROW_LANES = 64;

  /** Lanes of a group of {@link #groupNorm}. */
  public static final int GROUP_LANES = 256;

  /** Rows up to this long are normalised by one lane each. */
  public static final int SHORT_ROW = 256;

  private static final int RUN = 256;

  private Norms() {}

  /** Adds one value of each lane; every lane gets the sum. */
  private static float sum(KernelContext context, float[] local, int lane, int lanes, float v) {
    local[lane] = v;
    context.localBarrier();
    for (int s = lanes / 2; s > 0; s = s / 2) {
      if (lane < s) {
        local[lane] = local[lane] + local[lane + s];
      }
      context.localBarrier();
    }
    float total = local[0];
    context.localBarrier();
    return total;
  }

  /** Sum over a lane's share of {@code (x - mean)^power}, power 1 or 2, in runs. */
  private static float share(
      FloatArray mem, int from, int n, int lane, int lanes, float mean, int power) {
    float total = 0f;
    int i = lane;
    while (i < n) {
      float part = 0f;
      int end = Tile.atMost(i + RUN * lanes, n);
      while (i < end) {
        float d = mem.get(from + i) - mean;
        float term = d;
        if (power == 2) {
          term = d * d;
        }
        part += term;
        i += lanes;
      }
      total += part;
    }
    return total;
  }

  /**
   * Arguments of {@link #layerNorm}.
   *
   * @param eps offset of the constant
   * @param weight offset of [C] or -1
   * @param bias offset of [C] or -1
   * @param shift offset of the modulation's shift [rows / rowsPerSample, C] or -1
   * @param scale offset of its scale
   */
  public static int[] layerNormRow(
      int rows,
      int c,
      int x,
      int y,
      int eps,
      int weight,
      int bias,
      int shift,
      int scale,
      int rowsPerSample) {
    return Row.of(rows, c, x, y, eps, weight, bias, shift, scale, rowsPerSample);
  }

  /** Layer norm over rows of C, then the modulation if there is one. */
  public static void layerNorm(KernelContext context, FloatArray mem, IntArray p) {
    float[] local = context.allocateFloatLocalArray(ROW_LANES);
    int lane = context.localIdx;
    int row = context.groupIdx;
    int c = p.get(3);
    // A group beyond the last row works on the last one and writes nothing: all lanes of a group
    // must meet at the barriers.
    int x = p.get(4) + Tile.atMost(row, p.get(2) - 1) * c;
    float mean = sum(context, local, lane, ROW_LANES, share(mem, x, c, lane, ROW_LANES, 0f, 1)) / c;
    float variance =
        sum(context, local, lane, ROW_LANES, share(mem, x, c, lane, ROW_LANES, mean, 2)) / c;
    float factor = 1f / TornadoMath.sqrt(variance + mem.get(p.get(6)));
    if (row < p.get(2)) {
      int weight = p.get(7);
      int shift = p.get(9);
      int modulation = row / p.get(11) * c;
      for (int i = lane; i < c; i += ROW_LANES) {
        float v = (mem.get(x + i) - mean) * factor;
        if (weight >= 0) {
          v = v * mem.get(weight + i) + mem.get(p.get(8) + i);
        }
        if (shift >= 0) {
          v = v * (1f + mem.get(p.get(10) + modulation + i)) + mem.get(shift + modulation + i);
        }
        mem.set(p.get(5) + row * c + i, v);
      }
    }
    Row.stamp(context, mem, p);
  }

  /** Arguments of {@link #rmsNorm} and {@link #rmsNormShort}. */
  public static int[] rmsNormRow(int rows, int c, int x, int y, int eps, int weight) {
    return Row.of(rows, c, x, y, eps, weight);
  }

  /** {@code x / sqrt(mean(x^2) + eps) * weight} over rows of C. */
  public static void rmsNorm(KernelContext context, FloatArray mem, IntArray p) {
    float[] local = context.allocateFloatLocalArray(ROW_LANES);
    int lane = context.localIdx;
    int row = context.groupIdx;
    int c = p.get(3);
    int x = p.get(4) + Tile.atMost(row, p.get(2) - 1) * c;
    float squares =
        sum(context, local, lane, ROW_LANES, share(mem, x, c, lane, ROW_LANES, 0f, 2)) / c;
    float factor = 1f / TornadoMath.sqrt(squares + mem.get(p.get(6)));
    if (row < p.get(2)) {
      for (int i = lane; i < c; i += ROW_LANES) {
        mem.set(p.get(5) + row * c + i, mem.get(x + i) * factor * mem.get(p.get(7) + i));
      }
    }
    Row.stamp(context, mem, p);
  }

  static void rmsNormLane(FloatArray mem, IntArray p, int row) {
    if (row < p.get(2)) {
      int c = p.get(3);
      int x = p.get(4) + row * c;
      int y = p.get(5) + row * c;
      float squares = 0f;
      for (int i = 0; i < c; i++) {
        squares += mem.get(x + i) * mem.get(x + i);
      }
      float factor = 1f / TornadoMath.sqrt(squares / c + mem.get(p.get(6)));
      for (int i = 0; i < c; i++) {
        mem.set(y + i, mem.get(x + i) * factor * mem.get(p.get(7) + i));
      }
    }
  }

  /** As {@link #rmsNorm}, a lane for each row: for rows of a head's size. */
  public static void rmsNormShort(KernelContext context, FloatArray mem, IntArray p) {
    rmsNormLane(mem, p, context.globalIdx);
    Row.stamp(context, mem, p);
  }

  /**
   * Arguments of {@link #groupNorm}.
   *
   * @param groups groups of all samples
   * @param perSample groups of one sample
   * @param channels channels of a group
   * @param function code of {@link Functions}
   */
  public static int[] groupNormRow(
      int groups,
      int perSample,
      int channels,
      int pixels,
      int x,
      int y,
      int eps,
      int weight,
      int bias,
      int function) {
    return Row.of(groups, perSample, channels, pixels, x, y, eps, weight, bias, function);
  }

  /** Group norm of [B, C, H, W], then a non-linearity. */
  public static void groupNorm(KernelContext context, FloatArray mem, IntArray p) {
    float[] local = context.allocateFloatLocalArray(GROUP_LANES);
    int lane = context.localIdx;
    int group = context.groupIdx;
    int channels = p.get(4);
    int pixels = p.get(5);
    int n = channels * pixels;
    int at = Tile.atMost(group, p.get(2) - 1) * n;
    int x = p.get(6) + at;
    float mean =
        sum(context, local, lane, GROUP_LANES, share(mem, x, n, lane, GROUP_LANES, 0f, 1)) / n;
    float variance =
        sum(context, local, lane, GROUP_LANES, share(mem, x, n, lane, GROUP_LANES, mean, 2)) / n;
    float factor = 1f / TornadoMath.sqrt(variance + mem.get(p.get(8)));
    if (group < p.get(2)) {
      int channel0 = group % p.get(3) * channels;
      for (int i = lane; i < n; i += GROUP_LANES) {
        int channel = channel0 + i / pixels;
        float v = (mem.get(x + i) - mean) * factor;
        v = v * mem.get(p.get(9) + channel) + mem.get(p.get(10) + channel);
        mem.set(p.get(7) + at + i, Functions.apply(p.get(11), v));
      }
    }
    Row.stamp(context, mem, p);
  }
}
