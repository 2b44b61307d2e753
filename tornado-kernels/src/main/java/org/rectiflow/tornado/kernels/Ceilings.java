package org.rectiflow.tornado.kernels;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** What a device does at most: multiply-adds in registers, and a copy. */
public final class Ceilings {
  /** Multiply-adds of a lane in one step of its loop. */
  public static final int CHAINS = 8;

  private Ceilings() {}

  /** Arguments of {@link #multiplyAdds}: {@code n} lanes of {@code steps} steps, results at y. */
  public static int[] multiplyAddsRow(int n, int steps, int y) {
    return Row.of(n, steps, y);
  }

  static void multiplyAddsLane(FloatArray mem, IntArray p, int i) {
    if (i < p.get(2)) {
      int steps = p.get(3);
      // Factors that the compiler does not know, and below 1, so that nothing overflows.
      float m = 1f - 1f / (2f + steps);
      float c = 1f / (1f + i);
      float a0 = c;
      float a1 = c + 0.1f;
      float a2 = c + 0.2f;
      float a3 = c + 0.3f;
      float a4 = c + 0.4f;
      float a5 = c + 0.5f;
      float a6 = c + 0.6f;
      float a7 = c + 0.7f;
      for (int s = 0; s < steps; s++) {
        a0 = a0 * m + c;
        a1 = a1 * m + c;
        a2 = a2 * m + c;
        a3 = a3 * m + c;
        a4 = a4 * m + c;
        a5 = a5 * m + c;
        a6 = a6 * m + c;
        a7 = a7 * m + c;
      }
      mem.set(p.get(4) + i, a0 + a1 + a2 + a3 + a4 + a5 + a6 + a7);
    }
  }

  /** Computes, and writes one sum for each lane. */
  public static void multiplyAdds(KernelContext context, FloatArray mem, IntArray p) {
    multiplyAddsLane(mem, p, context.globalIdx);
    Row.stamp(context, mem, p);
  }

  /** Arguments of {@link #plainCopy}: {@code n} floats. */
  public static int[] plainCopyRow(int n, int x, int y) {
    return Row.of(n, x, y);
  }

  static void plainCopyLane(FloatArray mem, IntArray p, int i) {
    if (i < p.get(2)) {
      mem.set(p.get(4) + i, mem.get(p.get(3) + i));
    }
  }

  /** Copies. */
  public static void plainCopy(KernelContext context, FloatArray mem, IntArray p) {
    plainCopyLane(mem, p, context.globalIdx);
    Row.stamp(context, mem, p);
  }
}
