package org.rectiflow.engine.cpu.kernels;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/**
 * The 5-row register tiles of {@link Tile}, for processors with 16 vector registers (AVX2, SSE).
 * Accumulators are separate local variables because only those stay in registers; the three
 * variants differ in how operands are addressed, see {@link Tile}.
 */
final class Tile5 {
  private static final int L = Simd.LANES;
  private static final int LB = 4 * Simd.LANES;
  private static final int S = Tile.ROW_STRIDE;
  private static final int LONG = Tile.LONG_ROW_STRIDE;

  private Tile5() {}

  /** Rows, tile of 5 rows and 2 vectors. */
  static void rows2(
      float[] w, int wo, int kc, MemorySegment b, long bo, float[] z, int zo, float[] c, int co) {
    FloatVector c0a = FloatVector.fromArray(Simd.F, z, zo);
    FloatVector c0b = FloatVector.fromArray(Simd.F, z, zo + L);
    FloatVector c1a = FloatVector.fromArray(Simd.F, z, zo + 2 * L);
    FloatVector c1b = FloatVector.fromArray(Simd.F, z, zo + 3 * L);
    FloatVector c2a = FloatVector.fromArray(Simd.F, z, zo + 4 * L);
    FloatVector c2b = FloatVector.fromArray(Simd.F, z, zo + 5 * L);
    FloatVector c3a = FloatVector.fromArray(Simd.F, z, zo + 6 * L);
    FloatVector c3b = FloatVector.fromArray(Simd.F, z, zo + 7 * L);
    FloatVector c4a = FloatVector.fromArray(Simd.F, z, zo + 8 * L);
    FloatVector c4b = FloatVector.fromArray(Simd.F, z, zo + 9 * L);
    for (int k = 0; k < kc; k++) {
      FloatVector b0 = FloatVector.fromMemorySegment(Simd.F, b, bo + (long) k * (2 * LB), Simd.LE);
      FloatVector b1 =
          FloatVector.fromMemorySegment(Simd.F, b, bo + (long) k * (2 * LB) + LB, Simd.LE);
      FloatVector a = FloatVector.broadcast(Simd.F, w[wo + k]);
      c0a = a.fma(b0, c0a);
      c0b = a.fma(b1, c0b);
      a = FloatVector.broadcast(Simd.F, w[wo + k + S]);
      c1a = a.fma(b0, c1a);
      c1b = a.fma(b1, c1b);
      a = FloatVector.broadcast(Simd.F, w[wo + k + 2 * S]);
      c2a = a.fma(b0, c2a);
      c2b = a.fma(b1, c2b);
      a = FloatVector.broadcast(Simd.F, w[wo + k + 3 * S]);
      c3a = a.fma(b0, c3a);
      c3b = a.fma(b1, c3b);
      a = FloatVector.broadcast(Simd.F, w[wo + k + 4 * S]);
      c4a = a.fma(b0, c4a);
      c4b = a.fma(b1, c4b);
    }
    c0a.intoArray(c, co);
    c0b.intoArray(c, co + L);
    c1a.intoArray(c, co + 2 * L);
    c1b.intoArray(c, co + 3 * L);
    c2a.intoArray(c, co + 4 * L);
    c2b.intoArray(c, co + 5 * L);
    c3a.intoArray(c, co + 6 * L);
    c3b.intoArray(c, co + 7 * L);
    c4a.intoArray(c, co + 8 * L);
    c4b.intoArray(c, co + 9 * L);
  }

  /** Rows, tile of 5 rows and 1 vector. */
  static void rows1(
      float[] w, int wo, int kc, MemorySegment b, long bo, float[] z, int zo, float[] c, int co) {
    FloatVector c0a = FloatVector.fromArray(Simd.F, z, zo);
    FloatVector c1a = FloatVector.fromArray(Simd.F, z, zo + L);
    FloatVector c2a = FloatVector.fromArray(Simd.F, z, zo + 2 * L);
    FloatVector c3a = FloatVector.fromArray(Simd.F, z, zo + 3 * L);
    FloatVector c4a = FloatVector.fromArray(Simd.F, z, zo + 4 * L);
    for (int k = 0; k < kc; k++) {
      FloatVector b0 = FloatVector.fromMemorySegment(Simd.F, b, bo + (long) k * LB, Simd.LE);
      FloatVector a = FloatVector.broadcast(Simd.F, w[wo + k]);
      c0a = a.fma(b0, c0a);
      a = FloatVector.broadcast(Simd.F, w[wo + k + S]);
      c1a = a.fma(b0, c1a);
      a = FloatVector.broadcast(Simd.F, w[wo + k + 2 * S]);
      c2a = a.fma(b0, c2a);
      a = FloatVector.broadcast(Simd.F, w[wo + k + 3 * S]);
      c3a = a.fma(b0, c3a);
      a = FloatVector.broadcast(Simd.F, w[wo + k + 4 * S]);
      c4a = a.fma(b0, c4a);
    }
    c0a.intoArray(c, co);
    c1a.intoArray(c, co + L);
    c2a.intoArray(c, co + 2 * L);
    c3a.intoArray(c, co + 3 * L);
    c4a.intoArray(c, co + 4 * L);
  }

