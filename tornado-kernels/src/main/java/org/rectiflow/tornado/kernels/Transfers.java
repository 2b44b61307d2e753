package org.rectiflow.tornado.kernels;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.ShortArray;

/**
 * Between the small arrays that cross the bus and the large ones that stay on the device. Weights
 * go in piece by piece, so the host never holds a copy of a checkpoint.
 */
public final class Transfers {
  private Transfers() {}

  /**
   * Makes {@code mem}: writes to it, so that TornadoVM allocates it on the device without copying
   * anything there.
   */
  public static void create(KernelContext context, FloatArray mem, IntArray p) {
    Row.stamp(context, mem, p);
  }

  /** As {@link #create}, for an array of weights of 32 bits. */
  public static void createFloats(
      KernelContext context, FloatArray mem, FloatArray weights, IntArray p) {
    if (context.globalIdx == 0) {
      weights.set(0, 0f);
    }
    Row.stamp(context, mem, p);
  }

  /** As {@link #create}, for an array of weights of 16 bits. */
  public static void createShorts(
      KernelContext context, FloatArray mem, ShortArray weights, IntArray p) {
    if (context.globalIdx == 0) {
      weights.set(0, (short) 0);
    }
    Row.stamp(context, mem, p);
  }

  /** Arguments of all that follow: {@code n} elements, and where in the large array they lie. */
  public static int[] row(int n, int at) {
    return Row.of(n, at);
  }

  /** From the bus into {@code mem}. */
  public static void load(KernelContext context, FloatArray mem, FloatArray bus, IntArray p) {
    int i = context.globalIdx;
    if (i < p.get(2)) {
      mem.set(p.get(3) + i, bus.get(i));
    }
    Row.stamp(context, mem, p);
  }

  /** From the bus into weights of 32 bits. */
  public static void loadFloats(
      KernelContext context, FloatArray mem, FloatArray weights, FloatArray bus, IntArray p) {
    int i = context.globalIdx;
    if (i < p.get(2)) {
      weights.set(p.get(3) + i, bus.get(i));
    }
    Row.stamp(context, mem, p);
  }

  /** From the bus into weights of 16 bits. */
  public static void loadShorts(
      KernelContext context, FloatArray mem, ShortArray weights, ShortArray bus, IntArray p) {
    int i = context.globalIdx;
    if (i < p.get(2)) {
      weights.set(p.get(3) + i, bus.get(i));
    }
    Row.stamp(context, mem, p);
  }

  /** From {@code mem} to the bus. */
  public static void store(KernelContext context, FloatArray mem, FloatArray bus, IntArray p) {
    int i = context.globalIdx;
    if (i < p.get(2)) {
      bus.set(i, mem.get(p.get(3) + i));
    }
    Row.stamp(context, mem, p);
  }
}
