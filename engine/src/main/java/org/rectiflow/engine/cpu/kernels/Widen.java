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

/** Exact widening of stored elements to float32. */
final class Widen {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(Simd.LE);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(Simd.LE);
  private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;
  private static final VectorSpecies<Short> HALF =
      VectorSpecies.of(short.class, VectorShape.forBitSize(Simd.bits() / 2));
  private static final float[] E4M3 = e4m3Table();
  private static final float[] E5M2 = e5m2Table();

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
      case BF16 -> bf16(from, byteOffset, count, to, at);
      case F16 -> {
        short[] s = scratch.shorts(count);
        MemorySegment.copy(from, SHORT, byteOffset, s, 0, count);
        f16(s, count, to, at);
      }
      case F8_E4M3 -> f8(from, byteOffset, E4M3, count, to, at);
      case F8_E5M2 -> f8(from, byteOffset, E5M2, count, to, at);
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
          to[at + i] = E4M3[from.get(BYTE, byteOffset + i * byteStride) & 0xff];
        }
      }
      case F8_E5M2 -> {
        for (int i = 0; i < count; i++) {
          to[at + i] = E5M2[from.get(BYTE, byteOffset + i * byteStride) & 0xff];
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

  private static void bf16(MemorySegment from, long byteOffset, int count, float[] to, int at) {
    int whole = count - count % Simd.LANES;
    for (int i = 0; i < whole; i += Simd.LANES) {
      ShortVector s = ShortVector.fromMemorySegment(HALF, from, byteOffset + 2L * i, Simd.LE);
      IntVector bits = (IntVector) s.convertShape(VectorOperators.ZERO_EXTEND_S2I, Simd.I, 0);
      FloatVector f = bits.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
      f.intoArray(to, at + i);
    }
    for (int i = whole; i < count; i++) {
      to[at + i] = Float.intBitsToFloat(from.get(SHORT, byteOffset + 2L * i) << 16);
    }
  }

  private static void f16(short[] from, int count, float[] to, int at) {
    for (int i = 0; i < count; i++) {
      to[at + i] = Float.float16ToFloat(from[i]);
    }
  }

  private static void f8(
      MemorySegment from, long byteOffset, float[] table, int count, float[] to, int at) {
    for (int i = 0; i < count; i++) {
      to[at + i] = table[from.get(BYTE, byteOffset + i) & 0xff];
    }
  }

  /** 4 exponent bits with bias 7, no infinities, NaN at S.1111.111. */
  private static float[] e4m3Table() {
    float[] t = new float[256];
    for (int i = 0; i < 256; i++) {
      int exponent = (i >> 3) & 15;
      int mantissa = i & 7;
      float v = exponent == 0 ? mantissa * 0x1p-9f : Math.scalb(1 + mantissa / 8f, exponent - 7);
      if ((i & 0x7f) == 0x7f) {
        v = Float.NaN;
      }
      t[i] = i < 128 ? v : -v;
    }
    return t;
  }

  /** The upper byte of an F16. */
  private static float[] e5m2Table() {
    float[] t = new float[256];
    for (int i = 0; i < 256; i++) {
      t[i] = Float.float16ToFloat((short) (i << 8));
    }
    return t;
  }
}
