package org.rectiflow.engine.cpu.kernels;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/**
 * The 13-row register tiles of {@link Tile}, for processors with 32 vector registers (AVX-512,
 * NEON, SVE). Accumulators are separate local variables because only those stay in registers; the
 * three variants differ in how operands are addressed, see {@link Tile}.
 */
final class Tile13 {
  private static final int L = Simd.LANES;
  private static final int LB = 4 * Simd.LANES;
  private static final int S = Tile.ROW_STRIDE;
  private static final int LONG = Tile.LONG_ROW_STRIDE;

  private Tile13() {}

  /** Rows, tile of 13 rows and 2 vectors. */
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
    FloatVector c5a = FloatVector.fromArray(Simd.F, z, zo + 10 * L);
    FloatVector c5b = FloatVector.fromArray(Simd.F, z, zo + 11 * L);
    FloatVector c6a = FloatVector.fromArray(Simd.F, z, zo + 12 * L);
    FloatVector c6b = FloatVector.fromArray(Simd.F, z, zo + 13 * L);
    FloatVector c7a = FloatVector.fromArray(Simd.F, z, zo + 14 * L);
    FloatVector c7b = FloatVector.fromArray(Simd.F, z, zo + 15 * L);
    FloatVector c8a = FloatVector.fromArray(Simd.F, z, zo + 16 * L);
    FloatVector c8b = FloatVector.fromArray(Simd.F, z, zo + 17 * L);
    FloatVector c9a = FloatVector.fromArray(Simd.F, z, zo + 18 * L);
    FloatVector c9b = FloatVector.fromArray(Simd.F, z, zo + 19 * L);
    FloatVector c10a = FloatVector.fromArray(Simd.F, z, zo + 20 * L);
    FloatVector c10b = FloatVector.fromArray(Simd.F, z, zo + 21 * L);
    FloatVector c11a = FloatVector.fromArray(Simd.F, z, zo + 22 * L);
    FloatVector c11b = FloatVector.fromArray(Simd.F, z, zo + 23 * L);
    FloatVector c12a = FloatVector.fromArray(Simd.F, z, zo + 24 * L);
    FloatVector c12b = FloatVector.fromArray(Simd.F, z, zo + 25 * L);
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
      a = FloatVector.broadcast(Simd.F, w[wo + k + 5 * S]);
      c5a = a.fma(b0, c5a);
      c5b = a.fma(b1, c5b);
      a = FloatVector.broadcast(Simd.F, w[wo + k + 6 * S]);
      c6a = a.fma(b0, c6a);
      c6b = a.fma(b1, c6b);
      a = FloatVector.broadcast(Simd.F, w[wo + k + 7 * S]);
      c7a = a.fma(b0, c7a);
      c7b = a.fma(b1, c7b);
      a = FloatVector.broadcast(Simd.F, w[wo + k + 8 * S]);
      c8a = a.fma(b0, c8a);
      c8b = a.fma(b1, c8b);
      a = FloatVector.broadcast(Simd.F, w[wo + k + 9 * S]);
      c9a = a.fma(b0, c9a);
      c9b = a.fma(b1, c9b);
      a = FloatVector.broadcast(Simd.F, w[wo + k + 10 * S]);
      c10a = a.fma(b0, c10a);
      c10b = a.fma(b1, c10b);
      a = FloatVector.broadcast(Simd.F, w[wo + k + 11 * S]);
      c11a = a.fma(b0, c11a);
      c11b = a.fma(b1, c11b);
      a = FloatVector.broadcast(Simd.F, w[wo + k + 12 * S]);
      c12a = a.fma(b0, c12a);
      c12b = a.fma(b1, c12b);
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
    c5a.intoArray(c, co + 10 * L);
    c5b.intoArray(c, co + 11 * L);
    c6a.intoArray(c, co + 12 * L);
    c6b.intoArray(c, co + 13 * L);
    c7a.intoArray(c, co + 14 * L);
    c7b.intoArray(c, co + 15 * L);
    c8a.intoArray(c, co + 16 * L);
    c8b.intoArray(c, co + 17 * L);
    c9a.intoArray(c, co + 18 * L);
    c9b.intoArray(c, co + 19 * L);
    c10a.intoArray(c, co + 20 * L);
    c10b.intoArray(c, co + 21 * L);
    c11a.intoArray(c, co + 22 * L);
    c11b.intoArray(c, co + 23 * L);
    c12a.intoArray(c, co + 24 * L);
    c12b.intoArray(c, co + 25 * L);
  }

  /** Rows, tile of 13 rows and 1 vector. */
  static void rows1(
      float[] w, int wo, int kc, MemorySegment b, long bo, float[] z, int zo, float[] c, int co) {
    FloatVector c0a = FloatVector.fromArray(Simd.F, z, zo);
    FloatVector c1a = FloatVector.fromArray(Simd.F, z, zo + L);
    FloatVector c2a = FloatVector.fromArray(Simd.F, z, zo + 2 * L);
    FloatVector c3a = FloatVector.fromArray(Simd.F, z, zo + 3 * L);
    FloatVector c4a = FloatVector.fromArray(Simd.F, z, zo + 4 * L);
    FloatVector c5a = FloatVector.fromArray(Simd.F, z, zo + 5 * L);
    FloatVector c6a = FloatVector.fromArray(Simd.F, z, zo + 6 * L);
    FloatVector c7a = FloatVector.fromArray(Simd.F, z, zo + 7 * L);
    FloatVector c8a = FloatVector.fromArray(Simd.F, z, zo + 8 * L);
    FloatVector c9a = FloatVector.fromArray(Simd.F, z, zo + 9 * L);
    FloatVector c10a = FloatVector.fromArray(Simd.F, z, zo + 10 * L);
    FloatVector c11a = FloatVector.fromArray(Simd.F, z, zo + 11 * L);
    FloatVector c12a = FloatVector.fromArray(Simd.F, z, zo + 12 * L);
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
      a = FloatVector.broadcast(Simd.F, w[wo + k + 5 * S]);
      c5a = a.fma(b0, c5a);
      a = FloatVector.broadcast(Simd.F, w[wo + k + 6 * S]);
      c6a = a.fma(b0, c6a);
      a = FloatVector.broadcast(Simd.F, w[wo + k + 7 * S]);
      c7a = a.fma(b0, c7a);
      a = FloatVector.broadcast(Simd.F, w[wo + k + 8 * S]);
      c8a = a.fma(b0, c8a);
      a = FloatVector.broadcast(Simd.F, w[wo + k + 9 * S]);
      c9a = a.fma(b0, c9a);
      a = FloatVector.broadcast(Simd.F, w[wo + k + 10 * S]);
      c10a = a.fma(b0, c10a);
      a = FloatVector.broadcast(Simd.F, w[wo + k + 11 * S]);
      c11a = a.fma(b0, c11a);
      a = FloatVector.broadcast(Simd.F, w[wo + k + 12 * S]);
      c12a = a.fma(b0, c12a);
    }
    c0a.intoArray(c, co);
    c1a.intoArray(c, co + L);
    c2a.intoArray(c, co + 2 * L);
    c3a.intoArray(c, co + 3 * L);
    c4a.intoArray(c, co + 4 * L);
    c5a.intoArray(c, co + 5 * L);
    c6a.intoArray(c, co + 6 * L);
    c7a.intoArray(c, co + 7 * L);
    c8a.intoArray(c, co + 8 * L);
    c9a.intoArray(c, co + 9 * L);
    c10a.intoArray(c, co + 10 * L);
    c11a.intoArray(c, co + 11 * L);
    c12a.intoArray(c, co + 12 * L);
  }

  /** Long rows, tile of 13 rows and 2 vectors. */
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
    FloatVector c5a = FloatVector.fromArray(Simd.F, z, zo + 10 * L);
    FloatVector c5b = FloatVector.fromArray(Simd.F, z, zo + 11 * L);
    FloatVector c6a = FloatVector.fromArray(Simd.F, z, zo + 12 * L);
    FloatVector c6b = FloatVector.fromArray(Simd.F, z, zo + 13 * L);
    FloatVector c7a = FloatVector.fromArray(Simd.F, z, zo + 14 * L);
    FloatVector c7b = FloatVector.fromArray(Simd.F, z, zo + 15 * L);
    FloatVector c8a = FloatVector.fromArray(Simd.F, z, zo + 16 * L);
    FloatVector c8b = FloatVector.fromArray(Simd.F, z, zo + 17 * L);
    FloatVector c9a = FloatVector.fromArray(Simd.F, z, zo + 18 * L);
    FloatVector c9b = FloatVector.fromArray(Simd.F, z, zo + 19 * L);
    FloatVector c10a = FloatVector.fromArray(Simd.F, z, zo + 20 * L);
    FloatVector c10b = FloatVector.fromArray(Simd.F, z, zo + 21 * L);
    FloatVector c11a = FloatVector.fromArray(Simd.F, z, zo + 22 * L);
    FloatVector c11b = FloatVector.fromArray(Simd.F, z, zo + 23 * L);
    FloatVector c12a = FloatVector.fromArray(Simd.F, z, zo + 24 * L);
    FloatVector c12b = FloatVector.fromArray(Simd.F, z, zo + 25 * L);
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
      a = FloatVector.broadcast(Simd.F, w[wo + k + 5 * LONG]);
      c5a = a.fma(b0, c5a);
      c5b = a.fma(b1, c5b);
      a = FloatVector.broadcast(Simd.F, w[wo + k + 6 * LONG]);
      c6a = a.fma(b0, c6a);
      c6b = a.fma(b1, c6b);
      a = FloatVector.broadcast(Simd.F, w[wo + k + 7 * LONG]);
      c7a = a.fma(b0, c7a);
      c7b = a.fma(b1, c7b);
      a = FloatVector.broadcast(Simd.F, w[wo + k + 8 * LONG]);
      c8a = a.fma(b0, c8a);
      c8b = a.fma(b1, c8b);
      a = FloatVector.broadcast(Simd.F, w[wo + k + 9 * LONG]);
      c9a = a.fma(b0, c9a);
      c9b = a.fma(b1, c9b);
      a = FloatVector.broadcast(Simd.F, w[wo + k + 10 * LONG]);
      c10a = a.fma(b0, c10a);
      c10b = a.fma(b1, c10b);
      a = FloatVector.broadcast(Simd.F, w[wo + k + 11 * LONG]);
      c11a = a.fma(b0, c11a);
      c11b = a.fma(b1, c11b);
      a = FloatVector.broadcast(Simd.F, w[wo + k + 12 * LONG]);
      c12a = a.fma(b0, c12a);
      c12b = a.fma(b1, c12b);
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
    c5a.intoArray(c, co + 10 * L);
    c5b.intoArray(c, co + 11 * L);
    c6a.intoArray(c, co + 12 * L);
    c6b.intoArray(c, co + 13 * L);
    c7a.intoArray(c, co + 14 * L);
    c7b.intoArray(c, co + 15 * L);
    c8a.intoArray(c, co + 16 * L);
    c8b.intoArray(c, co + 17 * L);
    c9a.intoArray(c, co + 18 * L);
    c9b.intoArray(c, co + 19 * L);
    c10a.intoArray(c, co + 20 * L);
    c10b.intoArray(c, co + 21 * L);
    c11a.intoArray(c, co + 22 * L);
    c11b.intoArray(c, co + 23 * L);
    c12a.intoArray(c, co + 24 * L);
    c12b.intoArray(c, co + 25 * L);
  }

  /** Long rows, tile of 13 rows and 1 vector. */
  static void longRows1(
      float[] w, int wo, int kc, MemorySegment b, long bo, float[] z, int zo, float[] c, int co) {
    FloatVector c0a = FloatVector.fromArray(Simd.F, z, zo);
    FloatVector c1a = FloatVector.fromArray(Simd.F, z, zo + L);
    FloatVector c2a = FloatVector.fromArray(Simd.F, z, zo + 2 * L);
    FloatVector c3a = FloatVector.fromArray(Simd.F, z, zo + 3 * L);
    FloatVector c4a = FloatVector.fromArray(Simd.F, z, zo + 4 * L);
    FloatVector c5a = FloatVector.fromArray(Simd.F, z, zo + 5 * L);
    FloatVector c6a = FloatVector.fromArray(Simd.F, z, zo + 6 * L);
    FloatVector c7a = FloatVector.fromArray(Simd.F, z, zo + 7 * L);
    FloatVector c8a = FloatVector.fromArray(Simd.F, z, zo + 8 * L);
    FloatVector c9a = FloatVector.fromArray(Simd.F, z, zo + 9 * L);
    FloatVector c10a = FloatVector.fromArray(Simd.F, z, zo + 10 * L);
    FloatVector c11a = FloatVector.fromArray(Simd.F, z, zo + 11 * L);
    FloatVector c12a = FloatVector.fromArray(Simd.F, z, zo + 12 * L);
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
      a = FloatVector.broadcast(Simd.F, w[wo + k + 5 * LONG]);
      c5a = a.fma(b0, c5a);
      a = FloatVector.broadcast(Simd.F, w[wo + k + 6 * LONG]);
      c6a = a.fma(b0, c6a);
      a = FloatVector.broadcast(Simd.F, w[wo + k + 7 * LONG]);
      c7a = a.fma(b0, c7a);
      a = FloatVector.broadcast(Simd.F, w[wo + k + 8 * LONG]);
      c8a = a.fma(b0, c8a);
      a = FloatVector.broadcast(Simd.F, w[wo + k + 9 * LONG]);
      c9a = a.fma(b0, c9a);
      a = FloatVector.broadcast(Simd.F, w[wo + k + 10 * LONG]);
      c10a = a.fma(b0, c10a);
      a = FloatVector.broadcast(Simd.F, w[wo + k + 11 * LONG]);
      c11a = a.fma(b0, c11a);
      a = FloatVector.broadcast(Simd.F, w[wo + k + 12 * LONG]);
      c12a = a.fma(b0, c12a);
    }
    c0a.intoArray(c, co);
    c1a.intoArray(c, co + L);
    c2a.intoArray(c, co + 2 * L);
    c3a.intoArray(c, co + 3 * L);
    c4a.intoArray(c, co + 4 * L);
    c5a.intoArray(c, co + 5 * L);
    c6a.intoArray(c, co + 6 * L);
    c7a.intoArray(c, co + 7 * L);
    c8a.intoArray(c, co + 8 * L);
    c9a.intoArray(c, co + 9 * L);
    c10a.intoArray(c, co + 10 * L);
    c11a.intoArray(c, co + 11 * L);
    c12a.intoArray(c, co + 12 * L);
  }

  /** Columns, tile of 13 rows and 2 vectors. */
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
    FloatVector c5a = FloatVector.fromArray(Simd.F, z, zo + 10 * L);
    FloatVector c5b = FloatVector.fromArray(Simd.F, z, zo + 11 * L);
    FloatVector c6a = FloatVector.fromArray(Simd.F, z, zo + 12 * L);
    FloatVector c6b = FloatVector.fromArray(Simd.F, z, zo + 13 * L);
    FloatVector c7a = FloatVector.fromArray(Simd.F, z, zo + 14 * L);
    FloatVector c7b = FloatVector.fromArray(Simd.F, z, zo + 15 * L);
    FloatVector c8a = FloatVector.fromArray(Simd.F, z, zo + 16 * L);
    FloatVector c8b = FloatVector.fromArray(Simd.F, z, zo + 17 * L);
    FloatVector c9a = FloatVector.fromArray(Simd.F, z, zo + 18 * L);
    FloatVector c9b = FloatVector.fromArray(Simd.F, z, zo + 19 * L);
    FloatVector c10a = FloatVector.fromArray(Simd.F, z, zo + 20 * L);
    FloatVector c10b = FloatVector.fromArray(Simd.F, z, zo + 21 * L);
    FloatVector c11a = FloatVector.fromArray(Simd.F, z, zo + 22 * L);
    FloatVector c11b = FloatVector.fromArray(Simd.F, z, zo + 23 * L);
    FloatVector c12a = FloatVector.fromArray(Simd.F, z, zo + 24 * L);
    FloatVector c12b = FloatVector.fromArray(Simd.F, z, zo + 25 * L);
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
      a = FloatVector.broadcast(Simd.F, w[at + 5]);
      c5a = a.fma(b0, c5a);
      c5b = a.fma(b1, c5b);
      a = FloatVector.broadcast(Simd.F, w[at + 6]);
      c6a = a.fma(b0, c6a);
      c6b = a.fma(b1, c6b);
      a = FloatVector.broadcast(Simd.F, w[at + 7]);
      c7a = a.fma(b0, c7a);
      c7b = a.fma(b1, c7b);
      a = FloatVector.broadcast(Simd.F, w[at + 8]);
      c8a = a.fma(b0, c8a);
      c8b = a.fma(b1, c8b);
      a = FloatVector.broadcast(Simd.F, w[at + 9]);
      c9a = a.fma(b0, c9a);
      c9b = a.fma(b1, c9b);
      a = FloatVector.broadcast(Simd.F, w[at + 10]);
      c10a = a.fma(b0, c10a);
      c10b = a.fma(b1, c10b);
      a = FloatVector.broadcast(Simd.F, w[at + 11]);
      c11a = a.fma(b0, c11a);
      c11b = a.fma(b1, c11b);
      a = FloatVector.broadcast(Simd.F, w[at + 12]);
      c12a = a.fma(b0, c12a);
      c12b = a.fma(b1, c12b);
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
    c5a.intoArray(c, co + 10 * L);
    c5b.intoArray(c, co + 11 * L);
    c6a.intoArray(c, co + 12 * L);
    c6b.intoArray(c, co + 13 * L);
    c7a.intoArray(c, co + 14 * L);
    c7b.intoArray(c, co + 15 * L);
    c8a.intoArray(c, co + 16 * L);
    c8b.intoArray(c, co + 17 * L);
    c9a.intoArray(c, co + 18 * L);
    c9b.intoArray(c, co + 19 * L);
    c10a.intoArray(c, co + 20 * L);
    c10b.intoArray(c, co + 21 * L);
    c11a.intoArray(c, co + 22 * L);
    c11b.intoArray(c, co + 23 * L);
    c12a.intoArray(c, co + 24 * L);
    c12b.intoArray(c, co + 25 * L);
  }

  /** Columns, tile of 13 rows and 1 vector. */
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
    FloatVector c5a = FloatVector.fromArray(Simd.F, z, zo + 5 * L);
    FloatVector c6a = FloatVector.fromArray(Simd.F, z, zo + 6 * L);
    FloatVector c7a = FloatVector.fromArray(Simd.F, z, zo + 7 * L);
    FloatVector c8a = FloatVector.fromArray(Simd.F, z, zo + 8 * L);
    FloatVector c9a = FloatVector.fromArray(Simd.F, z, zo + 9 * L);
    FloatVector c10a = FloatVector.fromArray(Simd.F, z, zo + 10 * L);
    FloatVector c11a = FloatVector.fromArray(Simd.F, z, zo + 11 * L);
    FloatVector c12a = FloatVector.fromArray(Simd.F, z, zo + 12 * L);
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
      a = FloatVector.broadcast(Simd.F, w[at + 5]);
      c5a = a.fma(b0, c5a);
      a = FloatVector.broadcast(Simd.F, w[at + 6]);
      c6a = a.fma(b0, c6a);
      a = FloatVector.broadcast(Simd.F, w[at + 7]);
      c7a = a.fma(b0, c7a);
      a = FloatVector.broadcast(Simd.F, w[at + 8]);
      c8a = a.fma(b0, c8a);
      a = FloatVector.broadcast(Simd.F, w[at + 9]);
      c9a = a.fma(b0, c9a);
      a = FloatVector.broadcast(Simd.F, w[at + 10]);
      c10a = a.fma(b0, c10a);
      a = FloatVector.broadcast(Simd.F, w[at + 11]);
      c11a = a.fma(b0, c11a);
      a = FloatVector.broadcast(Simd.F, w[at + 12]);
      c12a = a.fma(b0, c12a);
    }
    c0a.intoArray(c, co);
    c1a.intoArray(c, co + L);
    c2a.intoArray(c, co + 2 * L);
    c3a.intoArray(c, co + 3 * L);
    c4a.intoArray(c, co + 4 * L);
    c5a.intoArray(c, co + 5 * L);
    c6a.intoArray(c, co + 6 * L);
    c7a.intoArray(c, co + 7 * L);
    c8a.intoArray(c, co + 8 * L);
    c9a.intoArray(c, co + 9 * L);
    c10a.intoArray(c, co + 10 * L);
    c11a.intoArray(c, co + 11 * L);
    c12a.intoArray(c, co + 12 * L);
  }
}