  /** Long rows, tile of 5 rows and 2 vectors. */
  static void longRows2(
      float[] w,
      int wo,
      int kc,
      MemorySegment b,
      long bo,
      long b1o,
      float[] z,
      int zo,
      float[] c,
      int co) {
    FloatVector c0a = FloatVector.fromArray(Simd.F, z, zo);
    FloatVector c0b = FloatVector.fromArray(Simd.F, z, zo + L);
    FloatVector c1a = FloatVector.fromArray(Simd.F, z, zo + 2 * L);
    FloatVector c1b = FloatVector.fromArray(Simd.F, z, zo + 3 * L);
    FloatVector c2a = FloatVector.fromArray(Simd.F, z, zo + 4 * L);
    FloatVector c2b = FloatVector.fromArray(Simd.F, z, zo + 5 * L);
    FloatVector c3a = FloatVector.fromArray(Simd.F, z, zo + 6 * L);
    FloatVector c3b = FloatVector.fromArray(Simd.F, z, zo + 7 * L);
    FloatVector c4a = FloatVector.fromArray(Simd.F, z, zo + 8 * L);
    FloatVector c4b = FloatVector.fromArray(Simd.F, z, zo + 9 * L);
    for (int k = 0; k < kc; k++) {
      FloatVector b0 = FloatVector.fromMemorySegment(Simd.F, b, bo + (long) k * LB, Simd.LE);
      FloatVector b1 = FloatVector.fromMemorySegment(Simd.F, b, b1o + (long) k * LB, Simd.LE);
      FloatVector a = FloatVector.broadcast(Simd.F, w[wo + k]);
      c0a = a.fma(b0, c0a);
      c0b = a.fma(b1, c0b);
      a = FloatVector.broadcast(Simd.F, w[wo + k + LONG]);
      c1a = a.fma(b0, c1a);
      c1b = a.fma(b1, c1b);
      a = FloatVector.broadcast(Simd.F, w[wo + k + 2 * LONG]);
      c2a = a.fma(b0, c2a);
      c2b = a.fma(b1, c2b);
      a = FloatVector.broadcast(Simd.F, w[wo + k + 3 * LONG]);
      c3a = a.fma(b0, c3a);
      c3b = a.fma(b1, c3b);
      a = FloatVector.broadcast(Simd.F, w[wo + k + 4 * LONG]);
      c4a = a.fma(b0, c4a);
      c4b = a.fma(b1, c4b);
    }
    c0a.intoArray(c, co);
    c0b.intoArray(c, co + L);
    c1a.intoArray(c, co + 2 * L);
    c1b.intoArray(c, co + 3 * L);
    c2a.intoArray(c, co + 4 * L);
    c2b.intoArray(c, co + 5 * L);
    c3a.intoArray(c, co + 6 * L);
    c3b.intoArray(c, co + 7 * L);
    c4a.intoArray(c, co + 8 * L);
    c4b.intoArray(c, co + 9 * L);
  }

  /** Long rows, tile of 5 rows and 1 vector. */
  static void longRows1(
      float[] w, int wo, int kc, MemorySegment b, long bo, float[] z, int zo, float[] c, int co) {
    FloatVector c0a = FloatVector.fromArray(Simd.F, z, zo);
    FloatVector c1a = FloatVector.fromArray(Simd.F, z, zo + L);
    FloatVector c2a = FloatVector.fromArray(Simd.F, z, zo + 2 * L);
    FloatVector c3a = FloatVector.fromArray(Simd.F, z, zo + 3 * L);
    FloatVector c4a = FloatVector.fromArray(Simd.F, z, zo + 4 * L);
    for (int k = 0; k < kc; k++) {
      FloatVector b0 = FloatVector.fromMemorySegment(Simd.F, b, bo + (long) k * LB, Simd.LE);
      FloatVector a = FloatVector.broadcast(Simd.F, w[wo + k]);
      c0a = a.fma(b0, c0a);
      a = FloatVector.broadcast(Simd.F, w[wo + k + LONG]);
      c1a = a.fma(b0, c1a);
      a = FloatVector.broadcast(Simd.F, w[wo + k + 2 * LONG]);
      c2a = a.fma(b0, c2a);
      a = FloatVector.broadcast(Simd.F, w[wo + k + 3 * LONG]);
      c3a = a.fma(b0, c3a);
      a = FloatVector.broadcast(Simd.F, w[wo + k + 4 * LONG]);
      c4a = a.fma(b0, c4a);
    }
    c0a.intoArray(c, co);
    c1a.intoArray(c, co + L);
    c2a.intoArray(c, co + 2 * L);
    c3a.intoArray(c, co + 3 * L);
    c4a.intoArray(c, co + 4 * L);
  }

