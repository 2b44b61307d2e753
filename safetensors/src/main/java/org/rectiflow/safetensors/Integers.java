package org.rectiflow.safetensors;

import java.lang.foreign.MemorySegment;

/** Reads integer tensors. */
public final class Integers {

  private Integers() {}

  /**
   * All elements of an integer tensor, widened to long. U64 values above {@code Long.MAX_VALUE}
   * come out negative, as the same 64 bits.
   *
   * @throws IllegalArgumentException when the dtype holds no integers, the bytes are no whole
   *     number of elements, or the elements are too many for an array
   */
  public static long[] read(MemorySegment data, DType dtype) {
    if (!dtype.isInteger()) {
      throw new IllegalArgumentException("expected an integer dtype, found " + dtype);
    }
    long[] out = new long[Floats.arrayLength(data, dtype)];
    for (int i = 0; i < out.length; i++) {
      out[i] = at(data, dtype, i);
    }
    return out;
  }

  private static long at(MemorySegment data, DType dtype, long i) {
    return switch (dtype) {
      case BOOL -> data.get(Layouts.BYTE, i) == 0 ? 0 : 1;
      case I8 -> data.get(Layouts.BYTE, i);
      case U8 -> data.get(Layouts.BYTE, i) & 0xffL;
      case I16 -> data.get(Layouts.SHORT, 2 * i);
      case U16 -> data.get(Layouts.SHORT, 2 * i) & 0xffffL;
      case I32 -> data.get(Layouts.INT, 4 * i);
      case U32 -> data.get(Layouts.INT, 4 * i) & 0xffff_ffffL;
      case I64, U64 -> data.get(Layouts.LONG, 8 * i);
      default -> throw new IllegalArgumentException("expected an integer dtype, found " + dtype);
    };
  }
}
