package org.rectiflow.tornado.kernels;

import uk.ac.manchester.tornado.api.math.TornadoMath;

/** Non-linearities as kernels evaluate them: float32, no infinity on the way. */
public final class Functions {
  public static final int NONE = 0;
  public static final int SILU = 1;
  public static final int GELU_TANH = 2;
  public static final int GELU_ERF = 3;
  public static final int QUICK_GELU = 4;
  public static final int ABS = 5;
  public static final int EXP = 6;

  /** exp of more than this is left out of float32's range by a wide enough margin. */
  private static final float LARGEST_EXPONENT = 80f;

  private Functions() {}

  /** The function of that code at {@code x}. */
  static float apply(int function, float x) {
    float y = x;
    if (function == SILU) {
      y = x * sigmoid(x);
    } else if (function == GELU_TANH) {
      // (1 + tanh u) / 2 = sigmoid(2 u), u = sqrt(2 / pi) (x + 0.044715 x^3)
      y = x * sigmoid(1.5957692f * (x + 0.044715f * x * x * x));
    } else if (function == GELU_ERF) {
      y = x * normal(x);
    } else if (function == QUICK_GELU) {
      y = x * sigmoid(1.702f * x);
    } else if (function == ABS) {
      if (x < 0f) {
        y = -x;
      }
    } else if (function == EXP) {
      y = TornadoMath.exp(x);
    }
    return y;
  }

  private static float sigmoid(float x) {
    return 1f / (1f + TornadoMath.exp(TornadoMath.min(-x, LARGEST_EXPONENT)));
  }

  /**
   * The normal distribution function by formula 7.1.26 of Abramowitz and Stegun, whose error is
   * below 1.5e-7.
   */
  private static float normal(float x) {
    float z = 0.70710677f * x;
    float a = z;
    if (z < 0f) {
      a = -z;
    }
    float t = 1f / (1f + 0.3275911f * a);
    float poly =
        t
            * (0.2548296f
                + t * (-0.28449672f + t * (1.4214138f + t * (-1.4531521f + t * 1.0614054f))));
    float tail = 0.5f * poly * TornadoMath.exp(-TornadoMath.min(a * a, LARGEST_EXPONENT));
    float y = 1f - tail;
    if (z < 0f) {
      y = tail;
    }
    return y;
  }
}
