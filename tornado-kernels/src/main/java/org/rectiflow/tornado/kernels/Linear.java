package org.rectiflow.tornado.kernels;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.ShortArray;

/**
 * {@code y = x W^T + b}, x [M, K], W [N, K], and what is done to the sums before they are written.
 *
 * <p>Tiled: a group of 16 x 16 lanes computes 64 x 64 results, 4 x 4 each in registers, from slices
 * of 16 columns of x and W in local memory. A weight is decoded once for 64 rows. Each sum is added
 * up in the order of k by one lane.
 *
 * <p>For few rows: a group of 64 lanes computes one column of 4 rows, the lanes striding along k,
 * so that W is read once, in order, for 4 rows.
 */
public final class Linear {
  /** Side of a group of lanes. */
  public static final int LANES = 16;

  /** Side of the tile a group computes. */
  public static final int TILE = 64;

  /** Side of the block of results that a lane computes by itself. */
  public static final int BLOCK = 4;

  /** Lanes of a group for few rows. */
  public static final int STRIDERS = 64;

  /** Rows that such a group computes. */
  public static final int FEW = 4;

  /** What becomes of a sum v: {@code v}. */
  public static final int PLAIN = 0;

  /** {@code other + gate[sample] * v}. */
  public static final int GATED_ADD = 1;

  /** {@code other + v}. */
  public static final int ADD = 2;

  /** {@code other * v}. */
  public static final int MUL = 3;

  private static final int DEPTH = 16;
  private static final int STRIDE = TILE + 1; // an odd stride keeps lanes on different banks

  private Linear() {}

  /**
   * What is done to a sum: bias, non-linearity, then a second operand of y's shape.
   *
   * @param bias offset of [N] or -1
   * @param function code of {@link Functions}
   * @param combine {@link #PLAIN}, {@link #GATED_ADD}, {@link #ADD} or {@link #MUL}
   * @param other offset of the second operand [M, N]
   * @param gate offset of the gate [M / rowsPerGate, N]
   * @param rowsPerGate rows of a sample
   */
  public record Finish(int bias, int function, int combine, int other, int gate, int rowsPerGate) {}

  /** Arguments of all kernels of this class. */
  public static int[] row(int m, int n, int k, int x, int w, int y, int powers, Finish finish) {
    return Row.of(
        m,
        n,
        k,
        x,
        w,
        y,
        powers,
        finish.bias,
        finish.function,
        finish.combine,
        finish.other,
        finish.gate,
        finish.rowsPerGate);
  }

  static void finish(FloatArray mem, IntArray p, int row, int column, float sum) {
    int n = p.get(3);
    if (row < p.get(2) && column < n) {
      float v = sum;
      int at = row * n + column;
      if (p.get(9) >= 0) {
        v = v + mem.get(p.get(9) + column);
      }
      v = Functions.apply(p.get(10), v);
      int combine = p.get(11);
      if (combine == GATED_ADD) {
        v = mem.get(p.get(12) + at) + mem.get(p.get(13) + row / p.get(14) * n + column) * v;
      } else if (combine == ADD) {
        v = mem.get(p.get(12) + at) + v;
      } else if (combine == MUL) {
        v = mem.get(p.get(12) + at) * v;
      }
      mem.set(p.get(7) + at, v);
    }
  }

