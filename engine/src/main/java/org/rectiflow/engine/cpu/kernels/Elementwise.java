package org.rectiflow.engine.cpu.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import org.rectiflow.safetensors.DType;

/**
 * Pointwise operations on float32 matrices with contiguous rows. A second operand may have fewer
 * rows: its row {@code r / rowsPerB} belongs to row {@code r} of the result, so a single row is
 * broadcast with {@code rowsPerB = rows}. The result may be the memory of an operand.
 */
public final class Elementwise {
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT.withOrder(Simd.LE);
  private static final int TASK = 1 << 14;

  /** Elements that functions find in a level 1 cache. */
  private static final int CHUNK = 1 << 11;

  private Elementwise() {}

  /** {@code out = a + b}. */
  public static void add(
      Workers workers,
      int rows,
      int columns,
      MatrixView a,
      MatrixView b,
      int rowsPerB,
      MatrixView out) {
    requireRows(a, b, out);
    blocks(
        workers,
        rows,
        columns,
        (r, c, n) ->
            addRow(
                a.segment(),
                a.at(r, c),
                b.segment(),
                b.at(r / rowsPerB, c),
                out.segment(),
                out.at(r, c),
                n));
  }

  /** {@code out = a * b}. */
  public static void multiply(
      Workers workers,
      int rows,
      int columns,
      MatrixView a,
      MatrixView b,
      int rowsPerB,
      MatrixView out) {
    requireRows(a, b, out);
    blocks(
        workers,
        rows,
        columns,
        (r, c, n) ->
            multiplyRow(
                a.segment(),
                a.at(r, c),
                b.segment(),
                b.at(r / rowsPerB, c),
                out.segment(),
                out.at(r, c),
                n));
  }

  /** {@code out = alpha * a + beta * b}: differences, guidance, a step of an ODE solver. */
  public static void combine(
      Workers workers,
      int rows,
      int columns,
      float alpha,
      MatrixView a,
      float beta,
      MatrixView b,
      int rowsPerB,
      MatrixView out) {
    requireRows(a, b, out);
    blocks(
        workers,
        rows,
        columns,
        (r, c, n) ->
            combineRow(
                alpha,
                a.segment(),
                a.at(r, c),
                beta,
                b.segment(),
                b.at(r / rowsPerB, c),
                out.segment(),
                out.at(r, c),
                n));
  }

  /**
   * {@code out = residual + gate * x}, with a row of the gate for every {@code rowsPerGate} rows.
   */
  public static void gatedResidual(
      Workers workers,
      int rows,
      int columns,
      MatrixView x,
      MatrixView gate,
      int rowsPerGate,
      MatrixView residual,
      MatrixView out) {
    requireRows(x, gate, residual, out);
    blocks(
        workers,
        rows,
        columns,
        (r, c, n) ->
            gatedRow(
                x.segment(),
                x.at(r, c),
                gate.segment(),
                gate.at(r / rowsPerGate, c),
                residual.segment(),
                residual.at(r, c),
                out.segment(),
                out.at(r, c),
                n));
  }

  /**
   * {@code out = x (1 + scale) + shift}, rounded as {@link Norms#layerNorm} does it.
   *
   * @param rowsEach rows of x for each row of scale and shift
   */
  public static void modulate(
      Workers workers,
      int rows,
      int columns,
      MatrixView x,
      MatrixView shift,
      MatrixView scale,
      int rowsEach,
      MatrixView out) {
    requireRows(x, shift, scale, out);
    blocks(
        workers,
        rows,
        columns,
        (r, c, n) ->
            modulateRow(
                x.segment(),
                x.at(r, c),
                shift.segment(),
                shift.at(r / rowsEach, c),
                scale.segment(),
                scale.at(r / rowsEach, c),
                out.segment(),
                out.at(r, c),
                n));
  }

  /** {@code out = alpha * x + beta}. */
  public static void scale(
      Workers workers,
      int rows,
      int columns,
      MatrixView x,
      float alpha,
      float beta,
      MatrixView out) {
    requireRows(x, out);
    blocks(
        workers,
        rows,
        columns,
        (r, c, n) ->
            scaleRow(x.segment(), x.at(r, c), alpha, beta, out.segment(), out.at(r, c), n));
  }

  /** {@code out = x}, between any strides of rows. */
  public static void copy(Workers workers, int rows, int columns, MatrixView x, MatrixView out) {
    requireRows(x, out);
    blocks(
        workers,
        rows,
        columns,
        (r, c, n) ->
            MemorySegment.copy(x.segment(), x.at(r, c), out.segment(), out.at(r, c), 4L * n));
  }

