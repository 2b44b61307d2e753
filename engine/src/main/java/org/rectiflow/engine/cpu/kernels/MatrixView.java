package org.rectiflow.engine.cpu.kernels;

import java.lang.foreign.MemorySegment;
import org.rectiflow.safetensors.DType;

/**
 * A matrix in memory.
 *
 * @param segment memory that holds it
 * @param byteOffset where element (0, 0) is
 * @param dtype stored type; results and activations must be F32
 * @param rowStride elements between rows
 * @param columnStride elements between columns
 */
public record MatrixView(
    MemorySegment segment, long byteOffset, DType dtype, long rowStride, long columnStride) {

  /** A matrix whose rows are contiguous. */
  public static MatrixView of(MemorySegment segment, long byteOffset, DType dtype, long rowStride) {
    return new MatrixView(segment, byteOffset, dtype, rowStride, 1);
  }

  /** A float32 matrix whose rows are contiguous. */
  public static MatrixView f32(MemorySegment segment, long byteOffset, long rowStride) {
    return new MatrixView(segment, byteOffset, DType.F32, rowStride, 1);
  }

  /** The same memory with rows and columns exchanged. */
  public MatrixView transposed() {
    return new MatrixView(segment, byteOffset, dtype, columnStride, rowStride);
  }

  /** Byte offset of an element. */
  long at(long row, long column) {
    return byteOffset + (row * rowStride + column * columnStride) * (dtype.bits() / 8);
  }
}
