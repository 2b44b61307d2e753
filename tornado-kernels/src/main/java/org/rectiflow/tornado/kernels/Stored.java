package org.rectiflow.tornado.kernels;

import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.ShortArray;

/**
 * Reads weights in their stored type. Reinterpreting bits is not something the kernel compiler can
 * do, so a 16-bit float is put together by arithmetic: sign, implicit one and mantissa, times a
 * power of two looked up by the exponent. Exact for every finite value. NaN becomes infinity, which
 * the NaN guard sees as well.
 */
public final class Stored {
  public static final int F32 = 0;
  public static final int F16 = 1;
  public static final int BF16 = 2;

  private static final int F16_EXPONENTS = 32;
  private static final int BF16_EXPONENTS = 256;

  private Stored() {}

  /** Entries of the table of powers of two: those of F16, then those of BF16. */
  public static final int POWERS = F16_EXPONENTS + BF16_EXPONENTS;

  /** The table that {@link #at} looks exponents up in. */
  public static float[] powers() {
    float[] table = new float[POWERS];
    for (int e = 0; e < F16_EXPONENTS; e++) {
      table[e] = (float) Math.scalb(1.0, Math.max(e, 1) - 15);
    }
    for (int e = 0; e < BF16_EXPONENTS; e++) {
      table[F16_EXPONENTS + e] = (float) Math.scalb(1.0, Math.max(e, 1) - 127);
    }
    table[F16_EXPONENTS - 1] = Float.POSITIVE_INFINITY;
    table[POWERS - 1] = Float.POSITIVE_INFINITY;
    return table;
  }

  /**
   * Element {@code i}.
   *
   * @param kind {@link #F32}, {@link #F16} or {@link #BF16}; a constant to the kernel compiler
   * @param powers where the table of {@link #powers()} begins in {@code mem}
   */
  static float at(FloatArray mem, int powers, FloatArray w32, ShortArray w16, int kind, int i) {
    float value;
    if (kind == F32) {
      value = w32.get(i);
    } else {
      int bits = w16.get(i);
      int exponent;
      float fraction;
      float scale;
      if (kind == BF16) {
        exponent = (bits >> 7) & 0xff;
        fraction = (bits & 0x7f) * 0.0078125f;
        scale = mem.get(powers + F16_EXPONENTS + exponent);
      } else {
        exponent = (bits >> 10) & 0x1f;
        fraction = (bits & 0x3ff) * 0.0009765625f;
        scale = mem.get(powers + exponent);
      }
      if (exponent != 0) {
        fraction = fraction + 1f;
      }
      value = fraction * scale;
      if (bits < 0) {
        value = -value;
      }
    }
    return value;
  }
}
