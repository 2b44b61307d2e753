package org.rectiflow.engine.cpu.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/** Clamping, and the derivatives of pointwise functions. Tensors are float32 and contiguous. */
public final class PointwiseGrads {
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT.withOrder(Simd.LE);
  private static final int CHUNK = 1 << 11;
  private static final float INV_SQRT_2PI = 0.39894228f;

  private PointwiseGrads() {}

  /** Works on two chunks of whole vectors; the result replaces the second. */
  @FunctionalInterface
  private interface Chunk {
    void run(float[] x, float[] y, int n);
  }

  /** {@code dx = dy f'(x)}; {@code dx} may be {@code dy}. */
  public static void activation(
      Workers workers, Activation f, long count, StoredVector x, StoredVector dy, StoredVector dx) {
    run(workers, count, x, dy, dx, (xs, dys, n) -> activation(f, xs, dys, 0, n));
  }

  /** The same of elements {@code from} to {@code to} of arrays, whole vectors of them. */
  static void activation(Activation f, float[] x, float[] dy, int from, int to) {
    switch (f) {
      case SILU -> silu(x, dy, from, to);
      case GELU_TANH -> geluTanh(x, dy, from, to);
      case GELU_ERF -> geluErf(x, dy, from, to);
      case QUICK_GELU -> quickGelu(x, dy, from, to);
      case ABS -> abs(x, dy, from, to);
      case EXP -> exp(x, dy, from, to);
      case NONE, RELU, SIGMOID, TANH, ERF ->
          throw new UnsupportedOperationException("no derivative kernel of " + f);
    }
  }

  /** {@code dx = dy} where {@code min <= x <= max}, else 0. */
  public static void clampGrad(
      Workers workers,
      float min,
      float max,
      long count,
      StoredVector x,
      StoredVector dy,
      StoredVector dx) {
    run(workers, count, x, dy, dx, (xs, dys, n) -> inside(xs, dys, n, min, max));
  }

  /** {@code out} is the nearest value to {@code x} from {@code min} to {@code max}. */
  public static void clamp(
      Workers workers, float min, float max, long count, StoredVector x, StoredVector out) {
    run(workers, count, x, x, out, (_, xs, n) -> clamp(xs, n, min, max));
  }

  private static void run(
      Workers workers, long count, StoredVector x, StoredVector y, StoredVector out, Chunk chunk) {
    workers.parallelFor(
        Math.toIntExact((count + CHUNK - 1) / CHUNK),
        (t, scratch) -> {
          long from = 4L * t * CHUNK;
          int n = (int) Math.min(CHUNK, count - (long) t * CHUNK);
          int padded = MatMul.ceilDiv(n, Simd.LANES) * Simd.LANES;
          float[] xs = scratch.floats(0, CHUNK + Simd.LANES);
          float[] ys = scratch.floats(1, CHUNK + Simd.LANES);
          MemorySegment.copy(x.segment(), FLOAT, x.byteOffset() + from, xs, 0, n);
          MemorySegment.copy(y.segment(), FLOAT, y.byteOffset() + from, ys, 0, n);
          Arrays.fill(xs, n, padded, 0f);
          Arrays.fill(ys, n, padded, 0f);
          chunk.run(xs, ys, padded);
          MemorySegment.copy(ys, 0, out.segment(), FLOAT, out.byteOffset() + from, n);
        });
  }

  private static FloatVector load(float[] x, int at) {
    return FloatVector.fromArray(Simd.F, x, at);
  }

  private static void silu(float[] x, float[] dy, int from, int to) {
    sigmoidProduct(x, dy, from, to, 1f, 0f);
  }

  private static void quickGelu(float[] x, float[] dy, int from, int to) {
    sigmoidProduct(x, dy, from, to, 1.702f, 0f);
  }

