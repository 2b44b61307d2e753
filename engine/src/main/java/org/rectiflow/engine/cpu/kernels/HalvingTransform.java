package org.rectiflow.engine.cpu.kernels;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/**
 * Minimal filtering of a 3x3 convolution of stride 2: 25 products for four outputs instead of 36.
 *
 * <p>In one dimension outputs 0 and 1 are {@code x0 g0 + x1 g1 + x2 g2} and {@code x2 g0 + x3 g1 +
 * x4 g2}. Every other pixel, x0, x2 and x4, is filtered with stride 1 by two weights, g0 and g2,
 * for which Winograd's F(2, 2) needs three products instead of four:
 *
 * <pre>
 * m0 = (x0 - x2) g0 + x1 g1
 * m1 = x2 (g0 + g2)
 * m2 = (x2 - x4) g2 - x3 g1
 * </pre>
 *
 * <p>with outputs {@code m0 + m1} and {@code m1 - m2}. The pixels in between have only one weight,
 * and their products belong to one output each, so they are added to m0 and m2 before the sums over
 * input channels are complete. In two dimensions the nine sums of all pairs have {@code (2, 1, 2) x
 * (2, 1, 2)} products for each input channel.
 */
final class HalvingTransform {
  /** The sums that the five products of one dimension belong to. */
  private static final int[] SUMS = {0, 0, 1, 2, 2};

  private static final int SIDE = SUMS.length;

  private HalvingTransform() {}

  /** The sum, of nine, that each of the 25 products belongs to. */
  static int[] points() {
    int[] points = new int[SIDE * SIDE];
    Arrays.setAll(points, i -> 3 * SUMS[i / SIDE] + SUMS[i % SIDE]);
    return points;
  }

  /** The weights of the 25 products for filters {@code [count][3][3]}, to [25][count]. */
  static void weights(float[] filters, int count, float[] to) {
    for (int c = 0; c < count; c++) {
      for (int i = 0; i < 3; i++) {
        int g = 9 * c + 3 * i;
        // Filter row i as row i of five, until the columns are done.
        int at = i * SIDE * count + c;
        to[at] = filters[g];
        to[at + count] = filters[g + 1];
        to[at + 2 * count] = filters[g] + filters[g + 2];
        to[at + 3 * count] = filters[g + 2];
        to[at + 4 * count] = -filters[g + 1];
      }
    }
    int line = SIDE * count;
    for (int i = 0; i < line; i++) {
      float a = to[i];
      float b = to[line + i];
      float d = to[2 * line + i];
      to[2 * line + i] = a + d;
      to[3 * line + i] = d;
      to[4 * line + i] = -b;
    }
  }

  /**
   * The other factors of the 25 products for a vector of squares of 2x2 outputs, whose pixels (y,
   * x) lie in plane {@code (y % 4) * 4 + x % 4}.
   *
   * @param at the squares' first pixels
   * @param offsets where the results go, moved on by {@code steps}
   */
  static void input(
      float[] d, int at, int plane, int row, MemorySegment to, long[] offsets, long[] steps) {
    int middle = at + 8 * plane;
    FloatVector a = FloatVector.fromArray(Simd.F, d, middle);
    FloatVector b = FloatVector.fromArray(Simd.F, d, middle + plane);
    FloatVector c = FloatVector.fromArray(Simd.F, d, middle + 2 * plane);
    FloatVector e = FloatVector.fromArray(Simd.F, d, middle + 3 * plane);
    FloatVector f = FloatVector.fromArray(Simd.F, d, middle + 1);
    line(a, b, c, e, f, to, offsets, 10);
    line(
        FloatVector.fromArray(Simd.F, d, at).sub(a),
        FloatVector.fromArray(Simd.F, d, at + plane).sub(b),
        FloatVector.fromArray(Simd.F, d, at + 2 * plane).sub(c),
        FloatVector.fromArray(Simd.F, d, at + 3 * plane).sub(e),
        FloatVector.fromArray(Simd.F, d, at + 1).sub(f),
        to,
        offsets,
        0);
    int last = at + row;
    line(
        a.sub(FloatVector.fromArray(Simd.F, d, last)),
        b.sub(FloatVector.fromArray(Simd.F, d, last + plane)),
        c.sub(FloatVector.fromArray(Simd.F, d, last + 2 * plane)),
        e.sub(FloatVector.fromArray(Simd.F, d, last + 3 * plane)),
        f.sub(FloatVector.fromArray(Simd.F, d, last + 1)),
        to,
        offsets,
        15);
    between(d, at + 4 * plane, plane, to, offsets, 5);
    between(d, at + 12 * plane, plane, to, offsets, 20);
    for (int i = 0; i < SIDE * SIDE; i++) {
      offsets[i] += steps[i];
    }
  }

  /** A row of pixels that has only one weight. */
  private static void between(
      float[] d, int at, int plane, MemorySegment to, long[] offsets, int i) {
    line(
        FloatVector.fromArray(Simd.F, d, at),
        FloatVector.fromArray(Simd.F, d, at + plane),
        FloatVector.fromArray(Simd.F, d, at + 2 * plane),
        FloatVector.fromArray(Simd.F, d, at + 3 * plane),
        FloatVector.fromArray(Simd.F, d, at + 1),
        to,
        offsets,
        i);
  }

  private static void line(
      FloatVector x0,
      FloatVector x1,
      FloatVector x2,
      FloatVector x3,
      FloatVector x4,
      MemorySegment to,
      long[] offsets,
      int i) {
    x0.sub(x2).intoMemorySegment(to, offsets[i], Simd.LE);
    x1.intoMemorySegment(to, offsets[i + 1], Simd.LE);
    x2.intoMemorySegment(to, offsets[i + 2], Simd.LE);
    x2.sub(x4).intoMemorySegment(to, offsets[i + 3], Simd.LE);
    x3.intoMemorySegment(to, offsets[i + 4], Simd.LE);
  }
}
