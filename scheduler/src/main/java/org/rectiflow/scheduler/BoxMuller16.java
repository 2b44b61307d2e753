package org.rectiflow.scheduler;

/**
 * Sixteen uniforms to sixteen normals as ATen's {@code normal_fill_16_AVX2} does: the pair (j, j +
 * 8) of a block goes through Box-Muller with the single-precision Cephes polynomials for logarithm,
 * sine and cosine (S. Moshier, Cephes {@code logf}, {@code sinf}, {@code cosf}) instead of the C
 * library. The released PyTorch wheels contract products that feed a sum into fused multiply-adds;
 * every {@code Math.fma} below is one of those, and the plain products and sums are those that
 * stay. Changing any of them changes the last bit of the noise.
 */
// The constants stand as Cephes prints them, with more digits than a float keeps.
@SuppressWarnings("FloatingPointLiteralPrecision")
final class BoxMuller16 {

  static final int BLOCK = 16;
  private static final int HALF = BLOCK / 2;

  private static final float TWO_PI = (float) (2.0 * Math.PI);
  private static final float FOUR_OVER_PI = (float) (4.0 / Math.PI);
  private static final float SQRT_HALF = 0.70710678118654752f;

  /** ln 2 = LN2_HIGH + LN2_LOW, split so that e * LN2_HIGH is exact. */
  private static final float LN2_HIGH = 0.693359375f;

  private static final float LN2_LOW = -2.12194440e-4f;

  /** pi/4 in three parts, negated, for the range reduction. */
  private static final float QUARTER_PI_1 = -0.78515625f;

  private static final float QUARTER_PI_2 = -2.4187564849853515625e-4f;
  private static final float QUARTER_PI_3 = -3.77489497744594108e-8f;

  private static final float[] LOG = {
    7.0376836292e-2f,
    -1.1514610310e-1f,
    1.1676998740e-1f,
    -1.2420140846e-1f,
    1.4249322787e-1f,
    -1.6668057665e-1f,
    2.0000714765e-1f,
    -2.4999993993e-1f,
    3.3333331174e-1f
  };
  private static final float[] SIN = {-1.9515295891e-4f, 8.3321608736e-3f, -1.6666654611e-1f};
  private static final float[] COS = {
    2.443315711809948e-5f, -1.388731625493765e-3f, 4.166664568298827e-2f
  };

  private BoxMuller16() {}

  /** Transforms {@code values[at .. at + 16)} in place. */
  static void transform(float[] values, int at, float mean, float std) {
    for (int j = at; j < at + HALF; j++) {
      // 1 - u lies in (0, 1], so the logarithm is finite.
      float radius = (float) Math.sqrt(-2f * log(1f - values[j]));
      float theta = TWO_PI * values[j + HALF];
      int octant = octant(theta);
      float reduced = reduce(theta, octant);
      float sinPolynomial = sinPolynomial(reduced);
      float cosPolynomial = cosPolynomial(reduced);
      boolean swap = (octant & 2) != 0;
      float sin = swap ? cosPolynomial : sinPolynomial;
      float cos = swap ? sinPolynomial : cosPolynomial;
      if ((octant & 4) != 0) {
        sin = -sin;
      }
      if (((octant + 2) & 4) != 0) {
        cos = -cos;
      }
      values[j] = Math.fma(radius * cos, std, mean);
      values[j + HALF] = Math.fma(radius * sin, std, mean);
    }
  }

  /** Natural logarithm of a positive normal number. */
  static float log(float value) {
    int bits = Float.floatToRawIntBits(value);
    float exponent = (bits >>> 23) - 126;
    float mantissa = Float.intBitsToFloat((bits & 0x007fffff) | 0x3f000000);
    float x = mantissa - 1f;
    if (mantissa < SQRT_HALF) {
      exponent -= 1f;
      x += mantissa;
    }
    float square = x * x;
    float y = polynomial(LOG, x) * x;
    y = Math.fma(y, square, exponent * LN2_LOW);
    y = Math.fma(square, -0.5f, y);
    return Math.fma(exponent, LN2_HIGH, x + y);
  }

  /** The even multiple of pi/4 next to an angle in [0, 2 pi]. */
  private static int octant(float theta) {
    return ((int) (theta * FOUR_OVER_PI) + 1) & ~1;
  }

  private static float reduce(float theta, int octant) {
    float y = octant;
    float x = Math.fma(y, QUARTER_PI_1, theta);
    x = Math.fma(y, QUARTER_PI_2, x);
    return Math.fma(y, QUARTER_PI_3, x);
  }

  private static float sinPolynomial(float x) {
    float square = x * x;
    return Math.fma(polynomial(SIN, square) * square, x, x);
  }

  private static float cosPolynomial(float x) {
    float square = x * x;
    return Math.fma(polynomial(COS, square) * square, square, -(square * 0.5f)) + 1f;
  }

  private static float polynomial(float[] coefficients, float x) {
    float y = coefficients[0];
    for (int i = 1; i < coefficients.length; i++) {
      y = Math.fma(y, x, coefficients[i]);
    }
    return y;
  }
}