  /** {@code out = f(x)}. */
  public static void activation(
      Workers workers, int rows, int columns, Activation f, MatrixView x, MatrixView out) {
    requireRows(x, out);
    tasks(
        workers,
        rows,
        columns,
        (r, c, n, scratch) -> {
          int whole = direct(f, x.segment(), x.at(r, c), out.segment(), out.at(r, c), n);
          float[] chunk = scratch.floats(0, CHUNK + Simd.LANES);
          for (int i = whole; i < n; i += CHUNK) {
            int count = Math.min(CHUNK, n - i);
            int padded = MatMul.ceilDiv(count, Simd.LANES) * Simd.LANES;
            MemorySegment.copy(x.segment(), FLOAT, x.at(r, c + i), chunk, 0, count);
            Arrays.fill(chunk, count, padded, 0f);
            VectorMath.apply(f, chunk, 0, padded);
            MemorySegment.copy(chunk, 0, out.segment(), FLOAT, out.at(r, c + i), count);
          }
        });
  }

  /** Whole vectors from memory to memory, for the functions of transformers; how many elements. */
  private static int direct(
      Activation f, MemorySegment x, long from, MemorySegment out, long to, int n) {
    return switch (f) {
      case GELU_TANH -> geluTanh(x, from, out, to, n);
      case SILU -> silu(x, from, out, to, n);
      default -> 0;
    };
  }

  private static int geluTanh(MemorySegment x, long from, MemorySegment out, long to, int n) {
    int i = 0;
    for (; i <= n - Simd.LANES; i += Simd.LANES) {
      VectorMath.geluTanh(load(x, from + 4L * i)).intoMemorySegment(out, to + 4L * i, Simd.LE);
    }
    return i;
  }

  private static int silu(MemorySegment x, long from, MemorySegment out, long to, int n) {
    int i = 0;
    for (; i <= n - Simd.LANES; i += Simd.LANES) {
      VectorMath.silu(load(x, from + 4L * i)).intoMemorySegment(out, to + 4L * i, Simd.LE);
    }
    return i;
  }

  /**
   * Rows of a table: {@code out[i] = widen(table[ids[i]])}.
   *
   * @param tableRows rows of the table, which bound the ids
   * @param table stored type of any kind, contiguous rows
   */
  public static void gather(
      Workers workers, int[] ids, int tableRows, int columns, MatrixView table, MatrixView out) {
    requireRows(out);
    Widen.check(table.dtype());
    for (int i = 0; i < ids.length; i++) {
      if (ids[i] < 0 || ids[i] >= tableRows) {
        throw new IllegalArgumentException(
            "id "
                + ids[i]
                + " at position "
                + i
                + " is outside the table of "
                + tableRows
                + " rows");
      }
    }
    workers.parallelFor(
        ids.length,
        (i, scratch) -> {
          float[] row = scratch.floats(0, columns);
          Widen.run(table.segment(), table.at(ids[i], 0), table.dtype(), columns, row, 0, scratch);
          MemorySegment.copy(row, 0, out.segment(), FLOAT, out.at(i, 0), columns);
        });
  }

  private static void requireRows(MatrixView... matrices) {
    for (MatrixView m : matrices) {
      if (m.dtype() != DType.F32 || m.columnStride() != 1) {
        throw new IllegalArgumentException(
            "elementwise operations need F32 with contiguous rows, found "
                + m.dtype()
                + " with column stride "
                + m.columnStride());
      }
    }
  }

  @FunctionalInterface
  private interface Block {
    void run(int row, int column, int count);
  }

  @FunctionalInterface
  private interface ScratchBlock {
    void run(int row, int column, int count, Scratch scratch);
  }

  private static void blocks(Workers workers, int rows, int columns, Block body) {
    tasks(workers, rows, columns, (r, c, n, _) -> body.run(r, c, n));
  }

  private static void tasks(Workers workers, int rows, int columns, ScratchBlock body) {
    int pieces = MatMul.ceilDiv(columns, TASK);
    int step = MatMul.ceilDiv(columns, pieces);
    int perTask = Math.max(1, TASK / columns);
    workers.parallelFor(
        MatMul.ceilDiv(rows, perTask) * pieces,
        (t, scratch) -> {
          int c = t % pieces * step;
          int first = t / pieces * perTask;
          int end = Math.min(rows, first + perTask);
          for (int r = first; r < end; r++) {
            body.run(r, c, Math.min(step, columns - c), scratch);
          }
        });
  }

  private static FloatVector load(MemorySegment s, long at) {
    return FloatVector.fromMemorySegment(Simd.F, s, at, Simd.LE);
  }

