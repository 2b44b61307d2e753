package org.rectiflow.engine.cpu.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/**
 * Panels are how {@link Tile} wants its column side: {@code [k][width]}, with {@code width} one or
 * two vectors of matrix rows side by side. This class turns rows into panels and result tiles into
 * rows.
 */
final class Panels {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(Simd.LE);

  /**
   * Columns staged at a time, and the stride of the staging rows (odd, so that a column spreads
   * over the cache's sets).
   */
  private static final int CHUNK = 128;

  private static final int STAGE = CHUNK + 1;
  private static final int[] STAGE_ROWS = multiples(STAGE, Tile.WIDTH);
  private static final int[] WIDE_ROWS = multiples(Tile.WIDTH, Simd.LANES);
  private static final int[] NARROW_ROWS = multiples(Simd.LANES, Simd.LANES);

  private Panels() {}

  private static int[] multiples(int step, int count) {
    int[] m = new int[count];
    Arrays.setAll(m, i -> i * step);
    return m;
  }

  /** Number of panels for {@code rows} rows. */
  static int count(int rows) {
    return (rows + Tile.WIDTH - 1) / Tile.WIDTH;
  }

  /**
   * Vectors side by side in panel {@code p} of {@code rows} rows: 2, or 1 for a last panel that
   * needs no more.
   */
  static int vectors(int p, int rows) {
    return rows - p * Tile.WIDTH <= Simd.LANES ? 1 : 2;
  }

  /**
   * Packs {@code rows} rows of a float32 matrix into a panel; missing rows become zero.
   *
   * @param stepBytes from one column's vector to the next column's
   * @param vectorBytes from the first vector of a column to the second
   * @param staging at least {@link #stagingSize()} elements
   */
  static void pack(
      MatrixView a,
      long row,
      int rows,
      long column,
      int k,
      int vectors,
      MemorySegment to,
      long at,
      long stepBytes,
      long vectorBytes,
      float[] staging) {
    int width = vectors * Simd.LANES;
    if (a.columnStride() != 1 && a.rowStride() == 1) {
      packColumns(a, row, rows, column, k, vectors, to, at, stepBytes, vectorBytes, staging);
      return;
    }
    int done = 0;
    // Vector loads from mapped files are not safe; see Widen.
    if (Transpose.available()
        && a.columnStride() == 1
        && rows == width
        && !a.segment().isMapped()) {
      done = k - k % Transpose.SIDE;
      for (int v = 0; v < vectors; v++) {
        Transpose.toPanel(
            a.segment(),
            a.at(row + v * Transpose.SIDE, column),
            4 * a.rowStride(),
            done,
            1f,
            to,
            at + v * vectorBytes,
            stepBytes,
            staging);
      }
    }
    for (int k0 = done; k0 < k; k0 += CHUNK) {
      int kc = Math.min(CHUNK, k - k0);
      for (int r = 0; r < width; r++) {
        if (r >= rows) {
          Arrays.fill(staging, r * STAGE, r * STAGE + kc, 0f);
        } else if (a.columnStride() == 1) {
          MemorySegment.copy(
              a.segment(), FLOAT, a.at(row + r, column + k0), staging, r * STAGE, kc);
        } else {
          for (int i = 0; i < kc; i++) {
            staging[r * STAGE + i] = a.segment().get(FLOAT, a.at(row + r, column + k0 + i));
          }
        }
      }
      for (int v = 0; v < vectors; v++) {
        long column0 = at + v * vectorBytes + k0 * stepBytes;
        gather(staging, STAGE_ROWS, v * Simd.LANES, kc, to, column0, stepBytes);
      }
    }
  }

  /**
   * Transposes rows into a panel {@code [k][vectors * LANES]}.
   *
   * @param first element of the rows' array that the positions count from
   * @param index positions of rows, from {@code row} on
   */
  static void gather(
      float[] rows,
      int first,
      int[] index,
      int row,
      int k,
      int vectors,
      MemorySegment to,
      long at) {
    long step = 4L * vectors * Simd.LANES;
    for (int v = 0; v < vectors; v++) {
      long column = at + 4L * v * Simd.LANES;
      for (int i = 0; i < k; i++) {
        FloatVector.fromArray(Simd.F, rows, first + i, index, row + v * Simd.LANES)
            .intoMemorySegment(to, column + i * step, Simd.LE);
      }
    }
  }

