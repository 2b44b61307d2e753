package org.rectiflow.engine.cpu.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;
import org.rectiflow.safetensors.DType;
import org.rectiflow.safetensors.Floats;

/**
 * Exact widening of stored elements to float32.
 *
 * <p>Stored elements may lie in a mapped file that another program cuts short. The JVM then throws
 * {@link InternalError} from a plain access or a bulk copy, but dies in a vector load, or in a
 * table lookup by a value just loaded. So everything is copied to the heap before it is looked at.
 */
final class Widen {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(Simd.LE);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(Simd.LE);
  private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;
  private static final VectorSpecies<Short> HALF =
      VectorSpecies.of(short.class, VectorShape.forBitSize(Simd.bits() / 2));
  private static final float[] E4M3 = table(Floats::e4m3ToFloat);
  private static final float[] E5M2 = table(Floats::e5m2ToFloat);

  private Widen() {}

  /** Widens {@code count} contiguous elements that start at {@code byteOffset}. */
  static void run(
      MemorySegment from,
      long byteOffset,
      DType dtype,
      int count,
      float[] to,
      int at,
      Scratch scratch) {
    switch (dtype) {
      case F32 -> MemorySegment.copy(from, FLOAT, byteOffset, to, at, count);
      case BF16 -> {
        short[] s = scratch.shorts(count);
        MemorySegment.copy(from, SHORT, byteOffset, s, 0, count);
        bf16(s, count, to, at);
      }
      case F16 -> {
        short[] s = scratch.shorts(count);
        MemorySegment.copy(from, SHORT, byteOffset, s, 0, count);
        f16(s, count, to, at);
      }
      case F8_E4M3, F8_E5M2 -> {
        byte[] b = scratch.bytes(count);
        MemorySegment.copy(from, BYTE, byteOffset, b, 0, count);
        f8(b, dtype == DType.F8_E4M3 ? E4M3 : E5M2, count, to, at);
      }
      default -> throw unsupported(dtype);
    }
  }

  /** Widens {@code count} elements that are {@code byteStride} bytes apart. */
  static void strided(
      MemorySegment from,
      long byteOffset,
      long byteStride,
      DType dtype,
      int count,
      float[] to,
      int at) {
    switch (dtype) {
      case F32 -> {
        for (int i = 0; i < count; i++) {
          to[at + i] = from.get(FLOAT, byteOffset + i * byteStride);
        }
      }
      case BF16 -> {
        for (int i = 0; i < count; i++) {
          to[at + i] = Float.intBitsToFloat(from.get(SHORT, byteOffset + i * byteStride) << 16);
        }
      }
      case F16 -> {
        for (int i = 0; i < count; i++) {
          to[at + i] = Float.float16ToFloat(from.get(SHORT, byteOffset + i * byteStride));
        }
      }
      case F8_E4M3 -> {
        for (int i = 0; i < count; i++) {
          to[at + i] = Floats.e4m3ToFloat(from.get(BYTE, byteOffset + i * byteStride));
        }
      }
      case F8_E5M2 -> {
        for (int i = 0; i < count; i++) {
          to[at + i] = Floats.e5m2ToFloat(from.get(BYTE, byteOffset + i * byteStride));
        }
      }
      default -> throw unsupported(dtype);
    }
  }

  static void check(DType dtype) {
    switch (dtype) {
      case F32, F16, BF16, F8_E4M3, F8_E5M2 -> {}
      default -> throw unsupported(dtype);
    }
  }

  private static IllegalArgumentException unsupported(DType dtype) {
    return new IllegalArgumentException(
        "weights of type "
            + dtype
            + " cannot be computed with; expected F32, F16, BF16, F8_E4M3 or F8_E5M2");
  }

  private static void bf16(short[] from, int count, float[] to, int at) {
    int whole = count - count % Simd.LANES;
    for (int i = 0; i < whole; i += Simd.LANES) {
      ShortVector s = ShortVector.fromArray(HALF, from, i);
      IntVector bits = (IntVector) s.convertShape(VectorOperators.ZERO_EXTEND_S2I, Simd.I, 0);
      FloatVector f = bits.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
      f.intoArray(to, at + i);
    }
    for (int i = whole; i < count; i++) {
      to[at + i] = Float.intBitsToFloat(from[i] << 16);
    }
  }

  private static void f16(short[] from, int count, float[] to, int at) {
    for (int i = 0; i < count; i++) {
      to[at + i] = Float.float16ToFloat(from[i]);
    }
  }

  private static void f8(byte[] from, float[] table, int count, float[] to, int at) {
    for (int i = 0; i < count; i++) {
      to[at + i] = table[from[i] & 0xff];
    }
  }

  private static float[] table(ByteToFloat widen) {
    float[] table = new float[256];
    for (int i = 0; i < 256; i++) {
      table[i] = widen.apply((byte) i);
    }
    return table;
  }

  @FunctionalInterface
  private interface ByteToFloat {
    float apply(byte bits);
  }
}