  /** Columns, tile of 5 rows and 2 vectors. */
  static void columns2(
      float[] w,
      int wo,
      int ws,
      int kc,
      MemorySegment b,
      long bo,
      float[] z,
      int zo,
      float[] c,
      int co) {
    FloatVector c0a = FloatVector.fromArray(Simd.F, z, zo);
    FloatVector c0b = FloatVector.fromArray(Simd.F, z, zo + L);
    FloatVector c1a = FloatVector.fromArray(Simd.F, z, zo + 2 * L);
    FloatVector c1b = FloatVector.fromArray(Simd.F, z, zo + 3 * L);
    FloatVector c2a = FloatVector.fromArray(Simd.F, z, zo + 4 * L);
    FloatVector c2b = FloatVector.fromArray(Simd.F, z, zo + 5 * L);
    FloatVector c3a = FloatVector.fromArray(Simd.F, z, zo + 6 * L);
    FloatVector c3b = FloatVector.fromArray(Simd.F, z, zo + 7 * L);
    FloatVector c4a = FloatVector.fromArray(Simd.F, z, zo + 8 * L);
    FloatVector c4b = FloatVector.fromArray(Simd.F, z, zo + 9 * L);
    int at = wo;
    for (int k = 0; k < kc; k++, at += ws) {
      FloatVector b0 = FloatVector.fromMemorySegment(Simd.F, b, bo + (long) k * (2 * LB), Simd.LE);
      FloatVector b1 =
          FloatVector.fromMemorySegment(Simd.F, b, bo + (long) k * (2 * LB) + LB, Simd.LE);
      FloatVector a = FloatVector.broadcast(Simd.F, w[at]);
      c0a = a.fma(b0, c0a);
      c0b = a.fma(b1, c0b);
      a = FloatVector.broadcast(Simd.F, w[at + 1]);
      c1a = a.fma(b0, c1a);
      c1b = a.fma(b1, c1b);
      a = FloatVector.broadcast(Simd.F, w[at + 2]);
      c2a = a.fma(b0, c2a);
      c2b = a.fma(b1, c2b);
      a = FloatVector.broadcast(Simd.F, w[at + 3]);
      c3a = a.fma(b0, c3a);
      c3b = a.fma(b1, c3b);
      a = FloatVector.broadcast(Simd.F, w[at + 4]);
      c4a = a.fma(b0, c4a);
      c4b = a.fma(b1, c4b);
    }
    c0a.intoArray(c, co);
    c0b.intoArray(c, co + L);
    c1a.intoArray(c, co + 2 * L);
    c1b.intoArray(c, co + 3 * L);
    c2a.intoArray(c, co + 4 * L);
    c2b.intoArray(c, co + 5 * L);
    c3a.intoArray(c, co + 6 * L);
    c3b.intoArray(c, co + 7 * L);
    c4a.intoArray(c, co + 8 * L);
    c4b.intoArray(c, co + 9 * L);
  }

  /** Columns, tile of 5 rows and 1 vector. */
  static void columns1(
      float[] w,
      int wo,
      int ws,
      int kc,
      MemorySegment b,
      long bo,
      float[] z,
      int zo,
      float[] c,
      int co) {
    FloatVector c0a = FloatVector.fromArray(Simd.F, z, zo);
    FloatVector c1a = FloatVector.fromArray(Simd.F, z, zo + L);
    FloatVector c2a = FloatVector.fromArray(Simd.F, z, zo + 2 * L);
    FloatVector c3a = FloatVector.fromArray(Simd.F, z, zo + 3 * L);
    FloatVector c4a = FloatVector.fromArray(Simd.F, z, zo + 4 * L);
    int at = wo;
    for (int k = 0; k < kc; k++, at += ws) {
      FloatVector b0 = FloatVector.fromMemorySegment(Simd.F, b, bo + (long) k * LB, Simd.LE);
      FloatVector a = FloatVector.broadcast(Simd.F, w[at]);
      c0a = a.fma(b0, c0a);
      a = FloatVector.broadcast(Simd.F, w[at + 1]);
      c1a = a.fma(b0, c1a);
      a = FloatVector.broadcast(Simd.F, w[at + 2]);
      c2a = a.fma(b0, c2a);
      a = FloatVector.broadcast(Simd.F, w[at + 3]);
      c3a = a.fma(b0, c3a);
      a = FloatVector.broadcast(Simd.F, w[at + 4]);
      c4a = a.fma(b0, c4a);
    }
    c0a.intoArray(c, co);
    c1a.intoArray(c, co + L);
    c2a.intoArray(c, co + 2 * L);
    c3a.intoArray(c, co + 3 * L);
    c4a.intoArray(c, co + 4 * L);
  }
}
