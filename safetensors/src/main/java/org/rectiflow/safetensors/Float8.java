package org.rectiflow.safetensors;

/**
 * The two eight-bit floats of Stable Diffusion 3 checkpoints, converted as torch 2 does ({@code
 * c10/util/Float8_e4m3fn.h}, {@code c10/util/Float8_e5m2.h}).
 */
final class Float8 {

  private Float8() {}

  // Computed, not looked up: see Floats.read for what a table would do to the JVM.

  /** The bits moved to their places in an F16, whose exponent is larger by 8. */
  static float fromE4m3(byte bits) {
    int sign = bits & 0x80;
    int magnitude = bits & 0x7f;
    return magnitude == 0x7f
        ? Float.intBitsToFloat((sign << 24) | 0x7fc0_0000)
        : Float.float16ToFloat((short) ((sign << 8) | (magnitude << 7))) * 256;
  }

  /** The upper half of an F16. */
  static float fromE5m2(byte bits) {
    return Float.float16ToFloat((short) (bits << 8));
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
