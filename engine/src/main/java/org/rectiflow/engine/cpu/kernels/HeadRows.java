package org.rectiflow.engine.cpu.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;

/**
 * Copies and transpositions of the rows of an attention head. Whole vectors are written, in
 * ascending order, so that what one writes too much is overwritten by the next; arrays need room
 * for one vector more.
 */
final class HeadRows {
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT.withOrder(Simd.LE);

  private static final int L = Simd.LANES;

  private HeadRows() {}

  /**
   * Copies {@code rows} rows of {@code count} elements. Rows lie pages apart: as much of each as
   * possible is read at once.
   *
   * @param step bytes between rows
   */
  static void copy(
      MemorySegment from,
      long offset,
      long step,
      int rows,
      int count,
      float[] to,
      int at,
      int stride) {
    int i = 0;
    for (; i <= count - 4 * L; i += 4 * L) {
      copyFour(from, offset + 4L * i, step, rows, to, at + i, stride);
    }
    for (; i <= count - L; i += L) {
      copyOne(from, offset + 4L * i, step, rows, to, at + i, stride);
    }
    for (; i < count; i++) {
      for (int r = 0; r < rows; r++) {
        to[at + r * stride + i] = from.get(FLOAT, offset + r * step + 4L * i);
      }
    }
  }

  private static void copyFour(
      MemorySegment from, long offset, long step, int rows, float[] to, int at, int stride) {
    for (int r = 0; r < rows; r++) {
      long x = offset + r * step;
      int y = at + r * stride;
      FloatVector.fromMemorySegment(Simd.F, from, x, Simd.LE).intoArray(to, y);
      FloatVector.fromMemorySegment(Simd.F, from, x + 4L * L, Simd.LE).intoArray(to, y + L);
      FloatVector.fromMemorySegment(Simd.F, from, x + 8L * L, Simd.LE).intoArray(to, y + 2 * L);
      FloatVector.fromMemorySegment(Simd.F, from, x + 12L * L, Simd.LE).intoArray(to, y + 3 * L);
    }
  }

  private static void copyOne(
      MemorySegment from, long offset, long step, int rows, float[] to, int at, int stride) {
    for (int r = 0; r < rows; r++) {
      FloatVector.fromMemorySegment(Simd.F, from, offset + r * step, Simd.LE)
          .intoArray(to, at + r * stride);
    }
  }

  /**
   * {@code to[i * width + r] = scale * rows[from + r * stride + i]} for i below {@code dim} and r
   * below {@code width}.
   */
  static void transpose(
      float[] rows, int from, int stride, int dim, int width, float scale, float[] to, int at) {
    int[] index = new int[L];
    for (int r = 0; r < L; r++) {
      index[r] = r * stride;
    }
    for (int i = 0; i < dim; i++) {
      for (int r = 0; r < width; r += L) {
        FloatVector.fromArray(Simd.F, rows, from + r * stride + i, index, 0)
            .mul(scale)
            .intoArray(to, at + i * width + r);
      }
    }
  }

  /**
   * {@code to[r * width + i] = rows[from + r * stride + i]} for i below {@code width}, and nothing
   * written behind.
   */
  static void columns(
      float[] rows, int from, int stride, int count, int width, float[] to, int at) {
    int last = count - 1;
    for (int r = 0; r < last; r++) {
      for (int i = 0; i < width; i += L) {
        FloatVector.fromArray(Simd.F, rows, from + r * stride + i)
            .intoArray(to, at + r * width + i);
      }
    }
    System.arraycopy(rows, from + last * stride, to, at + last * width, width);
  }
}
