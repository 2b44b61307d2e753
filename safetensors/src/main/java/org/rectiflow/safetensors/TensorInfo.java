package org.rectiflow.safetensors;

import java.util.List;
import java.util.Objects;

/**
 * One tensor as a safetensors header describes it: row-major, little-endian, without strides.
 *
 * @param name the name in the header
 * @param dtype element type
 * @param shape the dimensions, outermost first; empty for a scalar; a dimension may be 0
 * @param begin first byte, counted from the end of the header
 * @param end the byte after the last, counted from the end of the header
 */
public record TensorInfo(String name, DType dtype, List<Long> shape, long begin, long end) {

  /**
   * Copies the shape.
   *
   * @throws IllegalArgumentException when a dimension is negative, or {@code end < begin}
   * @throws ArithmeticException when the number of elements exceeds 63 bits
   */
  public TensorInfo {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(dtype, "dtype");
    shape = List.copyOf(shape);
    if (begin < 0 || end < begin) {
      throw new IllegalArgumentException("data offsets [" + begin + ", " + end + "] of " + name);
    }
    elementCount(shape);
  }

  /** Product of the dimensions; 1 for a scalar. */
  public long elementCount() {
    return elementCount(shape);
  }

  /** Bytes of the data. */
  public long byteSize() {
    return end - begin;
  }

  /** Number of dimensions. */
  public int rank() {
    return shape.size();
  }

  /** The dimensions as a fresh array. */
  public long[] dims() {
    return shape.stream().mapToLong(Long::longValue).toArray();
  }

  /** As the reference does it: from the left, every partial product checked. */
  static long elementCount(List<Long> shape) {
    long count = 1;
    for (long dim : shape) {
      if (dim < 0) {
        throw new IllegalArgumentException("negative dimension in shape " + shape);
      }
      count = Math.multiplyExact(count, dim);
    }
    return count;
  }

  /** For example {@code F16 [1536, 64]}. */
  public String describe() {
    return dtype + " " + shape;
  }
}
