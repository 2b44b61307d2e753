package org.rectiflow.engine.cpu.kernels;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * The softmax of {@link Attention}: turns a block of scores {@code [key][query]}, in powers of two,
 * into weights where they lie. What is subtracted from the scores of a query (the shift) follows
 * their maximum only when it must: weights may be as large as 2^{@value #LIMIT}, so a block is
 * nearly always gone through once, and where a shift was needed the maximum is looked for first.
 * The sum of weights lies in the last of the result's rows.
 */
final class Softmax {
  /**
   * How far a maximum may be above the shift, in powers of two: sums of results as large are far
   * from the largest float.
   */
  private static final float LIMIT = 48;

  /** How far a first maximum may be below the shift: weights vanish at 2^-126. */
  private static final float LOWEST = -16;

  /** Adding this rounds to an integer held in the low mantissa bits, see {@link VectorMath}. */
  private static final float ROUND = 0x1.8p23f;

  private static final int ROUNDED_LIMIT = Float.floatToRawIntBits(ROUND + LIMIT);

  // 2^f = 1 + f * (C1 + f * ...) on [-0.5, 0.5], minimax in the relative error, 1e-7.
  private static final float C1 = 0.693147f;
  private static final float C2 = 0.24022242f;
  private static final float C3 = 0.055507336f;
  private static final float C4 = 0.009671513f;
  private static final float C5 = 0.0013264727f;

  private final float[] lanes = new float[2 * Simd.LANES];
  private final float[] start = new float[Tile.ROWS * 2 * Simd.LANES];

  /** A tile whose rows are what the scores begin from. */
  float[] start(float[] shifts, int at, int vectors) {
    int width = vectors * Simd.LANES;
    for (int i = 0; i < width; i++) {
      start[i] = -shifts[at + i];
    }
    for (int r = 1; r < Tile.ROWS; r++) {
      System.arraycopy(start, 0, start, r * width, width);
    }
    return start;
  }

  /**
   * Whether shifts probably have to follow the next scores: one already had to, or a query has
   * found no key yet.
   */
  static boolean isRestless(float[] shifts, int shift, float[] out, int sums, int count) {
    boolean restless = false;
    for (int i = 0; i < count; i++) {
      restless |= shifts[shift + i] != 0f | out[sums + i] == 0f;
    }
    return restless;
  }

  /**
   * Brings the shifts near the maxima where they are too far away, and scores and results with
   * them. A shift is lowered only while the query has found no key.
   *
   * @param first whether there are no results yet
   * @param out results [rows][width] at {@code at}, the last row the sums
   */
  void shift(
      float[] scores,
      int kc,
      int vectors,
      boolean first,
      float[] out,
      int at,
      int rows,
      float[] shifts,
      int shift) {
    int width = vectors * Simd.LANES;
    boolean changed = false;
    for (int v = 0; v < width; v += Simd.LANES) {
      maximum(scores, kc, width, v, lanes);
    }
    for (int i = 0; i < width; i++) {
      float m = lanes[i];
      boolean none = first || out[at + (rows - 1) * width + i] == 0f;
      if (m > LIMIT || (none && m < LOWEST && m != Float.NEGATIVE_INFINITY)) {
        shifts[shift + i] += m;
        changed = true;
      } else {
        lanes[i] = 0f;
      }
    }
    if (!changed) {
      return;
    }
    for (int v = 0; v < width; v += Simd.LANES) {
      subtract(scores, kc, width, v, lanes);
    }
    if (!first) {
      for (int v = 0; v < width; v += Simd.LANES) {
        rescale(out, at + v, rows, width, lanes, v);
      }
    }
  }

  private static void maximum(float[] x, int kc, int width, int lane, float[] max) {
    FloatVector m0 = FloatVector.broadcast(Simd.F, Float.NEGATIVE_INFINITY);
    FloatVector m1 = m0;
    FloatVector m2 = m0;
    FloatVector m3 = m0;
    int j = 0;
    for (; j + 4 <= kc; j += 4) {
      int at = j * width + lane;
      FloatVector a = FloatVector.fromArray(Simd.F, x, at);
      FloatVector b = FloatVector.fromArray(Simd.F, x, at + width);
      FloatVector c = FloatVector.fromArray(Simd.F, x, at + 2 * width);
      FloatVector d = FloatVector.fromArray(Simd.F, x, at + 3 * width);
      // Cheaper than max(), which orders signed zeros and NaN; a NaN score reaches the result
      // through its weight.
      m0 = m0.blend(a, a.compare(VectorOperators.GT, m0));
      m1 = m1.blend(b, b.compare(VectorOperators.GT, m1));
      m2 = m2.blend(c, c.compare(VectorOperators.GT, m2));
      m3 = m3.blend(d, d.compare(VectorOperators.GT, m3));
    }
    for (; j < kc; j++) {
      FloatVector a = FloatVector.fromArray(Simd.F, x, j * width + lane);
      m0 = m0.blend(a, a.compare(VectorOperators.GT, m0));
    }
    m0 = m0.blend(m1, m1.compare(VectorOperators.GT, m0));
    m2 = m2.blend(m3, m3.compare(VectorOperators.GT, m2));
    m0.blend(m2, m2.compare(VectorOperators.GT, m0)).intoArray(max, lane);
  }

  private static void subtract(float[] x, int kc, int width, int lane, float[] by) {
    FloatVector m = FloatVector.fromArray(Simd.F, by, lane);
    for (int j = 0; j < kc; j++) {
      int at = j * width + lane;
      FloatVector.fromArray(Simd.F, x, at).sub(m).intoArray(x, at);
    }
  }

  /** Nothing found yet stays nothing, whatever the factor. */
  private static void rescale(float[] out, int at, int rows, int width, float[] by, int lane) {
    FloatVector sum = FloatVector.fromArray(Simd.F, out, at + (rows - 1) * width);
    FloatVector c = VectorMath.exp2(FloatVector.fromArray(Simd.F, by, lane).neg());
    c = c.blend(1f, sum.compare(VectorOperators.EQ, 0f));
    for (int r = 0; r < rows; r++) {
      FloatVector.fromArray(Simd.F, out, at + r * width).mul(c).intoArray(out, at + r * width);
    }
  }

  /**
   * Scores become weights 2^x.
   *
   * @return whether a score was above the limit, so that weights may be wrong
   */
  boolean weigh(float[] x, int kc, int vectors) {
    int width = vectors * Simd.LANES;
    for (int v = 0; v < width; v += Simd.LANES) {
      weigh(x, kc, width, v, lanes);
    }
    boolean above = false;
    for (int i = 0; i < width; i++) {
      above |= Float.floatToRawIntBits(lanes[i]) > ROUNDED_LIMIT;
    }
    return above;
  }

  /**
   * 2^x within 2.1 ulp, 0 below the smallest normal number. The maximum is that of rounded scores,
   * found as integers: one instruction, and those below zero do not matter.
   */
  private static void weigh(float[] x, int kc, int width, int lane, float[] max) {
    IntVector m = IntVector.zero(Simd.I);
    for (int j = 0; j < kc; j++) {
      int at = j * width + lane;
      FloatVector v = FloatVector.fromArray(Simd.F, x, at);
      FloatVector shifted = v.add(ROUND);
      IntVector n = shifted.reinterpretAsInts();
      FloatVector f = v.sub(shifted.sub(ROUND));
      FloatVector p = f.fma(FloatVector.broadcast(Simd.F, C5), FloatVector.broadcast(Simd.F, C4));
      p = p.fma(f, FloatVector.broadcast(Simd.F, C3));
      p = p.fma(f, FloatVector.broadcast(Simd.F, C2));
      p = p.fma(f, FloatVector.broadcast(Simd.F, C1));
      p = p.fma(f, FloatVector.broadcast(Simd.F, 1f));
      IntVector y = p.reinterpretAsInts().add(n.lanewise(VectorOperators.LSHL, 23));
      m = m.max(n);
      y.reinterpretAsFloats().blend(0f, v.compare(VectorOperators.LT, -126f)).intoArray(x, at);
    }
    m.reinterpretAsFloats().intoArray(max, lane);
  }

  /** Divides the rows by the sums that follow them. */
  static void normalize(float[] out, int at, int rows, int vectors) {
    int width = vectors * Simd.LANES;
    for (int v = 0; v < width; v += Simd.LANES) {
      FloatVector c = FloatVector.fromArray(Simd.F, out, at + rows * width + v);
      for (int r = 0; r < rows; r++) {
        int i = at + r * width + v;
        FloatVector.fromArray(Simd.F, out, i).div(c).intoArray(out, i);
      }
    }
  }
}
