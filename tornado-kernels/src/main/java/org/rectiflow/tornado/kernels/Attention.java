package org.rectiflow.tornado.kernels;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * Softmax attention over the tokens of several sequences at once (the paper's joint attention),
 * without ever storing the matrix of scores: the softmax is rescaled as larger scores turn up
 * ("online").
 *
 * <p>A group of 16 x 16 lanes has 64 queries of one head and goes over the keys in tiles of 64. Of
 * each tile it computes 64 x 64 scores, 4 x 4 a lane, then the weighted sum of 64 columns of the
 * values, 4 x 4 a lane again. A head of more than 64 columns is split among groups, each of which
 * computes the scores for itself.
 */
public final class Attention {
  /** Side of a group of lanes. */
  public static final int LANES = 16;

  /** Queries and keys of a tile, and columns a group computes. */
  public static final int TILE = 64;

  /** Most sequences. */
  public static final int MAX_STREAMS = 6;

  private static final int DEPTH = 16;
  private static final int STRIDE = TILE + 1; // an odd stride keeps lanes on different banks
  private static final float LOWEST = -1e30f;

  /** Where the sequences' entries begin in a row, and how long each is. */
  private static final int STREAMS = 12;

  private static final int STREAM = 5;

  private Attention() {}

  /**
   * One sequence: its number of tokens and the offsets of its operands and result, [B, tokens, H D]
   * each.
   */
  public record Stream(int tokens, int q, int k, int v, int y) {}

  /**
   * Arguments of {@link #attention}.
   *
   * @param scale offset of the constant
   * @param causal 1 or 0
   * @param bias offset of [H, T, T] or -1
   */
  public static int[] row(
      int batch, int heads, int d, int scale, int causal, int bias, Stream... streams) {
    int[] row = new int[Row.LENGTH];
    int tokens = 0;
    for (int s = 0; s < streams.length; s++) {
      tokens += streams[s].tokens;
      int at = STREAMS + STREAM * s;
      row[at] = streams[s].tokens;
      row[at + 1] = streams[s].q;
      row[at + 2] = streams[s].k;
      row[at + 3] = streams[s].v;
      row[at + 4] = streams[s].y;
    }
    row[2] = batch;
    row[3] = heads;
    row[4] = d;
    row[5] = tokens;
    row[6] = scale;
    row[7] = causal;
    row[8] = bias;
    row[9] = chunks(d);
    return row;
  }

  /** Groups that share a head of {@code d} columns. */
  public static int chunks(int d) {
    return (d + TILE - 1) / TILE;
  }

  /** Offset of token {@code t}'s row in operand {@code which} (1 to 4) of its sequence. */
  private static int address(IntArray p, int which, int b, int t, int width) {
    int at = STREAMS;
    int token = t;
    int length = p.get(at);
    while (token >= length) {
      token -= length;
      at += STREAM;
      length = p.get(at);
    }
    return p.get(at + which) + (b * length + token) * width;
  }

  /** A score made ready for the softmax: scaled, biased, or far below all others. */
  private static float score(
      FloatArray mem, IntArray p, int head, int query, int key, float scale, float dot) {
    int tokens = p.get(5);
    float s = dot * scale;
    if (query < tokens && key < tokens && p.get(8) >= 0) {
      s = s + mem.get(p.get(8) + (head * tokens + query) * tokens + key);
    }
    if (key >= tokens || (p.get(7) == 1 && key > query)) {
      s = LOWEST;
    }
    return s;
  }

  public static void attention(KernelContext context, FloatArray mem, IntArray p) {
    float[] qs = context.allocateFloatLocalArray(DEPTH * STRIDE);
    float[] ks = context.allocateFloatLocalArray(DEPTH * STRIDE);
    float[] ps = context.allocateFloatLocalArray(TILE * STRIDE);
    float[] largest = context.allocateFloatLocalArray(TILE);
    float[] sums = context.allocateFloatLocalArray(TILE);
    float[] fade = context.allocateFloatLocalArray(TILE);
    int[] queryAt = context.allocateIntLocalArray(TILE);
    int[] keyAt = context.allocateIntLocalArray(TILE);
    int[] valueAt = context.allocateIntLocalArray(TILE);
    int tx = context.localIdx;
    int ty = context.localIdy;
    int lane = ty * LANES + tx;
    int heads = p.get(3);
    int d = p.get(4);
    int tokens = p.get(5);
    int chunks = p.get(9);
    int group = context.groupIdy;
    int column0 = group % chunks * TILE;
    int head = group / chunks % heads;
    int b = group / chunks / heads;
    int width = heads * d;
    int query0 = context.groupIdx * TILE;
    float scale = mem.get(p.get(6));
    if (lane < TILE) {
      int at = -1;
      if (query0 + lane < tokens && b < p.get(2)) {
        at = address(p, 1, b, query0 + lane, width) + head * d;
      }
      queryAt[lane] = at;
      largest[lane] = LOWEST;
      sums[lane] = 0f;
    }
    context.localBarrier();
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
    int end = tokens;
    if (p.get(7) == 1) {
      end = Tile.atMost(query0 + TILE, tokens);
    }
    if (b >= p.get(2)) {
      end = 0;
    }
    for (int key0 = 0; key0 < end; key0 += TILE) {
      if (lane < TILE) {
        int kAt = -1;
        int vAt = -1;
        if (key0 + lane < tokens) {
          kAt = address(p, 2, b, key0 + lane, width) + head * d;
          vAt = address(p, 3, b, key0 + lane, width) + head * d;
        }
        keyAt[lane] = kAt;
        valueAt[lane] = vAt;
      }
      context.localBarrier();
      float s00 = 0f;
      float s01 = 0f;
      float s02 = 0f;
      float s03 = 0f;
      float s10 = 0f;
      float s11 = 0f;
      float s12 = 0f;
      float s13 = 0f;
      float s20 = 0f;
      float s21 = 0f;
      float s22 = 0f;
      float s23 = 0f;
      float s30 = 0f;
      float s31 = 0f;
      float s32 = 0f;
      float s33 = 0f;
      for (int d0 = 0; d0 < d; d0 += DEPTH) {
        for (int e = lane; e < DEPTH * TILE; e += LANES * LANES) {
          int i = e % DEPTH;
          int t = e / DEPTH;
          float qv = 0f;
          float kv = 0f;
          if (d0 + i < d) {
            if (queryAt[t] >= 0) {
              qv = mem.get(queryAt[t] + d0 + i);
            }
            if (keyAt[t] >= 0) {
              kv = mem.get(keyAt[t] + d0 + i);
            }
          }
          qs[i * STRIDE + t] = qv;
          ks[i * STRIDE + t] = kv;
        }
        context.localBarrier();
        for (int i = 0; i < DEPTH; i++) {
          int qi = i * STRIDE + ty;
          int ki = i * STRIDE + tx;
          float qv0 = qs[qi];
          float qv1 = qs[qi + 16];
          float qv2 = qs[qi + 32];
          float qv3 = qs[qi + 48];
          float kv0 = ks[ki];
          float kv1 = ks[ki + 16];
          float kv2 = ks[ki + 32];
          float kv3 = ks[ki + 48];
          s00 += qv0 * kv0;
          s01 += qv0 * kv1;
          s02 += qv0 * kv2;
          s03 += qv0 * kv3;
          s10 += qv1 * kv0;
          s11 += qv1 * kv1;
          s12 += qv1 * kv2;
          s13 += qv1 * kv3;
          s20 += qv2 * kv0;
          s21 += qv2 * kv1;
          s22 += qv2 * kv2;
          s23 += qv2 * kv3;
          s30 += qv3 * kv0;
          s31 += qv3 * kv1;
          s32 += qv3 * kv2;
          s33 += qv3 * kv3;
        }
        context.localBarrier();
      }
      for (int j = 0; j < 4; j++) {
        int key = key0 + tx + 16 * j;
        int query = query0 + ty;
        int at = ty * STRIDE + tx + 16 * j;
        float t0 = Tile.pick(j, s00, s01, s02, s03);
        float t1 = Tile.pick(j, s10, s11, s12, s13);
        float t2 = Tile.pick(j, s20, s21, s22, s23);
        float t3 = Tile.pick(j, s30, s31, s32, s33);
        ps[at] = score(mem, p, head, query, key, scale, t0);
        ps[at + 16 * STRIDE] = score(mem, p, head, query + 16, key, scale, t1);
        ps[at + 32 * STRIDE] = score(mem, p, head, query + 32, key, scale, t2);
        ps[at + 48 * STRIDE] = score(mem, p, head, query + 48, key, scale, t3);
      }
      context.localBarrier();
      if (lane < TILE) {
        int row = lane * STRIDE;
        float before = largest[lane];
        float now = before;
        for (int j = 0; j < TILE; j++) {
          now = TornadoMath.max(now, ps[row + j]);
        }
        float sum = 0f;
        for (int j = 0; j < TILE; j++) {
          float s = ps[row + j];
          float w = 0f;
          if (s > LOWEST) {
            w = TornadoMath.exp(s - now);
          }
          ps[row + j] = w;
          sum += w;
        }
        float f = 0f;
        if (before > LOWEST) {
          f = TornadoMath.exp(before - now);
        }
        fade[lane] = f;
        sums[lane] = sums[lane] * f + sum;
        largest[lane] = now;
      }
      context.localBarrier();
      float f0 = fade[ty];
      float f1 = fade[ty + 16];
      float f2 = fade[ty + 32];
      float f3 = fade[ty + 48];
      a00 = a00 * f0;
      a01 = a01 * f0;
      a02 = a02 * f0;
      a03 = a03 * f0;
      a10 = a10 * f1;
      a11 = a11 * f1;
      a12 = a12 * f1;
      a13 = a13 * f1;
      a20 = a20 * f2;
      a21 = a21 * f2;
      a22 = a22 * f2;
      a23 = a23 * f2;
      a30 = a30 * f3;
      a31 = a31 * f3;
      a32 = a32 * f3;
      a33 = a33 * f3;
      for (int j0 = 0; j0 < TILE; j0 += DEPTH) {
        for (int e = lane; e < DEPTH * TILE; e += LANES * LANES) {
          int column = e % TILE;
          int j = e / TILE;
          float v = 0f;
          if (column0 + column < d && valueAt[j0 + j] >= 0) {
            v = mem.get(valueAt[j0 + j] + column0 + column);
          }
          ks[j * STRIDE + column] = v;
        }
        context.localBarrier();
        for (int j = 0; j < DEPTH; j++) {
          int pi = ty * STRIDE + j0 + j;
          int vi = j * STRIDE + tx;
          float pv0 = ps[pi];
          float pv1 = ps[pi + 16 * STRIDE];
          float pv2 = ps[pi + 32 * STRIDE];
          float pv3 = ps[pi + 48 * STRIDE];
          float vv0 = ks[vi];
          float vv1 = ks[vi + 16];
          float vv2 = ks[vi + 32];
          float vv3 = ks[vi + 48];
          a00 += pv0 * vv0;
          a01 += pv0 * vv1;
          a02 += pv0 * vv2;
          a03 += pv0 * vv3;
          a10 += pv1 * vv0;
          a11 += pv1 * vv1;
          a12 += pv1 * vv2;
          a13 += pv1 * vv3;
          a20 += pv2 * vv0;
          a21 += pv2 * vv1;
          a22 += pv2 * vv2;
          a23 += pv2 * vv3;
          a30 += pv3 * vv0;
          a31 += pv3 * vv1;
          a32 += pv3 * vv2;
          a33 += pv3 * vv3;
        }
        context.localBarrier();
      }
    }
    for (int i = 0; i < 4; i++) {
      int t = ty + 16 * i;
      if (queryAt[t] >= 0) {
        int y = address(p, 4, b, query0 + t, width) + head * d;
        int column = column0 + tx;
        float inverse = 1f / sums[t];
        if (column < d) {
          mem.set(y + column, Tile.pick(i, a00, a10, a20, a30) * inverse);
        }
        if (column + 16 < d) {
          mem.set(y + column + 16, Tile.pick(i, a01, a11, a21, a31) * inverse);
        }
        if (column + 32 < d) {
          mem.set(y + column + 32, Tile.pick(i, a02, a12, a22, a32) * inverse);
        }
        if (column + 48 < d) {
          mem.set(y + column + 48, Tile.pick(i, a03, a13, a23, a33) * inverse);
        }
      }
    }
    Row.stamp(context, mem, p);
  }
}