  private static void tiled(
      KernelContext context, FloatArray mem, FloatArray w32, ShortArray w16, int kind, IntArray p) {
    float[] xs = context.allocateFloatLocalArray(DEPTH * STRIDE);
    float[] ws = context.allocateFloatLocalArray(DEPTH * STRIDE);
    int tx = context.localIdx;
    int ty = context.localIdy;
    int lane = ty * LANES + tx;
    int row0 = context.groupIdy * TILE;
    int column0 = context.groupIdx * TILE;
    int m = p.get(2);
    int n = p.get(3);
    int k = p.get(4);
    int x = p.get(5);
    int w = p.get(6);
    int powers = p.get(8);
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
    for (int k0 = 0; k0 < k; k0 += DEPTH) {
      for (int q = 0; q < 4; q++) {
        int e = lane + 256 * q;
        int kk = e % DEPTH;
        int r = e / DEPTH;
        float xv = 0f;
        float wv = 0f;
        if (k0 + kk < k) {
          if (row0 + r < m) {
            xv = mem.get(x + (row0 + r) * k + k0 + kk);
          }
          if (column0 + r < n) {
            wv = Stored.at(mem, powers, w32, w16, kind, w + (column0 + r) * k + k0 + kk);
          }
        }
        xs[kk * STRIDE + r] = xv;
        ws[kk * STRIDE + r] = wv;
      }
      context.localBarrier();
      for (int kk = 0; kk < DEPTH; kk++) {
        int xi = kk * STRIDE + ty;
        int wi = kk * STRIDE + tx;
        float x0 = xs[xi];
        float x1 = xs[xi + 16];
        float x2 = xs[xi + 32];
        float x3 = xs[xi + 48];
        float w0 = ws[wi];
        float w1 = ws[wi + 16];
        float w2 = ws[wi + 32];
        float w3 = ws[wi + 48];
        a00 += x0 * w0;
        a01 += x0 * w1;
        a02 += x0 * w2;
        a03 += x0 * w3;
        a10 += x1 * w0;
        a11 += x1 * w1;
        a12 += x1 * w2;
        a13 += x1 * w3;
        a20 += x2 * w0;
        a21 += x2 * w1;
        a22 += x2 * w2;
        a23 += x2 * w3;
        a30 += x3 * w0;
        a31 += x3 * w1;
        a32 += x3 * w2;
        a33 += x3 * w3;
      }
      context.localBarrier();
    }
    int row = row0 + ty;
    int column = column0 + tx;
    for (int j = 0; j < 4; j++) {
      finish(mem, p, row, column + 16 * j, Tile.pick(j, a00, a01, a02, a03));
      finish(mem, p, row + 16, column + 16 * j, Tile.pick(j, a10, a11, a12, a13));
      finish(mem, p, row + 32, column + 16 * j, Tile.pick(j, a20, a21, a22, a23));
      finish(mem, p, row + 48, column + 16 * j, Tile.pick(j, a30, a31, a32, a33));
    }
    Row.stamp(context, mem, p);
  }

  private static void blocked(
      KernelContext context, FloatArray mem, FloatArray w32, ShortArray w16, int kind, IntArray p) {
    int row0 = context.globalIdy * BLOCK;
    int column0 = context.globalIdx * BLOCK;
    int m = p.get(2);
    int n = p.get(3);
    if (row0 < m && column0 < n) {
      int k = p.get(4);
      int x = p.get(5) + row0 * k;
      int w = p.get(6) + column0 * k;
      int powers = p.get(8);
      // Rows and columns beyond the last are computed from the last and not written.
      int x1 = x + Tile.atMost(1, m - 1 - row0) * k;
      int x2 = x + Tile.atMost(2, m - 1 - row0) * k;
      int x3 = x + Tile.atMost(3, m - 1 - row0) * k;
      int w1 = w + Tile.atMost(1, n - 1 - column0) * k;
      int w2 = w + Tile.atMost(2, n - 1 - column0) * k;
      int w3 = w + Tile.atMost(3, n - 1 - column0) * k;
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
      for (int i = 0; i < k; i++) {
        float xv0 = mem.get(x + i);
        float xv1 = mem.get(x1 + i);
        float xv2 = mem.get(x2 + i);
        float xv3 = mem.get(x3 + i);
        float wv0 = Stored.at(mem, powers, w32, w16, kind, w + i);
        float wv1 = Stored.at(mem, powers, w32, w16, kind, w1 + i);
        float wv2 = Stored.at(mem, powers, w32, w16, kind, w2 + i);
        float wv3 = Stored.at(mem, powers, w32, w16, kind, w3 + i);
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
      }
      for (int j = 0; j < 4; j++) {
        finish(mem, p, row0, column0 + j, Tile.pick(j, a00, a01, a02, a03));
        finish(mem, p, row0 + 1, column0 + j, Tile.pick(j, a10, a11, a12, a13));
        finish(mem, p, row0 + 2, column0 + j, Tile.pick(j, a20, a21, a22, a23));
        finish(mem, p, row0 + 3, column0 + j, Tile.pick(j, a30, a31, a32, a33));
      }
    }
    Row.stamp(context, mem, p);
  }

