package org.rectiflow.tornado.kernels;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.ShortArray;

/**
 * A matrix product by a vendor's library, which takes whole arrays of floats: both factors are
 * copied to arrays of their own, weights decoded on the way, and what {@link Linear} does to a sum
 * is done to the library's result. The copies are of the order of M K, N K and M N, the product of
 * M N K.
 */
public final class Staged {
  /** Marks a result that the library has not written. No product of finite floats is likely it. */
  public static final float UNWRITTEN = -2.7182818e38f;

  private Staged() {}

  /** Arguments of {@link #input}: {@code n} floats at x, for a result of {@code results}. */
  public static int[] inputRow(int n, int x, int results) {
    return Row.of(n, x, results);
  }

  static void inputLane(FloatArray mem, FloatArray xs, FloatArray ys, IntArray p, int i) {
    if (i < p.get(2)) {
      xs.set(i, mem.get(p.get(3) + i));
    }
    if (i == 0) {
      ys.set(0, UNWRITTEN);
      ys.set(p.get(4) - 1, UNWRITTEN);
    }
  }

  /** Copies the activation, and marks the first and the last result. */
  public static void input(
      KernelContext context, FloatArray mem, FloatArray xs, FloatArray ys, IntArray p) {
    inputLane(mem, xs, ys, p, context.globalIdx);
    Row.stamp(context, mem, p);
  }

  /** Arguments of {@link #weightFloats} and its like: {@code n} weights from w on. */
  public static int[] weightRow(int n, int w, int powers) {
    return Row.of(n, w, powers);
  }

  private static void weightLane(
      FloatArray mem, FloatArray w32, ShortArray w16, int kind, FloatArray ws, IntArray p, int i) {
    if (i < p.get(2)) {
      ws.set(i, Stored.at(mem, p.get(4), w32, w16, kind, p.get(3) + i));
    }
  }

  public static void weightMem(KernelContext context, FloatArray mem, FloatArray ws, IntArray p) {
    weightLane(mem, mem, null, Stored.F32, ws, p, context.globalIdx);
    Row.stamp(context, mem, p);
  }

  public static void weightFloats(
      KernelContext context, FloatArray mem, FloatArray weights, FloatArray ws, IntArray p) {
    weightLane(mem, weights, null, Stored.F32, ws, p, context.globalIdx);
    Row.stamp(context, mem, p);
  }

  public static void weightHalves(
      KernelContext context, FloatArray mem, ShortArray weights, FloatArray ws, IntArray p) {
    weightLane(mem, null, weights, Stored.F16, ws, p, context.globalIdx);
    Row.stamp(context, mem, p);
  }

  public static void weightBfloats(
      KernelContext context, FloatArray mem, ShortArray weights, FloatArray ws, IntArray p) {
    weightLane(mem, null, weights, Stored.BF16, ws, p, context.globalIdx);
    Row.stamp(context, mem, p);
  }

  /**
   * From the library's result to y, arguments as those of {@link Linear}. Leaves no ticket if the
   * library has written nothing.
   */
  public static void result(KernelContext context, FloatArray mem, FloatArray ys, IntArray p) {
    int i = context.globalIdx;
    int n = p.get(3);
    int last = p.get(2) * n - 1;
    if (i <= last) {
      Linear.finish(mem, p, i / n, i % n, ys.get(i));
    }
    if (i == 0) {
      if (ys.get(0) != UNWRITTEN && ys.get(last) != UNWRITTEN) {
        mem.set(p.get(Row.TICKET), p.get(Row.RUN));
      }
    }
  }
}