  static int stagingSize() {
    return Math.max(Tile.WIDTH * STAGE, Transpose.SIZE);
  }

  private static void gather(
      float[] rows, int[] index, int from, int k, MemorySegment to, long at, long step) {
    for (int i = 0; i < k; i++) {
      FloatVector.fromArray(Simd.F, rows, i, index, from)
          .intoMemorySegment(to, at + i * step, Simd.LE);
    }
  }

  private static void packColumns(
      MatrixView a,
      long row,
      int rows,
      long column,
      int k,
      int vectors,
      MemorySegment to,
      long at,
      long stepBytes,
      long vectorBytes,
      float[] staging) {
    Arrays.fill(staging, 0, vectors * Simd.LANES, 0f);
    for (int i = 0; i < k; i++) {
      MemorySegment.copy(a.segment(), FLOAT, a.at(row, column + i), staging, 0, rows);
      for (int v = 0; v < vectors; v++) {
        FloatVector.fromArray(Simd.F, staging, v * Simd.LANES)
            .intoMemorySegment(to, at + i * stepBytes + v * vectorBytes, Simd.LE);
      }
    }
  }

  /**
   * Transposes result tiles into rows: {@code to[x * stride + r] = from[at + r * width + x] +
   * bias[r]} for r below {@code columns} rounded up to the vector length.
   *
   * @param staging at least {@link #stagingSize()} elements
   */
  static void unpack(
      float[] from,
      int at,
      int vectors,
      int rows,
      int columns,
      float[] bias,
      float[] to,
      int stride,
      float[] staging) {
    int width = vectors * Simd.LANES;
    if (Transpose.available() && columns >= Simd.LANES) {
      int padded = (columns + Simd.LANES - 1) / Simd.LANES * Simd.LANES;
      for (int x = 0; x < rows; x += Transpose.SIDE) {
        Transpose.toRows(from, at + x, width, padded, bias, to, x * stride, stride, staging);
      }
      return;
    }
    unpack(from, at, vectors, rows, columns, bias, to, stride);
  }

  /** The same without staging. */
  static void unpack(
      float[] from,
      int at,
      int vectors,
      int rows,
      int columns,
      float[] bias,
      float[] to,
      int stride) {
    int width = vectors * Simd.LANES;
    int[] index = vectors == 2 ? WIDE_ROWS : NARROW_ROWS;
    for (int x = 0; x < rows; x++) {
      for (int r = 0; r < columns; r += Simd.LANES) {
        FloatVector.fromArray(Simd.F, from, at + r * width + x, index, 0)
            .add(FloatVector.fromArray(Simd.F, bias, r))
            .intoArray(to, x * stride + r);
      }
    }
  }

  /**
   * Cuts rows that are {@code rowBytes} apart into panels of {@link Tile#WIDTH} columns, row by
   * row: each is read from one end to the other.
   *
   * @param from offset of the first panel's first element
   * @param rows number of rows, each {@link Tile#WIDTH} elements of every panel
   * @param panelBytes from one panel of the result to the next
   */
  static void copy(
      MemorySegment source,
      long from,
      long rowBytes,
      int rows,
      int panels,
      MemorySegment to,
      long panelBytes) {
    for (int i = 0; i < rows; i++) {
      long row = from;
      long at = 4L * Tile.WIDTH * i;
      for (int p = 0; p < panels; p++) {
        FloatVector.fromMemorySegment(Simd.F, source, row, Simd.LE)
            .intoMemorySegment(to, at, Simd.LE);
        FloatVector.fromMemorySegment(Simd.F, source, row + 4L * Simd.LANES, Simd.LE)
            .intoMemorySegment(to, at + 4L * Simd.LANES, Simd.LE);
        row += 4L * Tile.WIDTH;
        at += panelBytes;
      }
      from += rowBytes;
    }
  }
}