  /** x sigmoid(u) with u = 2 sqrt(2/pi) (x + 0.044715 x^3). */
  private static void geluTanh(float[] x, float[] dy, int from, int to) {
    sigmoidProduct(x, dy, from, to, 1.59576912f, 0.0713548163f);
  }

  /**
   * The derivative of x s with s = sigmoid(u) and u = a x + b x^3: s + x s (1 - s) u'. {@link
   * VectorMath#exp} is written out, without its edges, because calls of calls are not always
   * inlined, and then it takes four times as long.
   */
  private static void sigmoidProduct(float[] x, float[] dy, int from, int to, float a, float b) {
    for (int i = from; i < to; i += Simd.LANES) {
      FloatVector v = load(x, i);
      FloatVector squares = v.mul(v);
      FloatVector u = squares.mul(-b).sub(a).mul(v);
      u = u.blend(-87f, u.compare(VectorOperators.LT, -87f));
      u = u.blend(87f, u.compare(VectorOperators.GT, 87f));
      FloatVector shifted = u.mul(1.44269504f).add(0x1.8p23f);
      FloatVector whole = shifted.sub(0x1.8p23f);
      FloatVector r = whole.fma(FloatVector.broadcast(Simd.F, -0.693147182f), u);
      r = whole.fma(FloatVector.broadcast(Simd.F, 1.90465432e-9f), r);
      FloatVector q = r.mul(1.381446491e-03f).add(8.368780836e-03f);
      q = q.fma(r, FloatVector.broadcast(Simd.F, 4.166839272e-02f));
      q = q.fma(r, FloatVector.broadcast(Simd.F, 1.666651964e-01f));
      q = q.fma(r, FloatVector.broadcast(Simd.F, 4.999999404e-01f));
      FloatVector p = q.fma(r.mul(r), r).add(1f);
      IntVector power = shifted.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23);
      FloatVector e = p.reinterpretAsInts().add(power).reinterpretAsFloats();
      FloatVector s = FloatVector.broadcast(Simd.F, 1f).div(e.add(1f));
      FloatVector slope = squares.mul(3 * b).add(a).mul(v);
      FloatVector rest = FloatVector.broadcast(Simd.F, 1f).sub(s);
      slope.mul(s).fma(rest, s).mul(load(dy, i)).intoArray(dy, i);
    }
  }

  /** Phi(x) + x phi(x). */
  private static void geluErf(float[] x, float[] dy, int from, int to) {
    for (int i = from; i < to; i += Simd.LANES) {
      FloatVector v = load(x, i);
      FloatVector phi = VectorMath.exp(v.mul(v).mul(-0.5f)).mul(INV_SQRT_2PI);
      FloatVector distribution = VectorMath.erf(v.mul(0.707106781f)).add(1f).mul(0.5f);
      phi.fma(v, distribution).mul(load(dy, i)).intoArray(dy, i);
    }
  }

  private static void exp(float[] x, float[] dy, int from, int to) {
    for (int i = from; i < to; i += Simd.LANES) {
      VectorMath.exp(load(x, i)).mul(load(dy, i)).intoArray(dy, i);
    }
  }

  private static void abs(float[] x, float[] dy, int from, int to) {
    for (int i = from; i < to; i++) {
      dy[i] *= Math.signum(x[i]);
    }
  }

  private static void inside(float[] x, float[] dy, int n, float min, float max) {
    for (int i = 0; i < n; i += Simd.LANES) {
      FloatVector v = load(x, i);
      VectorMask<Float> out =
          v.compare(VectorOperators.LT, min).or(v.compare(VectorOperators.GT, max));
      load(dy, i).blend(0f, out).intoArray(dy, i);
    }
  }

  private static void clamp(float[] x, int n, float min, float max) {
    for (int i = 0; i < n; i += Simd.LANES) {
      FloatVector v = load(x, i);
      v = v.blend(min, v.compare(VectorOperators.LT, min));
      v.blend(max, v.compare(VectorOperators.GT, max)).intoArray(x, i);
    }
  }
}
