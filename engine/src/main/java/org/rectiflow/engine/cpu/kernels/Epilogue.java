package org.rectiflow.engine.cpu.kernels;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import org.rectiflow.safetensors.DType;

/**
 * What a matrix product does with its result before storing it: {@code out = residual + gate *
 * activation(product + bias)}. Parts that are null are left out.
 *
 * @param bias N elements, added to every row
 * @param activation applied after the bias
 * @param gate float32, one row of N elements for every {@code rowsPerGate} rows of the result;
 *     {@code rowsPerGate = 1} gives an elementwise product
 * @param rowsPerGate rows that share a row of the gate
 * @param residual float32 [M, N] with contiguous rows; may be the memory of the result itself
 */
public record Epilogue(
    StoredVector bias,
    Activation activation,
    MatrixView gate,
    int rowsPerGate,
    MatrixView residual) {
  /** Stores the bare product. */
  public static final Epilogue NONE = new Epilogue(null, Activation.NONE, null, 1, null);

  /** Checks what can be checked without the sizes. */
  public Epilogue {
    if (bias != null) {
      Widen.check(bias.dtype());
    }
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
    return new Epilogue(v, activation, gate, rowsPerGate, residual);
  }

  /** The same with an activation. */
  public Epilogue withActivation(Activation f) {
    return new Epilogue(bias, f, gate, rowsPerGate, residual);
  }

  /** The same with a gate. */
  public Epilogue withGate(MatrixView g, int rowsForEach) {
    return new Epilogue(bias, activation, g, rowsForEach, residual);
  }

  /** The same with a residual. */
  public Epilogue withResidual(MatrixView r) {
    return new Epilogue(bias, activation, gate, rowsPerGate, r);
  }

  /**
   * Finishes and stores a block of the result.
   *
   * @param x products with the bias added, {@code rows} rows of {@code stride} elements, of which
   *     {@code columns} count; the stride is a multiple of the vector length; overwritten
   * @param row row of the result that the block starts at
   * @param column column of the result that the block starts at
   */
  void finish(float[] x, int rows, int stride, int columns, int row, int column, MatrixView out) {
    VectorMath.apply(activation, x, 0, rows * stride);
    for (int r = 0; r < rows; r++) {
      if (gate != null) {
        multiply(x, r * stride, columns, gate, gate.at((row + r) / rowsPerGate, column));
      }
      if (residual != null) {
        add(x, r * stride, columns, residual, residual.at(row + r, column));
      }
      store(x, r * stride, columns, out, out.at(row + r, column));
    }
  }

  private static void multiply(float[] x, int at, int count, MatrixView m, long offset) {
    int i = 0;
    for (; i <= count - Simd.LANES; i += Simd.LANES) {
      FloatVector v = FloatVector.fromMemorySegment(Simd.F, m.segment(), offset + 4L * i, Simd.LE);
      FloatVector.fromArray(Simd.F, x, at + i).mul(v).intoArray(x, at + i);
    }
    if (i < count) {
      VectorMask<Float> tail = Simd.F.indexInRange(i, count);
      FloatVector v =
          FloatVector.fromMemorySegment(Simd.F, m.segment(), offset + 4L * i, Simd.LE, tail);
      FloatVector.fromArray(Simd.F, x, at + i).mul(v).intoArray(x, at + i);
    }
  }

  private static void add(float[] x, int at, int count, MatrixView m, long offset) {
    int i = 0;
    for (; i <= count - Simd.LANES; i += Simd.LANES) {
      FloatVector v = FloatVector.fromMemorySegment(Simd.F, m.segment(), offset + 4L * i, Simd.LE);
      FloatVector.fromArray(Simd.F, x, at + i).add(v).intoArray(x, at + i);
    }
    if (i < count) {
      VectorMask<Float> tail = Simd.F.indexInRange(i, count);
      FloatVector v =
          FloatVector.fromMemorySegment(Simd.F, m.segment(), offset + 4L * i, Simd.LE, tail);
      FloatVector.fromArray(Simd.F, x, at + i).add(v).intoArray(x, at + i);
    }
  }

  private static void store(float[] x, int at, int count, MatrixView m, long offset) {
    int i = 0;
    for (; i <= count - Simd.LANES; i += Simd.LANES) {
      FloatVector.fromArray(Simd.F, x, at + i)
          .intoMemorySegment(m.segment(), offset + 4L * i, Simd.LE);
    }
    if (i < count) {
      VectorMask<Float> tail = Simd.F.indexInRange(i, count);
      FloatVector.fromArray(Simd.F, x, at + i)
          .intoMemorySegment(m.segment(), offset + 4L * i, Simd.LE, tail);
    }
  }
}
