package org.rectiflow.engine;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.rectiflow.safetensors.DType;
import org.rectiflow.safetensors.Floats;

/**
 * A parameter where and how it is stored, usually a view of a memory-mapped file. Nothing is copied
 * or widened until a kernel reads it.
 *
 * @param name the name in the file, for messages
 * @param dtype stored type: F32, F16, BF16, F8_E4M3, F8_E5M2 or F64
 * @param shape dimensions, row-major
 * @param data exactly the tensor's bytes, little-endian; may be read-only and unaligned
 */
public record Weight(String name, DType dtype, Shape shape, MemorySegment data) {
  public Weight {
    long expected = shape.count() * dtype.bits() / 8;
    if (data.byteSize() != expected) {
      throw new IllegalArgumentException(
          "%s: %d bytes for %s %s, expected %d"
              .formatted(name, data.byteSize(), dtype, shape, expected));
    }
  }

  /** A weight of float values held by the garbage collector. */
  public static Weight of(String name, Tensor tensor) {
    float[] values = tensor.data();
    MemorySegment data = Arena.ofAuto().allocate(4L * values.length, 64);
    MemorySegment.copy(values, 0, data, ValueLayout.JAVA_FLOAT, 0, values.length);
    return new Weight(name, DType.F32, tensor.shape(), data);
  }

  /** The rows {@code [from, from + count)} of the leading axis, as a view. */
  public Weight rows(int from, int count) {
    long row = data.byteSize() / Math.max(1, shape.dim(0));
    return new Weight(
        name + "[" + from + ":" + (from + count) + "]",
        dtype,
        shape.with(0, count),
        data.asSlice(from * row, count * row));
  }

  /** The same values under another shape of as many elements. */
  public Weight reshape(int... dims) {
    return new Weight(name, dtype, Shape.of(dims), data);
  }

  /** All values, widened. For small tensors and tests. */
  public float[] toFloats() {
    return Floats.read(data, dtype);
  }

  @Override
  public String toString() {
    return name + " " + dtype + " " + shape;
  }
}
