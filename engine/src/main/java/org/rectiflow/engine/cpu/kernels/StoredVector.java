package org.rectiflow.engine.cpu.kernels;

import java.lang.foreign.MemorySegment;
import org.rectiflow.safetensors.DType;

/**
 * Contiguous elements of a stored type: a bias, a norm's weight, or the data of a weight tensor in
 * row-major order.
 *
 * @param segment memory that holds them
 * @param byteOffset where element 0 is; any alignment
 * @param dtype F32, F16, BF16, F8_E4M3 or F8_E5M2
 */
public record StoredVector(MemorySegment segment, long byteOffset, DType dtype) {
  /** Float32 elements. */
  public static StoredVector f32(MemorySegment segment, long byteOffset) {
    return new StoredVector(segment, byteOffset, DType.F32);
  }
}
