package org.rectiflow.tornado.kernels;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.ShortArray;

/** Moves elements: strided copies, upsampling, table look-ups; and the timestep features. */
public final class Layout {
  /** Most axes that {@link #copy} can walk. */
  public static final int MAX_RANK = 8;

  private static final int DIMS = 6;
  private static final int FROM = DIMS + MAX_RANK;
  private static final int TO = FROM + MAX_RANK;

  private Layout() {}

  /**
   * Arguments of {@link #copy}: element (i0, i1, ...) goes from {@code x + sum i_a from[a]} to
   * {@code y + sum i_a to[a]}. Slices, concatenations, permutations and plain copies are all this.
   */
  public static int[] copyRow(int x, int y, int[] dims, int[] from, int[] to) {
    int[] row = new int[Row.LENGTH];
    int n = 1;
    for (int dim : dims) {
      n *= dim;
    }
    row[2] = n;
    row[3] = dims.length;
    row[4] = x;
    row[5] = y;
    System.arraycopy(dims, 0, row, DIMS, dims.length);
    System.arraycopy(from, 0, row, FROM, dims.length);
    System.arraycopy(to, 0, row, TO, dims.length);
    return row;
  }

  static void copyLane(FloatArray mem, IntArray p, int lane) {
    if (lane < p.get(2)) {
      int rest = lane;
      int from = p.get(4);
      int to = p.get(5);
      for (int axis = p.get(3) - 1; axis >= 0; axis--) {
        int dim = p.get(DIMS + axis);
        int i = rest % dim;
        rest = rest / dim;
        from += i * p.get(FROM + axis);
        to += i * p.get(TO + axis);
      }
      mem.set(to, mem.get(from));
    }
  }

  public static void copy(KernelContext context, FloatArray mem, IntArray p) {
    copyLane(mem, p, context.globalIdx);
    Row.stamp(context, mem, p);
  }

  /**
   * Arguments of {@link #upsampleNearest}: rows of {@code width}, every pixel doubled both ways.
   */
  public static int[] upsampleRow(int n, int x, int y, int width) {
    return Row.of(n, x, y, width);
  }

  static void upsampleLane(FloatArray mem, IntArray p, int i) {
    if (i < p.get(2)) {
      int width = p.get(5);
      int column = i % (2 * width);
      int row = i / (2 * width);
      mem.set(p.get(4) + i, mem.get(p.get(3) + row / 2 * width + column / 2));
    }
  }

  // Not `upsample`: that is a function of OpenCL C, and PoCL crashes on a kernel of that name.
  public static void upsampleNearest(KernelContext context, FloatArray mem, IntArray p) {
    upsampleLane(mem, p, context.globalIdx);
    Row.stamp(context, mem, p);
  }

  /**
   * Arguments of {@link #gatherFloats} and its like: y [n / c, c] are rows of the table, named by
   * ids in floats.
   */
  public static int[] gatherRow(int n, int c, int table, int ids, int y, int powers) {
    return Row.of(n, c, table, ids, y, powers);
  }

  static void gatherLane(
      FloatArray mem, FloatArray w32, ShortArray w16, int kind, IntArray p, int i) {
    if (i < p.get(2)) {
      int c = p.get(3);
      int id = (int) mem.get(p.get(5) + i / c);
      float value = Stored.at(mem, p.get(7), w32, w16, kind, p.get(4) + id * c + i % c);
      mem.set(p.get(6) + i, value);
    }
  }

  public static void gatherMem(KernelContext context, FloatArray mem, IntArray p) {
    gatherLane(mem, mem, null, Stored.F32, p, context.globalIdx);
    Row.stamp(context, mem, p);
  }

  public static void gatherFloats(
      KernelContext context, FloatArray mem, FloatArray table, IntArray p) {
    gatherLane(mem, table, null, Stored.F32, p, context.globalIdx);
    Row.stamp(context, mem, p);
  }

  public static void gatherHalves(
      KernelContext context, FloatArray mem, ShortArray table, IntArray p) {
    gatherLane(mem, null, table, Stored.F16, p, context.globalIdx);
    Row.stamp(context, mem, p);
  }

  public static void gatherBfloats(
      KernelContext context, FloatArray mem, ShortArray table, IntArray p) {
    gatherLane(mem, null, table, Stored.BF16, p, context.globalIdx);
    Row.stamp(context, mem, p);
  }

  /**
   * Arguments of {@link #timestep}: y [n, 2 half], cosines then sines of t times a frequency.
   *
   * @param frequencies where {@code half} frequencies lie in {@code mem}
   */
  public static int[] timestepRow(int n, int half, int t, int frequencies, int y) {
    return Row.of(n * half, half, t, frequencies, y);
  }

  static void timestepLane(FloatArray mem, IntArray p, int lane) {
    if (lane < p.get(2)) {
      int half = p.get(3);
      int i = lane % half;
      int b = lane / half;
      float angle = mem.get(p.get(4) + b) * mem.get(p.get(5) + i);
      // Devices' fast sines are good near zero only; 2 pi in two parts keeps the remainder's
      // digits.
      int turns = (int) (angle * 0.15915494f + 0.5f);
      float rest = (angle - turns * 6.28125f) - turns * 0.0019353072f;
      int y = p.get(6) + b * 2 * half + i;
      mem.set(y, TornadoMath.cos(rest));
      mem.set(y + half, TornadoMath.sin(rest));
    }
  }

  public static void timestep(KernelContext context, FloatArray mem, IntArray p) {
    timestepLane(mem, p, context.globalIdx);
    Row.stamp(context, mem, p);
  }

  /** Arguments of {@link #sumAxis}: x [n / inner, length, inner] summed over its middle axis. */
  public static int[] sumRow(int n, int x, int y, int length, int inner) {
    return Row.of(n, x, y, length, inner);
  }

  static void sumLane(FloatArray mem, IntArray p, int lane) {
    if (lane < p.get(2)) {
      int length = p.get(5);
      int inner = p.get(6);
      int from = p.get(3) + lane / inner * length * inner + lane % inner;
      float total = 0f;
      int i = 0;
      while (i < length) { // in two levels, for smaller rounding errors
        int end = Tile.atMost(i + 256, length);
        float part = 0f;
        while (i < end) {
          part += mem.get(from + i * inner);
          i++;
        }
        total += part;
      }
      mem.set(p.get(4) + lane, total);
    }
  }

  public static void sumAxis(KernelContext context, FloatArray mem, IntArray p) {
    sumLane(mem, p, context.globalIdx);
    Row.stamp(context, mem, p);
  }
}
