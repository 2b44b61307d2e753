package org.rectiflow.safetensors;

/**
 * The two eight-bit floats of Stable Diffusion 3 checkpoints, converted as torch 2 does ({@code
 * c10/util/Float8_e4m3fn.h}, {@code c10/util/Float8_e5m2.h}).
 */
final class Float8 {

  private static final float[] E4M3 = new float[256];
  private static final float[] E5M2 = new float[256];

  static {
    for (int i = 0; i < 256; i++) {
      E4M3[i] = decode(i, 3, 7, 0x7f, Float.NaN);
      E5M2[i] = decode(i, 2, 15, 0x7c, (i & 3) == 0 ? Float.POSITIVE_INFINITY : Float.NaN);
    }
  }

  private Float8() {}

  /** The value of {@code bits}; magnitudes from {@code firstSpecial} on are {@code special}. */
  private static float decode(
      int bits, int mantissaBits, int bias, int firstSpecial, float special) {
    int magnitude = bits & 0x7f;
    int exponent = magnitude >> mantissaBits;
    int mantissa = magnitude & ((1 << mantissaBits) - 1);
    float value;
    if (magnitude >= firstSpecial) {
      value = special;
    } else if (exponent == 0) {
      value = Math.scalb((float) mantissa, 1 - bias - mantissaBits);
    } else {
      value = Math.scalb((float) (mantissa | (1 << mantissaBits)), exponent - bias - mantissaBits);
    }
    return bits < 0x80 ? value : -value;
  }

  static float fromE4m3(byte bits) {
    return E4M3[bits & 0xff];
  }

  static float fromE5m2(byte bits) {
    return E5M2[bits & 0xff];
  }

  /** Round to nearest even; what rounds beyond 448, infinities and NaN become NaN. */
  static byte toE4m3(float value) {
    int magnitude = round(value, 3, 7);
    return (byte) (sign(value) | Math.min(magnitude, 0x7f));
  }

  /** Round to nearest even; what rounds beyond 57344 becomes infinite. */
  static byte toE5m2(float value) {
    int magnitude = Float.isNaN(value) ? 0x7f : Math.min(round(value, 2, 15), 0x7c);
    return (byte) (sign(value) | magnitude);
  }

  private static int sign(float value) {
    return (Float.floatToRawIntBits(value) >>> 24) & 0x80;
  }

  /**
   * The bits of |value| rounded to nearest even as if the exponent had no upper end, so that too
   * large values give too large bits.
   */
  private static int round(float value, int mantissaBits, int bias) {
    int bits = Float.floatToRawIntBits(value) & 0x7fff_ffff;
    int shift = 23 - mantissaBits;
    int smallestNormal = 128 - bias;
    if (bits >>> 23 < smallestNormal) {
      // A subnormal is a count of the smallest step; the product is exact, rint rounds to even.
      return (int) Math.rint(Math.scalb((double) Math.abs(value), bias - 1 + mantissaBits));
    }
    int rebased = bits - ((127 - bias) << 23);
    return (rebased + (1 << (shift - 1)) - 1 + ((rebased >>> shift) & 1)) >>> shift;
  }
}