  private static FloatVector load(MemorySegment s, long at, VectorMask<Float> mask) {
    return FloatVector.fromMemorySegment(Simd.F, s, at, Simd.LE, mask);
  }

  private static void addRow(
      MemorySegment a, long ao, MemorySegment b, long bo, MemorySegment out, long oo, int n) {
    int i = 0;
    for (; i <= n - Simd.LANES; i += Simd.LANES) {
      load(a, ao + 4L * i).add(load(b, bo + 4L * i)).intoMemorySegment(out, oo + 4L * i, Simd.LE);
    }
    if (i < n) {
      VectorMask<Float> m = Simd.F.indexInRange(i, n);
      load(a, ao + 4L * i, m)
          .add(load(b, bo + 4L * i, m))
          .intoMemorySegment(out, oo + 4L * i, Simd.LE, m);
    }
  }

  private static void multiplyRow(
      MemorySegment a, long ao, MemorySegment b, long bo, MemorySegment out, long oo, int n) {
    int i = 0;
    for (; i <= n - Simd.LANES; i += Simd.LANES) {
      load(a, ao + 4L * i).mul(load(b, bo + 4L * i)).intoMemorySegment(out, oo + 4L * i, Simd.LE);
    }
    if (i < n) {
      VectorMask<Float> m = Simd.F.indexInRange(i, n);
      load(a, ao + 4L * i, m)
          .mul(load(b, bo + 4L * i, m))
          .intoMemorySegment(out, oo + 4L * i, Simd.LE, m);
    }
  }

  private static void combineRow(
      float alpha,
      MemorySegment a,
      long ao,
      float beta,
      MemorySegment b,
      long bo,
      MemorySegment out,
      long oo,
      int n) {
    int i = 0;
    for (; i <= n - Simd.LANES; i += Simd.LANES) {
      FloatVector v = load(a, ao + 4L * i).mul(alpha).add(load(b, bo + 4L * i).mul(beta));
      v.intoMemorySegment(out, oo + 4L * i, Simd.LE);
    }
    if (i < n) {
      VectorMask<Float> m = Simd.F.indexInRange(i, n);
      FloatVector v = load(a, ao + 4L * i, m).mul(alpha).add(load(b, bo + 4L * i, m).mul(beta));
      v.intoMemorySegment(out, oo + 4L * i, Simd.LE, m);
    }
  }

  private static void gatedRow(
      MemorySegment x,
      long xo,
      MemorySegment gate,
      long go,
      MemorySegment residual,
      long ro,
      MemorySegment out,
      long oo,
      int n) {
    int i = 0;
    for (; i <= n - Simd.LANES; i += Simd.LANES) {
      FloatVector v =
          load(x, xo + 4L * i).fma(load(gate, go + 4L * i), load(residual, ro + 4L * i));
      v.intoMemorySegment(out, oo + 4L * i, Simd.LE);
    }
    if (i < n) {
      VectorMask<Float> m = Simd.F.indexInRange(i, n);
      FloatVector v =
          load(x, xo + 4L * i, m).fma(load(gate, go + 4L * i, m), load(residual, ro + 4L * i, m));
      v.intoMemorySegment(out, oo + 4L * i, Simd.LE, m);
    }
  }

  private static void modulateRow(
      MemorySegment x,
      long xo,
      MemorySegment shift,
      long to,
      MemorySegment scale,
      long so,
      MemorySegment out,
      long oo,
      int n) {
    int i = 0;
    for (; i <= n - Simd.LANES; i += Simd.LANES) {
      FloatVector v = load(x, xo + 4L * i).mul(load(scale, so + 4L * i).add(1f));
      v.add(load(shift, to + 4L * i)).intoMemorySegment(out, oo + 4L * i, Simd.LE);
    }
    if (i < n) {
      VectorMask<Float> m = Simd.F.indexInRange(i, n);
      FloatVector v = load(x, xo + 4L * i, m).mul(load(scale, so + 4L * i, m).add(1f));
      v.add(load(shift, to + 4L * i, m)).intoMemorySegment(out, oo + 4L * i, Simd.LE, m);
    }
  }

  private static void scaleRow(
      MemorySegment x, long xo, float alpha, float beta, MemorySegment out, long oo, int n) {
    int i = 0;
    for (; i <= n - Simd.LANES; i += Simd.LANES) {
      load(x, xo + 4L * i).mul(alpha).add(beta).intoMemorySegment(out, oo + 4L * i, Simd.LE);
    }
    if (i < n) {
      VectorMask<Float> m = Simd.F.indexInRange(i, n);
      load(x, xo + 4L * i, m).mul(alpha).add(beta).intoMemorySegment(out, oo + 4L * i, Simd.LE, m);
    }
  }
}
