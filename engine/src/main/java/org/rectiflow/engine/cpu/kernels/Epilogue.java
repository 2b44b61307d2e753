package org.rectiflow.engine.cpu.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import org.rectiflow.safetensors.DType;

/**
 * What a matrix product does with its result before storing it: {@code out = residual + gate *
 * activation(product + bias)}. Parts that are null are left out. With {@code slopeAt} it is
 * multiplied with the derivative of the activation at other values instead: {@code residual + gate
 * * (product + bias) * activation'(slopeAt)}.
 *
 * @param bias N elements, added to every row
 * @param before float32 [M, N] with contiguous rows, where product and bias are stored too, or null
 * @param activation applied after the bias, itself or its derivative
 * @param slopeAt float32 [M, N] with contiguous rows, or null
 * @param gate float32, one row of N elements for every {@code rowsPerGate} rows of the result;
 *     {@code rowsPerGate = 1} gives an elementwise product
 * @param rowsPerGate rows that share a row of the gate
 * @param residual float32 [M, N] with contiguous rows; may be the memory of the result itself
 */
public record Epilogue(
    StoredVector bias,
    MatrixView before,
    Activation activation,
    MatrixView slopeAt,
    MatrixView gate,
    int rowsPerGate,
    MatrixView residual) {
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT.withOrder(Simd.LE);

  /** Stores the bare product. */
  public static final Epilogue NONE =
      new Epilogue(null, null, Activation.NONE, null, null, 1, null);

  /** Checks what can be checked without the sizes. */
  public Epilogue {
    if (bias != null) {
      Widen.check(bias.dtype());
    }
    checkRows("before", before);
    checkRows("slopeAt", slopeAt);
    checkRows("gate", gate);
    checkRows("residual", residual);
    if (rowsPerGate < 1) {
      throw new IllegalArgumentException("rowsPerGate must be at least 1, found " + rowsPerGate);
    }
  }

  private static void checkRows(String name, MatrixView m) {
    if (m != null && (m.dtype() != DType.F32 || m.columnStride() != 1)) {
      throw new IllegalArgumentException(
          name
              + " must be F32 with contiguous rows, found "
              + m.dtype()
              + " with column stride "
              + m.columnStride());
    }
  }

  /** The same with a bias. */
  public Epilogue withBias(StoredVector v) {
    return new Epilogue(v, before, activation, slopeAt, gate, rowsPerGate, residual);
  }

  /** The same that stores the product with the bias too. */
  public Epilogue withBefore(MatrixView v) {
    return new Epilogue(bias, v, activation, slopeAt, gate, rowsPerGate, residual);
  }

  /** The same with an activation. */
  public Epilogue withActivation(Activation f) {
    return new Epilogue(bias, before, f, slopeAt, gate, rowsPerGate, residual);
  }

  /** The same with the derivative of {@code f} at {@code x}. */
  public Epilogue withSlope(Activation f, MatrixView x) {
    return new Epilogue(bias, before, f, x, gate, rowsPerGate, residual);
  }

  /** The same with a gate. */
  public Epilogue withGate(MatrixView g, int rowsForEach) {
    return new Epilogue(bias, before, activation, slopeAt, g, rowsForEach, residual);
  }

  /** The same with a residual. */
  public Epilogue withResidual(MatrixView r) {
    return new Epilogue(bias, before, activation, slopeAt, gate, rowsPerGate, r);
  }

  /**
   * Finishes and stores a block of the result.
   *
   * @param x products with the bias added, from element {@code from} on {@code rows} rows of {@code
   *     stride} elements, of which {@code columns} count; the stride is a multiple of the vector
   *     length; overwritten
   * @param row row of the result that the block starts at
   * @param column column of the result that the block starts at
   */
  void finish(
      float[] x,
      int from,
      int rows,
      int stride,
      int columns,
      int row,
      int column,
      MatrixView out,
      Scratch scratch) {
    if (before != null) {
      for (int r = 0; r < rows; r++) {
        Copies.write(x, from + r * stride, before.segment(), before.at(row + r, column), columns);
      }
    }
    if (slopeAt == null) {
      VectorMath.apply(activation, x, from, from + rows * stride);
    } else {
      float[] at = scratch.floats(5, from + rows * stride);
      for (int r = 0; r < rows; r++) {
        Copies.read(slopeAt.segment(), slopeAt.at(row + r, column), at, from + r * stride, columns);
      }
      PointwiseGrads.activation(activation, at, x, from, from + rows * stride);
    }
    for (int r = 0; r < rows; r++) {
      long to = out.at(row + r, column);
      if (columns < Simd.LANES) {
        finishNarrow(x, from + r * stride, columns, row + r, column, out.segment(), to);
      } else if (gate != null && residual != null) {
        long g = gate.at((row + r) / rowsPerGate, column);
        long o = residual.at(row + r, column);
        storeGatedResidual(
            x,
            from + r * stride,
            columns,
            gate.segment(),
            g,
            residual.segment(),
            o,
            out.segment(),
            to);
      } else if (gate != null) {
        long g = gate.at((row + r) / rowsPerGate, column);
        storeGated(x, from + r * stride, columns, gate.segment(), g, out.segment(), to);
      } else if (residual != null) {
        long o = residual.at(row + r, column);
        storeResidual(x, from + r * stride, columns, residual.segment(), o, out.segment(), to);
      } else {
        store(x, from + r * stride, columns, out.segment(), to);
      }
    }
  }

  private void finishNarrow(
      float[] x, int at, int count, int row, int column, MemorySegment out, long to) {
    for (int i = 0; i < count; i++) {
      float v = x[at + i];
      float g =
          gate == null ? 1 : gate.segment().get(FLOAT, gate.at(row / rowsPerGate, column + i));
      float r = residual == null ? 0 : residual.segment().get(FLOAT, residual.at(row, column + i));
      out.set(FLOAT, to + 4L * i, gate == null ? v + r : Math.fma(v, g, r));
    }
  }

  // Rows end with a vector that overlaps the one before. It is computed first, because the residual
  // may be the memory that is
  // being written.

  private static void store(float[] x, int at, int count, MemorySegment out, long to) {
    int last = count - Simd.LANES;
    for (int i = 0; i < last; i += Simd.LANES) {
      FloatVector.fromArray(Simd.F, x, at + i).intoMemorySegment(out, to + 4L * i, Simd.LE);
    }
    FloatVector.fromArray(Simd.F, x, at + last).intoMemorySegment(out, to + 4L * last, Simd.LE);
  }

  private static void storeGated(
      float[] x, int at, int count, MemorySegment gate, long g, MemorySegment out, long to) {
    int last = count - Simd.LANES;
    for (int i = 0; i < last; i += Simd.LANES) {
      FloatVector.fromArray(Simd.F, x, at + i)
          .mul(load(gate, g + 4L * i))
          .intoMemorySegment(out, to + 4L * i, Simd.LE);
    }
    FloatVector.fromArray(Simd.F, x, at + last)
        .mul(load(gate, g + 4L * last))
        .intoMemorySegment(out, to + 4L * last, Simd.LE);
  }

  private static void storeResidual(
      float[] x, int at, int count, MemorySegment residual, long r, MemorySegment out, long to) {
    int last = count - Simd.LANES;
    FloatVector end =
        FloatVector.fromArray(Simd.F, x, at + last).add(load(residual, r + 4L * last));
    for (int i = 0; i < last; i += Simd.LANES) {
      FloatVector.fromArray(Simd.F, x, at + i)
          .add(load(residual, r + 4L * i))
          .intoMemorySegment(out, to + 4L * i, Simd.LE);
    }
    end.intoMemorySegment(out, to + 4L * last, Simd.LE);
  }

  private static void storeGatedResidual(
      float[] x,
      int at,
      int count,
      MemorySegment gate,
      long g,
      MemorySegment residual,
      long r,
      MemorySegment out,
      long to) {
    int last = count - Simd.LANES;
    FloatVector end =
        FloatVector.fromArray(Simd.F, x, at + last)
            .fma(load(gate, g + 4L * last), load(residual, r + 4L * last));
    for (int i = 0; i < last; i += Simd.LANES) {
      FloatVector.fromArray(Simd.F, x, at + i)
          .fma(load(gate, g + 4L * i), load(residual, r + 4L * i))
          .intoMemorySegment(out, to + 4L * i, Simd.LE);
    }
    end.intoMemorySegment(out, to + 4L * last, Simd.LE);
  }

  private static FloatVector load(MemorySegment s, long at) {
    return FloatVector.fromMemorySegment(Simd.F, s, at, Simd.LE);
  }

  /** Whether there is nothing to do but to add the bias. */
  boolean isPlain() {
    return before == null && activation == Activation.NONE && gate == null && residual == null;
  }
}
