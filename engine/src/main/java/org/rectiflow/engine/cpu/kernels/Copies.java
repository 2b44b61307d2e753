package org.rectiflow.engine.cpu.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;

/**
 * Copies between activations and arrays. For rows of a head or a tile a loop of vectors takes a
 * fraction of the time of a call of {@link MemorySegment#copy}. Never for mapped files, whose
 * vector loads are not safe; see {@link Widen}.
 */
final class Copies {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(Simd.LE);

  /** From here on the call is worth it. */
  private static final int LONG = 1024;

  private Copies() {}

  static void read(MemorySegment from, long offset, float[] to, int at, int count) {
    if (count >= LONG) {
      MemorySegment.copy(from, FLOAT, offset, to, at, count);
      return;
    }
    int i = 0;
    for (; i <= count - Simd.LANES; i += Simd.LANES) {
      FloatVector.fromMemorySegment(Simd.F, from, offset + 4L * i, Simd.LE).intoArray(to, at + i);
    }
    for (; i < count; i++) {
      to[at + i] = from.get(FLOAT, offset + 4L * i);
    }
  }

  static void write(float[] from, int at, MemorySegment to, long offset, int count) {
    if (count >= LONG) {
      MemorySegment.copy(from, at, to, FLOAT, offset, count);
      return;
    }
    int i = 0;
    for (; i <= count - Simd.LANES; i += Simd.LANES) {
      FloatVector.fromArray(Simd.F, from, at + i).intoMemorySegment(to, offset + 4L * i, Simd.LE);
    }
    for (; i < count; i++) {
      to.set(FLOAT, offset + 4L * i, from[at + i]);
    }
  }
}
