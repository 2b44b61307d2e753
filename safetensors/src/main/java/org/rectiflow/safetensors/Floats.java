package org.rectiflow.safetensors;

import java.lang.foreign.MemorySegment;

/**
 * Conversion between the floating-point dtypes and float.
 *
 * <p>Widening is exact (F64 is rounded to the nearest float). Narrowing rounds to nearest, ties to
 * even, as torch's {@code Tensor.to} does on a CPU: F16, BF16 and F8_E5M2 overflow to infinity;
 * F8_E4M3, which has no infinity, overflows to NaN (nothing saturates). A NaN becomes the quiet NaN
 * torch's scalar conversion gives: 0x7e00 with the sign for F16, 0x7fc0 without a sign for BF16,
 * 0x7f with the sign for both F8.
 */
public final class Floats {

  private Floats() {}

  /**
   * All elements as float.
   *
   * @throws IllegalArgumentException when the dtype is not {@linkplain DType#isWidenable
   *     widenable}, the bytes are no whole number of elements, or the elements are too many for an
   *     array
   */
  public static float[] read(MemorySegment data, DType dtype) {
    float[] out = new float[arrayLength(data, dtype)];
    read(data, dtype, 0, out, 0, out.length);
    return out;
  }

  /**
   * Reads {@code count} elements, starting with element {@code first} of the data, into {@code
   * out[at...]}.
   *
   * @throws IllegalArgumentException when the dtype is not {@linkplain DType#isWidenable widenable}
   * @throws IndexOutOfBoundsException when data or array are too short
   */
  public static void read(
      MemorySegment data, DType dtype, long first, float[] out, int at, int count) {
    requireWidenable(dtype);
    long size = dtype.byteSize();
    MemorySegment in = data.asSlice(first * size, count * size);
    switch (dtype) {
      case F32 -> MemorySegment.copy(in, Layouts.FLOAT, 0, out, at, count);
      case F16 -> {
        for (int i = 0; i < count; i++) {
          out[at + i] = Float.float16ToFloat(in.get(Layouts.SHORT, 2L * i));
        }
      }
      case BF16 -> {
        for (int i = 0; i < count; i++) {
          out[at + i] = bf16ToFloat(in.get(Layouts.SHORT, 2L * i));
        }
      }
      case F8_E4M3 -> {
        for (int i = 0; i < count; i++) {
          out[at + i] = Float8.fromE4m3(in.get(Layouts.BYTE, i));
        }
      }
      case F8_E5M2 -> {
        for (int i = 0; i < count; i++) {
          out[at + i] = Float8.fromE5m2(in.get(Layouts.BYTE, i));
        }
      }
      case F64 -> {
        for (int i = 0; i < count; i++) {
          out[at + i] = (float) in.get(Layouts.DOUBLE, 8L * i);
        }
      }
      default -> throw notWidenable(dtype);
    }
  }

  /**
   * Narrows {@code count} values, {@code values[at...]}, into the data, starting at its element
   * {@code first}.
   *
   * @throws IllegalArgumentException when the dtype is not {@linkplain DType#isWidenable widenable}
   * @throws IndexOutOfBoundsException when data or array are too short
   */
  public static void write(
      float[] values, int at, int count, MemorySegment data, DType dtype, long first) {
    requireWidenable(dtype);
    long size = dtype.byteSize();
    MemorySegment out = data.asSlice(first * size, count * size);
    switch (dtype) {
      case F32 -> MemorySegment.copy(values, at, out, Layouts.FLOAT, 0, count);
      case F16 -> {
        for (int i = 0; i < count; i++) {
          out.set(Layouts.SHORT, 2L * i, floatToF16(values[at + i]));
        }
      }
      case BF16 -> {
        for (int i = 0; i < count; i++) {
          out.set(Layouts.SHORT, 2L * i, floatToBf16(values[at + i]));
        }
      }
      case F8_E4M3 -> {
        for (int i = 0; i < count; i++) {
          out.set(Layouts.BYTE, i, Float8.toE4m3(values[at + i]));
        }
      }
      case F8_E5M2 -> {
        for (int i = 0; i < count; i++) {
          out.set(Layouts.BYTE, i, Float8.toE5m2(values[at + i]));
        }
      }
      case F64 -> {
        for (int i = 0; i < count; i++) {
          out.set(Layouts.DOUBLE, 8L * i, values[at + i]);
        }
      }
      default -> throw notWidenable(dtype);
    }
  }

  /** Exact. */
  public static float bf16ToFloat(short bits) {
    return Float.intBitsToFloat(bits << 16);
  }

  /** Exact; F8_E4M3 is torch's float8_e4m3fn. */
  public static float e4m3ToFloat(byte bits) {
    return Float8.fromE4m3(bits);
  }

  /** Exact. */
  public static float e5m2ToFloat(byte bits) {
    return Float8.fromE5m2(bits);
  }

  /** Nearest even; overflow gives infinity. Widen with {@link Float#float16ToFloat}. */
  public static short floatToF16(float value) {
    // The hardware keeps a NaN's payload and the interpreter may not: give one answer.
    return Float.isNaN(value)
        ? (short) (((Float.floatToRawIntBits(value) >>> 16) & 0x8000) | 0x7e00)
        : Float.floatToFloat16(value);
  }

  /** Nearest even; overflow gives infinity. */
  public static short floatToBf16(float value) {
    if (Float.isNaN(value)) {
      return 0x7fc0;
    }
    int bits = Float.floatToRawIntBits(value);
    return (short) ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16);
  }

  /** Nearest even; overflow, infinities and NaN give NaN. */
  public static byte floatToE4m3(float value) {
    return Float8.toE4m3(value);
  }

  /** Nearest even; overflow gives infinity. */
  public static byte floatToE5m2(float value) {
    return Float8.toE5m2(value);
  }

  static int arrayLength(MemorySegment data, DType dtype) {
    long bytes = data.byteSize();
    long size = dtype.byteSize();
    if (bytes % size != 0 || bytes / size > Integer.MAX_VALUE - 8) {
      throw new IllegalArgumentException(
          bytes + " bytes are no whole number of " + dtype + " that fits one array");
    }
    return (int) (bytes / size);
  }

  private static void requireWidenable(DType dtype) {
    if (!dtype.isWidenable()) {
      throw notWidenable(dtype);
    }
  }

  private static IllegalArgumentException notWidenable(DType dtype) {
    return new IllegalArgumentException(
        "expected a dtype that widens to float (F64, F32, F16, BF16, F8_E4M3, F8_E5M2), found "
            + dtype);
  }
}
