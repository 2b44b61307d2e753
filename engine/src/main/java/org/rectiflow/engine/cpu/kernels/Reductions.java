package org.rectiflow.engine.cpu.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/** Sums over an axis, its opposite, and sums by id. Tensors are float32 and contiguous. */
public final class Reductions {
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT.withOrder(Simd.LE);
  private static final int COLUMNS = 64;
  private static final int CHUNK = 4096;
  private static final int ENOUGH_TASKS = 16;

  /** Rows that are added up in float32 before they go into a double. */
  private static final int BLOCK = 32;

  private Reductions() {}

  /**
   * {@code out[o, i] = sum_j x[o, j, i] y[o, j, i]}: [outer, count, inner] to [outer, inner].
   *
   * @param y null for the sum of x alone
   */
  public static void sum(
      Workers workers,
      int outer,
      int count,
      int inner,
      StoredVector x,
      StoredVector y,
      StoredVector out) {
    if (inner == 1 && y == null) {
      workers.parallelFor(
          outer,
          (o, scratch) -> {
            long from = x.byteOffset() + 4L * o * count;
            float total = (float) contiguous(x.segment(), from, count, scratch);
            out.segment().set(FLOAT, out.byteOffset() + 4L * o, total);
          });
      return;
    }
    int pieces = Math.clamp(MatMul.ceilDiv(ENOUGH_TASKS, outer), 1, MatMul.ceilDiv(count, BLOCK));
    int rows = MatMul.ceilDiv(count, pieces);
    if (pieces == 1) {
      workers.parallelFor(
          outer,
          (o, _) -> {
            double[] sums = new double[inner];
            rows(x, y, (long) o * count, count, inner, sums);
            write(sums, out, (long) o * inner);
          });
      return;
    }
    double[][] shares = new double[outer * pieces][inner];
    workers.parallelFor(
        outer * pieces,
        (t, _) -> {
          int first = t % pieces * rows;
          int n = Math.min(rows, count - first);
          rows(x, y, (long) (t / pieces) * count + first, n, inner, shares[t]);
        });
    for (int o = 0; o < outer; o++) {
      double[] sums = shares[o * pieces];
      for (int piece = 1; piece < pieces; piece++) {
        for (int i = 0; i < inner; i++) {
          sums[i] += shares[o * pieces + piece][i];
        }
      }
      write(sums, out, (long) o * inner);
    }
  }

  private static void write(double[] sums, StoredVector out, long element) {
    for (int i = 0; i < sums.length; i++) {
      out.segment().set(FLOAT, out.byteOffset() + 4 * (element + i), (float) sums[i]);
    }
  }

  /** Adds rows {@code first..first+count} of {@code inner} elements to the sums. */
  private static void rows(
      StoredVector x, StoredVector y, long first, int count, int inner, double[] sums) {
    float[] block = new float[4 * Simd.LANES];
    for (int j = 0; j < count; j += BLOCK) {
      int n = Math.min(BLOCK, count - j);
      long at = x.byteOffset() + 4 * (first + j) * inner;
      int i = 0;
      if (y != null) {
        long with = y.byteOffset() + 4 * (first + j) * inner;
        for (; i <= inner - Simd.LANES; i += Simd.LANES) {
          products(x.segment(), at + 4L * i, y.segment(), with + 4L * i, 4L * inner, n, block);
          addTo(sums, i, block, Simd.LANES);
        }
        for (; i < inner; i++) {
          for (int r = 0; r < n; r++) {
            long skipped = 4 * ((long) r * inner + i);
            sums[i] +=
                x.segment().get(FLOAT, at + skipped) * y.segment().get(FLOAT, with + skipped);
          }
        }
      }
      for (; i <= inner - 4 * Simd.LANES; i += 4 * Simd.LANES) {
        block4(x.segment(), at + 4L * i, 4L * inner, n, block);
        addTo(sums, i, block, 4 * Simd.LANES);
      }
      for (; i <= inner - Simd.LANES; i += Simd.LANES) {
        block1(x.segment(), at + 4L * i, 4L * inner, n, block);
        addTo(sums, i, block, Simd.LANES);
      }
      for (; i < inner; i++) {
        for (int r = 0; r < n; r++) {
          sums[i] += x.segment().get(FLOAT, at + 4 * ((long) r * inner + i));
        }
      }
    }
  }

  private static void addTo(double[] sums, int at, float[] block, int n) {
    for (int i = 0; i < n; i++) {
      sums[at + i] += block[i];
    }
  }

  private static void block4(MemorySegment x, long at, long step, int rows, float[] to) {
    long l = 4L * Simd.LANES;
    FloatVector s0 = FloatVector.zero(Simd.F);
    FloatVector s1 = FloatVector.zero(Simd.F);
    FloatVector s2 = FloatVector.zero(Simd.F);
    FloatVector s3 = FloatVector.zero(Simd.F);
    for (int r = 0; r < rows; r++) {
      s0 = s0.add(FloatVector.fromMemorySegment(Simd.F, x, at, Simd.LE));
      s1 = s1.add(FloatVector.fromMemorySegment(Simd.F, x, at + l, Simd.LE));
      s2 = s2.add(FloatVector.fromMemorySegment(Simd.F, x, at + 2 * l, Simd.LE));
      s3 = s3.add(FloatVector.fromMemorySegment(Simd.F, x, at + 3 * l, Simd.LE));
      at += step;
    }
    s0.intoArray(to, 0);
    s1.intoArray(to, Simd.LANES);
    s2.intoArray(to, 2 * Simd.LANES);
    s3.intoArray(to, 3 * Simd.LANES);
  }

  private static void products(
      MemorySegment x, long at, MemorySegment y, long with, long step, int rows, float[] to) {
    FloatVector s0 = FloatVector.zero(Simd.F);
    for (int r = 0; r < rows; r++) {
      FloatVector v = FloatVector.fromMemorySegment(Simd.F, x, at, Simd.LE);
      // Rounded as if the products were stored first: whether they are must not matter.
      s0 = s0.add(v.mul(FloatVector.fromMemorySegment(Simd.F, y, with, Simd.LE)));
      at += step;
      with += step;
    }
    s0.intoArray(to, 0);
  }

  private static void block1(MemorySegment x, long at, long step, int rows, float[] to) {
    FloatVector sum = FloatVector.zero(Simd.F);
    for (int r = 0; r < rows; r++) {
      sum = sum.add(FloatVector.fromMemorySegment(Simd.F, x, at, Simd.LE));
      at += step;
    }
    sum.intoArray(to, 0);
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
