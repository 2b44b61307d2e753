package org.rectiflow.tornado.kernels;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** One lane per element. */
public final class Elementwise {
  public static final int ADD = 0;
  public static final int MUL = 1;

  private Elementwise() {}

  /** Arguments of {@link #activate}: {@code y[i] = f(x[i])}. */
  public static int[] activateRow(int n, int x, int y, int function) {
    return Row.of(n, x, y, function);
  }

  static void activateLane(FloatArray mem, IntArray p, int i) {
    if (i < p.get(2)) {
      mem.set(p.get(4) + i, Functions.apply(p.get(5), mem.get(p.get(3) + i)));
    }
  }

  public static void activate(KernelContext context, FloatArray mem, IntArray p) {
    activateLane(mem, p, context.globalIdx);
    Row.stamp(context, mem, p);
  }

  /**
   * Arguments of {@link #affine}: {@code y[i] = factor x[i] + offset}.
   *
   * @param constants where factor and offset lie in {@code mem}
   */
  public static int[] affineRow(int n, int x, int y, int constants) {
    return Row.of(n, x, y, constants);
  }

  static void affineLane(FloatArray mem, IntArray p, int i) {
    if (i < p.get(2)) {
      int constants = p.get(5);
      mem.set(p.get(4) + i, mem.get(constants) * mem.get(p.get(3) + i) + mem.get(constants + 1));
    }
  }

  public static void affine(KernelContext context, FloatArray mem, IntArray p) {
    affineLane(mem, p, context.globalIdx);
    Row.stamp(context, mem, p);
  }

  /** Arguments of {@link #combine}: {@code y[i] = a[i] op b[i mod m]}. */
  public static int[] combineRow(int n, int a, int b, int m, int y, int op) {
    return Row.of(n, a, b, m, y, op);
  }

  static void combineLane(FloatArray mem, IntArray p, int i) {
    if (i < p.get(2)) {
      float a = mem.get(p.get(3) + i);
      float b = mem.get(p.get(4) + i % p.get(5));
      float y = a + b;
      if (p.get(7) == MUL) {
        y = a * b;
      }
      mem.set(p.get(6) + i, y);
    }
  }

  public static void combine(KernelContext context, FloatArray mem, IntArray p) {
    combineLane(mem, p, context.globalIdx);
    Row.stamp(context, mem, p);
  }

  /**
   * Arguments of {@link #modulate}: {@code y = x (1 + scale) + shift}, x [B, T, C], shift and scale
   * [B, C].
   */
  public static int[] modulateRow(int n, int x, int shift, int scale, int tc, int c, int y) {
    return Row.of(n, x, shift, scale, tc, c, y);
  }

  static void modulateLane(FloatArray mem, IntArray p, int i) {
    if (i < p.get(2)) {
      int at = i / p.get(6) * p.get(7) + i % p.get(7);
      float x = mem.get(p.get(3) + i);
      mem.set(p.get(8) + i, x * (1f + mem.get(p.get(5) + at)) + mem.get(p.get(4) + at));
    }
  }

  public static void modulate(KernelContext context, FloatArray mem, IntArray p) {
    modulateLane(mem, p, context.globalIdx);
    Row.stamp(context, mem, p);
  }

  /** Arguments of {@link #gatedAdd}: {@code y = x + gate * branch}, gate [B, C]. */
  public static int[] gatedAddRow(int n, int x, int gate, int branch, int tc, int c, int y) {
    return Row.of(n, x, gate, branch, tc, c, y);
  }

  static void gatedAddLane(FloatArray mem, IntArray p, int i) {
    if (i < p.get(2)) {
      float gate = mem.get(p.get(4) + i / p.get(6) * p.get(7) + i % p.get(7));
      mem.set(p.get(8) + i, mem.get(p.get(3) + i) + gate * mem.get(p.get(5) + i));
    }
  }

  public static void gatedAdd(KernelContext context, FloatArray mem, IntArray p) {
    gatedAddLane(mem, p, context.globalIdx);
    Row.stamp(context, mem, p);
  }

  /**
   * Arguments of {@link #clampValues}: the nearest value between two.
   *
   * @param constants where the smallest and the largest value lie in {@code mem}
   */
  public static int[] clampRow(int n, int x, int y, int constants) {
    return Row.of(n, x, y, constants);
  }

  static void clampLane(FloatArray mem, IntArray p, int i) {
    if (i < p.get(2)) {
      float value = mem.get(p.get(3) + i);
      float least = mem.get(p.get(5));
      float most = mem.get(p.get(5) + 1);
      if (value < least) {
        value = least;
      }
      if (value > most) {
        value = most;
      }
      mem.set(p.get(4) + i, value);
    }
  }

  // Not `clamp`, which is a function of OpenCL C.
  public static void clampValues(KernelContext context, FloatArray mem, IntArray p) {
    clampLane(mem, p, context.globalIdx);
    Row.stamp(context, mem, p);
  }
}
