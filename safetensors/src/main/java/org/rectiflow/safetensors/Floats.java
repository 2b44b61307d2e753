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

  private static final int PIECE = 4096;

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
      case F64 -> readF64(in, out, at, count);
      case F16, BF16 -> readHalves(in, dtype, out, at, count);
      case F8_E4M3, F8_E5M2 -> readBytes(in, dtype, out, at, count);
      default -> throw notWidenable(dtype);
    }
  }

  // Each piece is copied to the heap before it is converted. Should the mapped file have been cut
  // short, the copy throws and nothing is computed; compiled code that loads from the mapping
  // itself
  // goes on for a while with whatever its registers held (a table indexed with it crashes the JVM).

  private static void readHalves(MemorySegment in, DType dtype, float[] out, int at, int count) {
    short[] piece = new short[Math.min(PIECE, count)];
    for (int done = 0; done < count; done += PIECE) {
      int now = Math.min(PIECE, count - done);
      MemorySegment.copy(in, Layouts.SHORT, 2L * done, piece, 0, now);
      int to = at + done;
      if (dtype == DType.F16) {
        for (int i = 0; i < now; i++) {
          out[to + i] = Float.float16ToFloat(piece[i]);
        }
      } else {
        for (int i = 0; i < now; i++) {
          out[to + i] = bf16ToFloat(piece[i]);
        }
      }
    }
  }

  private static void readBytes(MemorySegment in, DType dtype, float[] out, int at, int count) {
    byte[] piece = new byte[Math.min(PIECE, count)];
    for (int done = 0; done < count; done += PIECE) {
      int now = Math.min(PIECE, count - done);
      MemorySegment.copy(in, Layouts.BYTE, done, piece, 0, now);
      int to = at + done;
      if (dtype == DType.F8_E4M3) {
        for (int i = 0; i < now; i++) {
          out[to + i] = Float8.fromE4m3(piece[i]);
        }
      } else {
        for (int i = 0; i < now; i++) {
          out[to + i] = Float8.fromE5m2(piece[i]);
        }
      }
    }
  }

  private static void readF64(MemorySegment in, float[] out, int at, int count) {
    double[] piece = new double[Math.min(PIECE, count)];
    for (int done = 0; done < count; done += PIECE) {
      int now = Math.min(PIECE, count - done);
      MemorySegment.copy(in, Layouts.DOUBLE, 8L * done, piece, 0, now);
      for (int i = 0; i < now; i++) {
        out[at + done + i] = (float) piece[i];
      }
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
