package org.rectiflow.engine.cpu.kernels;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Reusable memory of one thread: float arrays and native segments by slot, grown on demand and
 * kept. Contents are undefined between uses.
 *
 * <p>Broadcast operands and result tiles live in arrays, vector operands in 64-byte aligned
 * segments: the compiler fails on large kernels whose operands are all segments, and arrays cannot
 * be aligned.
 */
public final class Scratch {
  private static final int SLOTS = 8;
  private static final int ALIGNMENT = 64;

  private final float[][] floats = new float[SLOTS][];
  private final MemorySegment[] segments = new MemorySegment[SLOTS];
  private final Arena[] arenas = new Arena[SLOTS];
  private byte[] bytes = new byte[0];
  private short[] shorts = new short[0];
  private int[] ints = new int[0];

  Scratch() {}

  /** Array {@code slot} with at least {@code size} elements. */
  float[] floats(int slot, int size) {
    float[] a = floats[slot];
    if (a == null || a.length < size) {
      a = new float[Math.max(size, 1024)];
      floats[slot] = a;
    }
    return a;
  }

  /** The array of bytes with at least {@code size} elements. */
  byte[] bytes(int size) {
    if (bytes.length < size) {
      bytes = new byte[Math.max(size, 1024)];
    }
    return bytes;
  }

  /** The array of 16-bit values with at least {@code size} elements. */
  short[] shorts(int size) {
    if (shorts.length < size) {
      shorts = new short[Math.max(size, 1024)];
    }
    return shorts;
  }

  /** The array of integers with at least {@code size} elements. */
  int[] ints(int size) {
    if (ints.length < size) {
      ints = new int[Math.max(size, 1024)];
    }
    return ints;
  }

  /** Segment {@code slot} with at least {@code bytes} bytes, aligned to a cache line. */
  MemorySegment segment(int slot, long bytes) {
    MemorySegment s = segments[slot];
    if (s == null || s.byteSize() < bytes) {
      if (arenas[slot] != null) {
        arenas[slot].close();
      }
      arenas[slot] = Arena.ofShared();
      s = arenas[slot].allocate(Math.max(bytes, 4096), ALIGNMENT);
      segments[slot] = s;
    }
    return s;
  }

  long bytes() {
    long sum = bytes.length + 2L * shorts.length + 4L * ints.length;
    for (int i = 0; i < SLOTS; i++) {
      sum += floats[i] == null ? 0 : 4L * floats[i].length;
      sum += segments[i] == null ? 0 : segments[i].byteSize();
    }
    return sum;
  }

  void close() {
    for (Arena a : arenas) {
      if (a != null) {
        a.close();
      }
    }
    Arrays.fill(arenas, null);
    Arrays.fill(segments, null);
    Arrays.fill(floats, null);
  }
}
