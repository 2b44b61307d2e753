package org.rectiflow.engine.cpu.kernels;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Random;
import org.rectiflow.safetensors.DType;

/** Random operands and their values for kernel tests. */
final class Memory {
  static final DType[] STORED = {DType.F32, DType.F16, DType.BF16, DType.F8_E4M3, DType.F8_E5M2};
  static final double ULP = 0x1p-24;

  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private Memory() {}

  /** Aligned native memory with standard normal floats. */
  static MemorySegment gaussian(Random random, long count) {
    MemorySegment s = empty(count);
    for (long i = 0; i < count; i++) {
      s.setAtIndex(FLOAT, i, (float) random.nextGaussian());
    }
    return s;
  }

  /** Aligned native memory for floats, filled with NaN so that forgotten elements show. */
  static MemorySegment empty(long count) {
    MemorySegment s = Arena.ofAuto().allocate(4 * Math.max(1, count), 64);
    for (long i = 0; i < count; i++) {
      s.setAtIndex(FLOAT, i, Float.NaN);
    }
    return s;
  }

  static float get(MemorySegment s, long index) {
    return s.getAtIndex(FLOAT, index);
  }

  /**
   * Elements of a stored type at an odd address, of magnitude about 1, every finite bit pattern
   * possible for F8.
   */
  static StoredVector stored(Random random, DType dtype, int count) {
    int bytes = dtype.bits() / 8;
    MemorySegment s = Arena.ofAuto().allocate((long) count * bytes + 1, 64);
    for (int i = 0; i < count; i++) {
      long at = 1 + (long) i * bytes;
      float v = (float) random.nextGaussian();
      switch (dtype) {
        case F32 -> s.set(FLOAT, at, v);
        case F16 -> s.set(SHORT, at, Float.floatToFloat16(v));
        case BF16 -> s.set(SHORT, at, (short) (Float.floatToRawIntBits(v) >>> 16));
        default -> s.set(ValueLayout.JAVA_BYTE, at, finiteByte(random, dtype));
      }
    }
    return new StoredVector(s, 1, dtype);
  }

  private static byte finiteByte(Random random, DType dtype) {
    while (true) {
      byte b = (byte) random.nextInt(256);
      if (Double.isFinite(decode8(b, dtype)) && Math.abs(decode8(b, dtype)) < 16) {
        return b;
      }
    }
  }

  /** The value of a stored element, decoded from the format's definition. */
  static double value(StoredVector v, long index) {
    long at = v.byteOffset() + index * (v.dtype().bits() / 8);
    return switch (v.dtype()) {
      case F32 -> v.segment().get(FLOAT, at);
      case F16 -> decode(v.segment().get(SHORT, at) & 0xffff, 5, 10, true);
      case BF16 -> decode(v.segment().get(SHORT, at) & 0xffff, 8, 7, true);
      default -> decode8(v.segment().get(ValueLayout.JAVA_BYTE, at), v.dtype());
    };
  }

  static double decode8(byte b, DType dtype) {
    return dtype == DType.F8_E4M3 ? decode(b & 0xff, 4, 3, false) : decode(b & 0xff, 5, 2, true);
  }

  private static double decode(int bits, int exponentBits, int mantissaBits, boolean infinities) {
    int sign = bits >> (exponentBits + mantissaBits);
    int exponent = (bits >> mantissaBits) & ((1 << exponentBits) - 1);
    int mantissa = bits & ((1 << mantissaBits) - 1);
    int bias = (1 << (exponentBits - 1)) - 1;
    boolean top = exponent == (1 << exponentBits) - 1;
    double v;
    if (infinities && top) {
      v = mantissa == 0 ? Double.POSITIVE_INFINITY : Double.NaN;
    } else if (!infinities && top && mantissa == (1 << mantissaBits) - 1) {
      v = Double.NaN;
    } else if (exponent == 0) {
      v = Math.scalb((double) mantissa, 1 - bias - mantissaBits);
    } else {
      v = Math.scalb((double) mantissa + (1 << mantissaBits), exponent - bias - mantissaBits);
    }
    return sign == 0 ? v : -v;
  }

  /** Double-precision activations. */
  static double activate(Activation f, double x) {
    return switch (f) {
      case NONE -> x;
      case SILU -> x / (1 + Math.exp(-x));
      case GELU_TANH ->
          x / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
      case GELU_ERF -> x / 2 * (1 + erf(x / Math.sqrt(2)));
      case QUICK_GELU -> x / (1 + Math.exp(-1.702 * x));
      case RELU -> Math.max(x, 0);
      case SIGMOID -> 1 / (1 + Math.exp(-x));
      case TANH -> Math.tanh(x);
      case ERF -> erf(x);
      case EXP -> Math.exp(x);
      case ABS -> Math.abs(x);
    };
  }

  /** The error function by its series, or by the continued fraction of its complement. */
  static double erf(double x) {
    double a = Math.abs(x);
    if (a > 6) {
      return Math.signum(x);
    }
    if (a < 2.5) {
      double term = a;
      double sum = a;
      for (int n = 1; n < 100; n++) {
        term *= -a * a / n;
        sum += term / (2 * n + 1);
      }
      return Math.copySign(sum * 2 / Math.sqrt(Math.PI), x);
    }
    double f = a;
    for (int n = 120; n >= 1; n--) {
      f = a + n / 2.0 / f;
    }
    return Math.copySign(1 - Math.exp(-a * a) / Math.sqrt(Math.PI) / f, x);
  }
}
