package org.rectiflow.engine.cpu.kernels;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * Vector functions, each within 2 ulp of the real value for normal results; results below the
 * smallest normal number become zero. Polynomials are our own weighted minimax fits on the reduced
 * ranges given in the comments.
 *
 * <p>Methods are short because the compiler only keeps vectors in registers through methods that it
 * inlines.
 */
final class VectorMath {
  /**
   * Adding this rounds a float of magnitude below 2^22 to an integer held in the low mantissa bits.
   */
  private static final float ROUND = 0x1.8p23f;

  private static final float LOG2_E = 1.44269504f;
  private static final float LN2_HI = 0.693147182f;
  private static final float LN2_LO = -1.90465432e-9f;

  private VectorMath() {}

  /** 2^x for x below 128. */
  static FloatVector exp2(FloatVector x) {
    FloatVector shifted = x.add(ROUND);
    FloatVector f = x.sub(shifted.sub(ROUND));
    // (2^f - 1) / f on [-0.5, 0.5]
    FloatVector p = f.mul(1.535325719e-04f).add(1.339900424e-03f);
    p = p.fma(f, FloatVector.broadcast(Simd.F, 9.618438780e-03f));
    p = p.fma(f, FloatVector.broadcast(Simd.F, 5.550331995e-02f));
    p = p.fma(f, FloatVector.broadcast(Simd.F, 2.402264774e-01f));
    p = p.fma(f, FloatVector.broadcast(Simd.F, 6.931471825e-01f));
    p = p.fma(f, FloatVector.broadcast(Simd.F, 1f));
    IntVector n = shifted.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23);
    FloatVector y = p.reinterpretAsInts().add(n).reinterpretAsFloats();
    return y.blend(0f, x.compare(VectorOperators.LT, -126f));
  }

  /** e^x. */
  static FloatVector exp(FloatVector x) {
    FloatVector shifted = x.mul(LOG2_E).add(ROUND);
    FloatVector n = shifted.sub(ROUND);
    FloatVector r = n.fma(FloatVector.broadcast(Simd.F, -LN2_HI), x);
    r = n.fma(FloatVector.broadcast(Simd.F, -LN2_LO), r);
    // (e^r - 1 - r) / r^2 on [-ln2/2, ln2/2]
    FloatVector q = r.mul(1.381446491e-03f).add(8.368780836e-03f);
    q = q.fma(r, FloatVector.broadcast(Simd.F, 4.166839272e-02f));
    q = q.fma(r, FloatVector.broadcast(Simd.F, 1.666651964e-01f));
    q = q.fma(r, FloatVector.broadcast(Simd.F, 4.999999404e-01f));
    FloatVector p = q.fma(r.mul(r), r).add(1f);
    IntVector e = shifted.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23);
    FloatVector y = p.reinterpretAsInts().add(e).reinterpretAsFloats();
    return expEdges(x, y);
  }

  private static FloatVector expEdges(FloatVector x, FloatVector y) {
    y = y.blend(0f, x.compare(VectorOperators.LT, -87.33654f));
    y = y.blend(Float.POSITIVE_INFINITY, x.compare(VectorOperators.GT, 88.72283f));
    return y.blend(x, x.test(VectorOperators.IS_NAN));
  }

  /** 1 / (1 + e^-x). */
  static FloatVector sigmoid(FloatVector x) {
    return FloatVector.broadcast(Simd.F, 1f).div(exp(x.neg()).add(1f));
  }

  static FloatVector tanh(FloatVector x) {
    FloatVector a = x.abs();
    FloatVector z = x.mul(x);
    // (tanh(x)/x - 1) / x^2 in x^2, for |x| < 0.65
    FloatVector p = z.mul(2.064662054e-03f).add(-8.091964759e-03f);
    p = p.fma(z, FloatVector.broadcast(Simd.F, 2.166634426e-02f));
    p = p.fma(z, FloatVector.broadcast(Simd.F, -5.394056439e-02f));
    p = p.fma(z, FloatVector.broadcast(Simd.F, 1.333315820e-01f));
    p = p.fma(z, FloatVector.broadcast(Simd.F, -3.333332837e-01f));
    FloatVector small = p.mul(z).fma(x, x);
    FloatVector t = FloatVector.broadcast(Simd.F, 2f).div(exp(a.add(a)).add(1f));
    FloatVector large = copySign(FloatVector.broadcast(Simd.F, 1f).sub(t), x);
    return large.blend(small, a.compare(VectorOperators.LT, 0.625f));
  }

  static FloatVector erf(FloatVector x) {
    FloatVector a = x.abs();
    VectorMask<Float> isSmall = a.compare(VectorOperators.LT, 1f);
    return erfLarge(x, a).blend(erfSmall(x), isSmall);
  }

  private static FloatVector erfSmall(FloatVector x) {
    FloatVector z = x.mul(x);
    // erf(x)/x - 1 in x^2, for |x| < 1
    FloatVector p = z.mul(7.889119297e-05f).add(-8.020841051e-04f);
    p = p.fma(z, FloatVector.broadcast(Simd.F, 5.189535208e-03f));
    p = p.fma(z, FloatVector.broadcast(Simd.F, -2.685444430e-02f));
    p = p.fma(z, FloatVector.broadcast(Simd.F, 1.128360033e-01f));
    p = p.fma(z, FloatVector.broadcast(Simd.F, -3.761262596e-01f));
    p = p.fma(z, FloatVector.broadcast(Simd.F, 1.283791661e-01f));
    return p.fma(x, x);
  }

  private static FloatVector erfLarge(FloatVector x, FloatVector a) {
    // 1 - 2^-Q(|x| - 1) on [1, 4], where erf(4) rounds to 1; NaN passes through the comparison.
    FloatVector b = a.blend(4f, a.compare(VectorOperators.GT, 4f)).sub(1f);
    FloatVector q = b.mul(-3.128751268e-05f).add(4.177012306e-04f);
    q = q.fma(b, FloatVector.broadcast(Simd.F, -2.902655397e-03f));
    q = q.fma(b, FloatVector.broadcast(Simd.F, 1.449396834e-02f));
    q = q.fma(b, FloatVector.broadcast(Simd.F, -5.996342748e-02f));
    q = q.fma(b, FloatVector.broadcast(Simd.F, -1.216346383e+00f));
    q = q.fma(b, FloatVector.broadcast(Simd.F, -3.807225227e+00f));
    q = q.fma(b, FloatVector.broadcast(Simd.F, -2.668416739e+00f));
    return copySign(FloatVector.broadcast(Simd.F, 1f).sub(exp2(q)), x);
  }

  private static FloatVector copySign(FloatVector magnitude, FloatVector sign) {
    IntVector bit = sign.reinterpretAsInts().and(0x80000000);
    return magnitude.reinterpretAsInts().or(bit).reinterpretAsFloats();
  }

  static FloatVector silu(FloatVector x) {
    return x.div(exp(x.neg()).add(1f));
  }

  /** Uses (1 + tanh u)/2 = sigmoid(2u), which loses nothing for negative arguments. */
  static FloatVector geluTanh(FloatVector x) {
    // 2*sqrt(2/pi) * (x + 0.044715 x^3)
    FloatVector cubic = x.mul(x).mul(0.0713548163f).add(1.59576912f);
    return x.div(exp(x.mul(cubic).neg()).add(1f));
  }

  static FloatVector geluErf(FloatVector x) {
    return x.mul(0.5f).mul(erf(x.mul(0.707106781f)).add(1f));
  }

  static FloatVector quickGelu(FloatVector x) {
    return x.div(exp(x.mul(-1.702f)).add(1f));
  }

  /**
   * Applies {@code f} in place to {@code x[from..to)}; the length must be a multiple of the vector
   * length. One loop a method, so that each is compiled when it is needed and stays small.
   */
  static void apply(Activation f, float[] x, int from, int to) {
    switch (f) {
      case NONE -> {}
      case SILU -> siluLoop(x, from, to);
      case GELU_TANH -> geluTanhLoop(x, from, to);
      case GELU_ERF -> geluErfLoop(x, from, to);
      case QUICK_GELU -> quickGeluLoop(x, from, to);
      case RELU -> reluLoop(x, from, to);
      case SIGMOID -> sigmoidLoop(x, from, to);
      case TANH -> tanhLoop(x, from, to);
      case ERF -> erfLoop(x, from, to);
      case EXP -> expLoop(x, from, to);
      case ABS -> absLoop(x, from, to);
    }
  }

  private static void siluLoop(float[] x, int from, int to) {
    for (int i = from; i < to; i += Simd.LANES) {
      FloatVector v = FloatVector.fromArray(Simd.F, x, i);
      silu(v).intoArray(x, i);
    }
  }

  private static void geluTanhLoop(float[] x, int from, int to) {
    for (int i = from; i < to; i += Simd.LANES) {
      FloatVector v = FloatVector.fromArray(Simd.F, x, i);
      geluTanh(v).intoArray(x, i);
    }
  }

  private static void geluErfLoop(float[] x, int from, int to) {
    for (int i = from; i < to; i += Simd.LANES) {
      FloatVector v = FloatVector.fromArray(Simd.F, x, i);
      geluErf(v).intoArray(x, i);
    }
  }

  private static void quickGeluLoop(float[] x, int from, int to) {
    for (int i = from; i < to; i += Simd.LANES) {
      FloatVector v = FloatVector.fromArray(Simd.F, x, i);
      quickGelu(v).intoArray(x, i);
    }
  }

  private static void reluLoop(float[] x, int from, int to) {
    for (int i = from; i < to; i += Simd.LANES) {
      FloatVector v = FloatVector.fromArray(Simd.F, x, i);
      v.blend(0f, v.compare(VectorOperators.LT, 0f)).intoArray(x, i);
    }
  }

  private static void sigmoidLoop(float[] x, int from, int to) {
    for (int i = from; i < to; i += Simd.LANES) {
      FloatVector v = FloatVector.fromArray(Simd.F, x, i);
      sigmoid(v).intoArray(x, i);
    }
  }

  private static void tanhLoop(float[] x, int from, int to) {
    for (int i = from; i < to; i += Simd.LANES) {
      FloatVector v = FloatVector.fromArray(Simd.F, x, i);
      tanh(v).intoArray(x, i);
    }
  }

  private static void erfLoop(float[] x, int from, int to) {
    for (int i = from; i < to; i += Simd.LANES) {
      FloatVector v = FloatVector.fromArray(Simd.F, x, i);
      erf(v).intoArray(x, i);
    }
  }

  private static void expLoop(float[] x, int from, int to) {
    for (int i = from; i < to; i += Simd.LANES) {
      FloatVector v = FloatVector.fromArray(Simd.F, x, i);
      exp(v).intoArray(x, i);
    }
  }

  private static void absLoop(float[] x, int from, int to) {
    for (int i = from; i < to; i += Simd.LANES) {
      FloatVector.fromArray(Simd.F, x, i).abs().intoArray(x, i);
    }
  }
}
