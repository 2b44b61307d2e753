package org.rectiflow.engine.cpu.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShuffle;

/**
 * Sums of array elements in an order that depends on the vector length only. {@code reduceLanes} is
 * avoided everywhere: its order is unspecified for floats and differs between interpreted and
 * compiled code, so two runs would differ.
 */
final class Sums {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(Simd.LE);

  /** Sums of a task. */
  private static final int TASK = 4096;

  // Vectors turned by a half, a quarter and so on of their lanes.
  private static final VectorShuffle<Float> HALF = turn(2);
  private static final VectorShuffle<Float> QUARTER = turn(4);
  private static final VectorShuffle<Float> EIGHTH = turn(8);
  private static final VectorShuffle<Float> SIXTEENTH = turn(16);

  private Sums() {}

  private static VectorShuffle<Float> turn(int part) {
    int by = Simd.LANES / part;
    return VectorShuffle.fromOp(Simd.F, i -> (i + by) % Simd.LANES);
  }

  /** Sum of the lanes in float32, halves first: many times as fast as {@link #lanes}. */
  static float total(FloatVector v) {
    FloatVector sum = v.add(v.rearrange(HALF));
    if (Simd.LANES >= 4) {
      sum = sum.add(sum.rearrange(QUARTER));
    }
    if (Simd.LANES >= 8) {
      sum = sum.add(sum.rearrange(EIGHTH));
    }
    if (Simd.LANES >= 16) {
      sum = sum.add(sum.rearrange(SIXTEENTH));
    }
    return sum.lane(0);
  }

  /** Sum of the lanes in order. */
  static double lanes(float[] lanes, int at) {
    double s = 0;
    for (int i = 0; i < Simd.LANES; i++) {
      s += lanes[at + i];
    }
    return s;
  }

  /** Sum of {@code x[from..from+count)}. */
  static double sum(float[] x, int from, int count, float[] lanes) {
    FloatVector s0 = FloatVector.zero(Simd.F);
    FloatVector s1 = FloatVector.zero(Simd.F);
    int i = 0;
    for (; i <= count - 2 * Simd.LANES; i += 2 * Simd.LANES) {
      s0 = s0.add(FloatVector.fromArray(Simd.F, x, from + i));
      s1 = s1.add(FloatVector.fromArray(Simd.F, x, from + i + Simd.LANES));
    }
    s0.add(s1).intoArray(lanes, 0);
    double s = lanes(lanes, 0);
    for (; i < count; i++) {
      s += x[from + i];
    }
    return s;
  }

  /** Sum of the squares of {@code x[from..from+count)}. */
  static double squares(float[] x, int from, int count, float[] lanes) {
    FloatVector s0 = FloatVector.zero(Simd.F);
    FloatVector s1 = FloatVector.zero(Simd.F);
    int i = 0;
    for (; i <= count - 2 * Simd.LANES; i += 2 * Simd.LANES) {
      FloatVector a = FloatVector.fromArray(Simd.F, x, from + i);
      s0 = a.fma(a, s0);
      FloatVector b = FloatVector.fromArray(Simd.F, x, from + i + Simd.LANES);
      s1 = b.fma(b, s1);
    }
    s0.add(s1).intoArray(lanes, 0);
    double s = lanes(lanes, 0);
    for (; i < count; i++) {
      s += (double) x[from + i] * x[from + i];
    }
    return s;
  }

  /**
   * {@code out = } the sum of some matrices, added up in order.
   *
   * @param sums float32 [shares, m, n]
   * @param out float32 [m, n]
   */
  static void shares(
      Workers workers, MemorySegment sums, int shares, int m, int n, MatrixView out) {
    int rowsEach = Math.max(1, TASK / n);
    workers.parallelFor(
        MatMul.ceilDiv(m, rowsEach),
        (t, _) -> {
          for (int r = t * rowsEach; r < Math.min(m, (t + 1) * rowsEach); r++) {
            row(sums, 4L * r * n, 4L * m * n, shares, n, out.segment(), out.at(r, 0));
          }
        });
  }

  private static void row(
      MemorySegment sums, long from, long step, int shares, int count, MemorySegment out, long to) {
    int i = 0;
    for (; i <= count - Simd.LANES; i += Simd.LANES) {
      FloatVector sum = FloatVector.fromMemorySegment(Simd.F, sums, from + 4L * i, Simd.LE);
      for (int s = 1; s < shares; s++) {
        long at = from + s * step + 4L * i;
        sum = sum.add(FloatVector.fromMemorySegment(Simd.F, sums, at, Simd.LE));
      }
      sum.intoMemorySegment(out, to + 4L * i, Simd.LE);
    }
    for (; i < count; i++) {
      float sum = 0;
      for (int s = 0; s < shares; s++) {
        sum += sums.get(FLOAT, from + s * step + 4L * i);
      }
      out.set(FLOAT, to + 4L * i, sum);
    }
  }
}
