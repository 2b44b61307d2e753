package org.rectiflow.engine.cpu.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/** Sums over an axis, its opposite, and sums by id. Tensors are float32 and contiguous. */
public final class Reductions {
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT.withOrder(Simd.LE);
  private static final int COLUMNS = 64;
  private static final int CHUNK = 4096;

  private Reductions() {}

  /** {@code out[o, i] = sum_j x[o, j, i]}: [outer, count, inner] to [outer, inner]. */
  public static void sum(
      Workers workers, int outer, int count, int inner, StoredVector x, StoredVector out) {
    if (inner == 1) {
      workers.parallelFor(
          outer,
          (o, scratch) -> {
            long from = x.byteOffset() + 4L * o * count;
            float total = (float) contiguous(x.segment(), from, count, scratch);
            out.segment().set(FLOAT, out.byteOffset() + 4L * o, total);
          });
      return;
    }
    int pieces = MatMul.ceilDiv(inner, COLUMNS);
    workers.parallelFor(
        outer * pieces,
        (t, scratch) -> {
          int o = t / pieces;
          int column = t % pieces * COLUMNS;
          int n = Math.min(COLUMNS, inner - column);
          float[] row = scratch.floats(0, COLUMNS);
          double[] sums = new double[n];
          for (int j = 0; j < count; j++) {
            long at = x.byteOffset() + 4 * (((long) o * count + j) * inner + column);
            MemorySegment.copy(x.segment(), FLOAT, at, row, 0, n);
            for (int i = 0; i < n; i++) {
              sums[i] += row[i];
            }
          }
          for (int i = 0; i < n; i++) {
            row[i] = (float) sums[i];
          }
          long to = out.byteOffset() + 4 * ((long) o * inner + column);
          MemorySegment.copy(row, 0, out.segment(), FLOAT, to, n);
        });
  }

  private static double contiguous(MemorySegment x, long from, int count, Scratch scratch) {
    float[] chunk = scratch.floats(0, CHUNK);
    float[] lanes = scratch.floats(1, Simd.LANES);
    double sum = 0;
    for (int i = 0; i < count; i += CHUNK) {
      int n = Math.min(CHUNK, count - i);
      MemorySegment.copy(x, FLOAT, from + 4L * i, chunk, 0, n);
      sum += Sums.sum(chunk, 0, n, lanes);
    }
    return sum;
  }

  /** {@code out[r] = log(sum_i exp(x[r, i]))}: [rows, columns] to [rows]. */
  public static void logSumExp(
      Workers workers, int rows, int columns, StoredVector x, StoredVector out) {
    workers.parallelFor(
        rows,
        (r, scratch) -> {
          int padded = MatMul.ceilDiv(columns, Simd.LANES) * Simd.LANES;
          float[] row = scratch.floats(0, padded);
          float[] lanes = scratch.floats(1, Simd.LANES);
          MemorySegment.copy(
              x.segment(), FLOAT, x.byteOffset() + 4L * r * columns, row, 0, columns);
          float max = Float.NEGATIVE_INFINITY;
          for (int i = 0; i < columns; i++) {
            max = Math.max(max, row[i]);
          }
          for (int i = 0; i < columns; i++) {
            row[i] -= max;
          }
          Arrays.fill(row, columns, padded, 0f);
          VectorMath.apply(Activation.EXP, row, 0, padded);
          double sum = Sums.sum(row, 0, columns, lanes);
          float result = (float) (max + Math.log(sum));
          out.segment().set(FLOAT, out.byteOffset() + 4L * r, result);
        });
  }

  /** {@code out[o, j, i] = x[o, i]}: [outer, inner] to [outer, count, inner]. */
  public static void repeat(
      Workers workers, int outer, int count, int inner, StoredVector x, StoredVector out) {
    int perTask = Math.max(1, CHUNK / inner);
    int pieces = MatMul.ceilDiv(count, perTask);
    workers.parallelFor(
        outer * pieces,
        (t, scratch) -> {
          int o = t / pieces;
          int first = t % pieces * perTask;
          int n = Math.min(perTask, count - first);
          long from = x.byteOffset() + 4L * o * inner;
          long to = out.byteOffset() + 4 * ((long) o * count + first) * inner;
          if (inner == 1) {
            float[] same = scratch.floats(0, n);
            Arrays.fill(same, 0, n, x.segment().get(FLOAT, from));
            MemorySegment.copy(same, 0, out.segment(), FLOAT, to, n);
            return;
          }
          for (int j = 0; j < n; j++) {
            MemorySegment.copy(x.segment(), from, out.segment(), to + 4L * j * inner, 4L * inner);
          }
        });
  }

  /** {@code out[ids[i]] += x[i]} for rows of {@code columns}, from zero, i ascending. */
  public static void scatterAdd(
      Workers workers, int[] ids, int rows, int columns, StoredVector x, StoredVector out) {
    for (int i = 0; i < ids.length; i++) {
      if (ids[i] < 0 || ids[i] >= rows) {
        throw new IllegalArgumentException(
            "id " + ids[i] + " at position " + i + " is outside the table of " + rows + " rows");
      }
    }
    workers.parallelFor(
        MatMul.ceilDiv(columns, COLUMNS),
        (t, scratch) -> {
          int column = t * COLUMNS;
          int n = Math.min(COLUMNS, columns - column);
          float[] sums = scratch.floats(0, n);
          float[] row = scratch.floats(1, n);
          Arrays.fill(sums, 0, n, 0f);
          for (int r = 0; r < rows; r++) {
            MemorySegment.copy(sums, 0, out.segment(), FLOAT, at(out, r, columns, column), n);
          }
          for (int i = 0; i < ids.length; i++) {
            long to = at(out, ids[i], columns, column);
            MemorySegment.copy(out.segment(), FLOAT, to, sums, 0, n);
            MemorySegment.copy(x.segment(), FLOAT, at(x, i, columns, column), row, 0, n);
            for (int j = 0; j < n; j++) {
              sums[j] += row[j];
            }
            MemorySegment.copy(sums, 0, out.segment(), FLOAT, to, n);
          }
        });
  }

  private static long at(StoredVector v, int row, int columns, int column) {
    return v.byteOffset() + 4 * ((long) row * columns + column);
  }
}
