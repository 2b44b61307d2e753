package org.rectiflow.tornado.kernels;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * The arguments of one kernel run, as ints: sizes, offsets of operands in floats (-1 for an absent
 * one), codes. Scalars passed as method arguments would be compiled in as constants.
 *
 * <p>The first two entries are a ticket: an offset in {@code mem} and the number of the run, which
 * the kernel writes there. What was written is read back with the results, so that a kernel that
 * the driver refused to start, which TornadoVM only logs, cannot pass unnoticed.
 */
public final class Row {
  /** Length of a row. */
  public static final int LENGTH = 48;

  /** Offset of the ticket. */
  public static final int TICKET = 0;

  /** Number of the run, below 2^24 so that a float holds it. */
  public static final int RUN = 1;

  /** Where a kernel's own arguments begin. */
  public static final int FIRST = 2;

  private Row() {}

  /** A row with the given arguments from {@link #FIRST} on. */
  public static int[] of(int... arguments) {
    int[] row = new int[LENGTH];
    System.arraycopy(arguments, 0, row, FIRST, arguments.length);
    return row;
  }

  /** Writes the ticket; the last thing a kernel does. */
  static void stamp(KernelContext context, FloatArray mem, IntArray p) {
    if (context.globalIdx == 0 && context.globalIdy == 0) {
      mem.set(p.get(TICKET), p.get(RUN));
    }
  }
}