  private static void few(
      KernelContext context, FloatArray mem, FloatArray w32, ShortArray w16, int kind, IntArray p) {
    float[] sums = context.allocateFloatLocalArray(STRIDERS);
    int lane = context.localIdx;
    int column = context.groupIdx;
    int row0 = context.groupIdy * FEW;
    int m = p.get(2);
    int k = p.get(4);
    int x = p.get(5) + row0 * k;
    int w = p.get(6) + column * k;
    int powers = p.get(8);
    // Rows beyond the last are computed from the last and not written.
    int r1 = Tile.atMost(1, m - 1 - row0) * k;
    int r2 = Tile.atMost(2, m - 1 - row0) * k;
    int r3 = Tile.atMost(3, m - 1 - row0) * k;
    float a0 = 0f;
    float a1 = 0f;
    float a2 = 0f;
    float a3 = 0f;
    if (column < p.get(3)) {
      for (int i = lane; i < k; i += STRIDERS) {
        float wv = Stored.at(mem, powers, w32, w16, kind, w + i);
        a0 += mem.get(x + i) * wv;
        a1 += mem.get(x + r1 + i) * wv;
        a2 += mem.get(x + r2 + i) * wv;
        a3 += mem.get(x + r3 + i) * wv;
      }
    }
    for (int j = 0; j < FEW; j++) {
      sums[lane] = Tile.pick(j, a0, a1, a2, a3);
      context.localBarrier();
      for (int s = STRIDERS / 2; s > 0; s = s / 2) {
        if (lane < s) {
          sums[lane] = sums[lane] + sums[lane + s];
        }
        context.localBarrier();
      }
      if (lane == 0) {
        finish(mem, p, row0 + j, column, sums[0]);
      }
      context.localBarrier();
    }
    Row.stamp(context, mem, p);
  }

  public static void linearMem(KernelContext context, FloatArray mem, IntArray p) {
    tiled(context, mem, mem, null, Stored.F32, p);
  }

  public static void linearFloats(
      KernelContext context, FloatArray mem, FloatArray weights, IntArray p) {
    tiled(context, mem, weights, null, Stored.F32, p);
  }

  public static void linearHalves(
      KernelContext context, FloatArray mem, ShortArray weights, IntArray p) {
    tiled(context, mem, null, weights, Stored.F16, p);
  }

  public static void linearBfloats(
      KernelContext context, FloatArray mem, ShortArray weights, IntArray p) {
    tiled(context, mem, null, weights, Stored.BF16, p);
  }

  public static void blockedMem(KernelContext context, FloatArray mem, IntArray p) {
    blocked(context, mem, mem, null, Stored.F32, p);
  }

  public static void blockedFloats(
      KernelContext context, FloatArray mem, FloatArray weights, IntArray p) {
    blocked(context, mem, weights, null, Stored.F32, p);
  }

  public static void blockedHalves(
      KernelContext context, FloatArray mem, ShortArray weights, IntArray p) {
    blocked(context, mem, null, weights, Stored.F16, p);
  }

  public static void blockedBfloats(
      KernelContext context, FloatArray mem, ShortArray weights, IntArray p) {
    blocked(context, mem, null, weights, Stored.BF16, p);
  }

  public static void fewMem(KernelContext context, FloatArray mem, IntArray p) {
    few(context, mem, mem, null, Stored.F32, p);
  }

  public static void fewFloats(
      KernelContext context, FloatArray mem, FloatArray weights, IntArray p) {
    few(context, mem, weights, null, Stored.F32, p);
  }

  public static void fewHalves(
      KernelContext context, FloatArray mem, ShortArray weights, IntArray p) {
    few(context, mem, null, weights, Stored.F16, p);
  }

  public static void fewBfloats(
      KernelContext context, FloatArray mem, ShortArray weights, IntArray p) {
    few(context, mem, null, weights, Stored.BF16, p);
  }
}
