package org.rectiflow.engine.cpu.kernels;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/**
 * Register tiles of other proportions than {@link Tile}'s, for results whose number of rows is far
 * from a multiple of {@link Tile#ROWS}: 8 rows of three vectors where there are 32 registers, and 3
 * rows of six (with 16 registers of three) vectors. Addressed as {@code Tile.columns} with {@code
 * ws} equal to the number of rows.
 */
final class LowTile {
  private static final int L = Simd.LANES;
  private static final int LB = 4 * Simd.LANES;
  private static final boolean MANY_REGISTERS = Tile.ROWS == 13;

  private LowTile() {}

  /** Rows of a tile for {@code rows} rows of the result: 8, 3 or {@link Tile#ROWS}. */
  static int rows(int rows) {
    if (rows <= 3) {
      return 3;
    }
    // A twelfth less work repays lower tiles' more frequent loads.
    int eight = MatMul.ceilDiv(rows, 8) * 8;
    int usual = MatMul.ceilDiv(rows, Tile.ROWS) * Tile.ROWS;
    return MANY_REGISTERS && 13 * eight <= 12 * usual ? 8 : Tile.ROWS;
  }

  /** Vectors side by side in a tile of {@code rows} rows. */
  static int vectors(int rows) {
    return switch (rows) {
      case 3 -> MANY_REGISTERS ? 6 : 3;
      case 8 -> 3;
      default -> 2;
    };
  }

  /** The product of a tile of {@code rows} rows, 3 or 8. */
  static void columns(
      int rows,
      float[] w,
      int wo,
      int kc,
      MemorySegment b,
      long bo,
      float[] z,
      int zo,
      float[] c,
      int co) {
    if (rows == 8) {
      columns8x3(w, wo, kc, b, bo, z, zo, c, co);
    } else if (MANY_REGISTERS) {
      columns3x6(w, wo, kc, b, bo, z, zo, c, co);
    } else {
      columns3x3(w, wo, kc, b, bo, z, zo, c, co);
    }
  }

  /** Whether three rows can be multiplied with {@link #unpacked}. */
  static boolean readsUnpacked() {
    return MANY_REGISTERS;
  }

  /**
   * 3 rows and 6 vectors, b's elements being read from rows of a picture: what is multiplied with
   * weight {@code tap} of channel {@code ch} begins, for vector {@code v}, at {@code ch *
   * channelSize + offsets[tap] + starts[v]}.
   */
  static void unpacked(
      float[] w,
      int wo,
      int channels,
      float[] b,
      int channelSize,
      int[] offsets,
      int taps,
      int[] starts,
      float[] z,
      int zo,
      float[] c,
      int co) {
    int s0 = starts[0];
    int s1 = starts[1];
    int s2 = starts[2];
    int s3 = starts[3];
    int s4 = starts[4];
    int s5 = starts[5];
    FloatVector c0a = FloatVector.fromArray(Simd.F, z, zo);
    FloatVector c0b = FloatVector.fromArray(Simd.F, z, zo + L);
    FloatVector c0c = FloatVector.fromArray(Simd.F, z, zo + 2 * L);
    FloatVector c0d = FloatVector.fromArray(Simd.F, z, zo + 3 * L);
    FloatVector c0e = FloatVector.fromArray(Simd.F, z, zo + 4 * L);
    FloatVector c0f = FloatVector.fromArray(Simd.F, z, zo + 5 * L);
    FloatVector c1a = FloatVector.fromArray(Simd.F, z, zo + 6 * L);
    FloatVector c1b = FloatVector.fromArray(Simd.F, z, zo + 7 * L);
    FloatVector c1c = FloatVector.fromArray(Simd.F, z, zo + 8 * L);
    FloatVector c1d = FloatVector.fromArray(Simd.F, z, zo + 9 * L);
    FloatVector c1e = FloatVector.fromArray(Simd.F, z, zo + 10 * L);
    FloatVector c1f = FloatVector.fromArray(Simd.F, z, zo + 11 * L);
    FloatVector c2a = FloatVector.fromArray(Simd.F, z, zo + 12 * L);
    FloatVector c2b = FloatVector.fromArray(Simd.F, z, zo + 13 * L);
    FloatVector c2c = FloatVector.fromArray(Simd.F, z, zo + 14 * L);
    FloatVector c2d = FloatVector.fromArray(Simd.F, z, zo + 15 * L);
    FloatVector c2e = FloatVector.fromArray(Simd.F, z, zo + 16 * L);
    FloatVector c2f = FloatVector.fromArray(Simd.F, z, zo + 17 * L);
    int at = wo;
    for (int ch = 0; ch < channels; ch++) {
      int channel = ch * channelSize;
      for (int tap = 0; tap < taps; tap++) {
        int from = channel + offsets[tap];
        FloatVector b0 = FloatVector.fromArray(Simd.F, b, from + s0);
        FloatVector b1 = FloatVector.fromArray(Simd.F, b, from + s1);
        FloatVector b2 = FloatVector.fromArray(Simd.F, b, from + s2);
        FloatVector b3 = FloatVector.fromArray(Simd.F, b, from + s3);
        FloatVector b4 = FloatVector.fromArray(Simd.F, b, from + s4);
        FloatVector b5 = FloatVector.fromArray(Simd.F, b, from + s5);
        FloatVector a = FloatVector.broadcast(Simd.F, w[at]);
        c0a = a.fma(b0, c0a);
        c0b = a.fma(b1, c0b);
        c0c = a.fma(b2, c0c);
        c0d = a.fma(b3, c0d);
        c0e = a.fma(b4, c0e);
        c0f = a.fma(b5, c0f);
        a = FloatVector.broadcast(Simd.F, w[at + 1]);
        c1a = a.fma(b0, c1a);
        c1b = a.fma(b1, c1b);
        c1c = a.fma(b2, c1c);
        c1d = a.fma(b3, c1d);
        c1e = a.fma(b4, c1e);
        c1f = a.fma(b5, c1f);
        a = FloatVector.broadcast(Simd.F, w[at + 2]);
        c2a = a.fma(b0, c2a);
        c2b = a.fma(b1, c2b);
        c2c = a.fma(b2, c2c);
        c2d = a.fma(b3, c2d);
        c2e = a.fma(b4, c2e);
        c2f = a.fma(b5, c2f);
        at += 3;
      }
    }
    c0a.intoArray(c, co);
    c0b.intoArray(c, co + L);
    c0c.intoArray(c, co + 2 * L);
    c0d.intoArray(c, co + 3 * L);
    c0e.intoArray(c, co + 4 * L);
    c0f.intoArray(c, co + 5 * L);
    c1a.intoArray(c, co + 6 * L);
    c1b.intoArray(c, co + 7 * L);
    c1c.intoArray(c, co + 8 * L);
    c1d.intoArray(c, co + 9 * L);
    c1e.intoArray(c, co + 10 * L);
    c1f.intoArray(c, co + 11 * L);
    c2a.intoArray(c, co + 12 * L);
    c2b.intoArray(c, co + 13 * L);
    c2c.intoArray(c, co + 14 * L);
    c2d.intoArray(c, co + 15 * L);
    c2e.intoArray(c, co + 16 * L);
    c2f.intoArray(c, co + 17 * L);
  }

  /** 8 rows and 3 vectors. */
  private static void columns8x3(
      float[] w, int wo, int kc, MemorySegment b, long bo, float[] z, int zo, float[] c, int co) {
    FloatVector c0a = FloatVector.fromArray(Simd.F, z, zo);
    FloatVector c0b = FloatVector.fromArray(Simd.F, z, zo + L);
    FloatVector c0c = FloatVector.fromArray(Simd.F, z, zo + 2 * L);
    FloatVector c1a = FloatVector.fromArray(Simd.F, z, zo + 3 * L);
    FloatVector c1b = FloatVector.fromArray(Simd.F, z, zo + 4 * L);
    FloatVector c1c = FloatVector.fromArray(Simd.F, z, zo + 5 * L);
    FloatVector c2a = FloatVector.fromArray(Simd.F, z, zo + 6 * L);
    FloatVector c2b = FloatVector.fromArray(Simd.F, z, zo + 7 * L);
    FloatVector c2c = FloatVector.fromArray(Simd.F, z, zo + 8 * L);
    FloatVector c3a = FloatVector.fromArray(Simd.F, z, zo + 9 * L);
    FloatVector c3b = FloatVector.fromArray(Simd.F, z, zo + 10 * L);
    FloatVector c3c = FloatVector.fromArray(Simd.F, z, zo + 11 * L);
    FloatVector c4a = FloatVector.fromArray(Simd.F, z, zo + 12 * L);
    FloatVector c4b = FloatVector.fromArray(Simd.F, z, zo + 13 * L);
    FloatVector c4c = FloatVector.fromArray(Simd.F, z, zo + 14 * L);
    FloatVector c5a = FloatVector.fromArray(Simd.F, z, zo + 15 * L);
    FloatVector c5b = FloatVector.fromArray(Simd.F, z, zo + 16 * L);
    FloatVector c5c = FloatVector.fromArray(Simd.F, z, zo + 17 * L);
    FloatVector c6a = FloatVector.fromArray(Simd.F, z, zo + 18 * L);
    FloatVector c6b = FloatVector.fromArray(Simd.F, z, zo + 19 * L);
    FloatVector c6c = FloatVector.fromArray(Simd.F, z, zo + 20 * L);
    FloatVector c7a = FloatVector.fromArray(Simd.F, z, zo + 21 * L);
    FloatVector c7b = FloatVector.fromArray(Simd.F, z, zo + 22 * L);
    FloatVector c7c = FloatVector.fromArray(Simd.F, z, zo + 23 * L);
    for (int k = 0; k < kc; k++) {
      long from = bo + (long) k * (3 * LB);
      FloatVector b0 = FloatVector.fromMemorySegment(Simd.F, b, from, Simd.LE);
      FloatVector b1 = FloatVector.fromMemorySegment(Simd.F, b, from + LB, Simd.LE);
      FloatVector b2 = FloatVector.fromMemorySegment(Simd.F, b, from + 2 * LB, Simd.LE);
      int at = wo + k * 8;
      FloatVector a = FloatVector.broadcast(Simd.F, w[at]);
      c0a = a.fma(b0, c0a);
      c0b = a.fma(b1, c0b);
      c0c = a.fma(b2, c0c);
      a = FloatVector.broadcast(Simd.F, w[at + 1]);
      c1a = a.fma(b0, c1a);
      c1b = a.fma(b1, c1b);
      c1c = a.fma(b2, c1c);
      a = FloatVector.broadcast(Simd.F, w[at + 2]);
      c2a = a.fma(b0, c2a);
      c2b = a.fma(b1, c2b);
      c2c = a.fma(b2, c2c);
      a = FloatVector.broadcast(Simd.F, w[at + 3]);
      c3a = a.fma(b0, c3a);
      c3b = a.fma(b1, c3b);
      c3c = a.fma(b2, c3c);
      a = FloatVector.broadcast(Simd.F, w[at + 4]);
      c4a = a.fma(b0, c4a);
      c4b = a.fma(b1, c4b);
      c4c = a.fma(b2, c4c);
      a = FloatVector.broadcast(Simd.F, w[at + 5]);
      c5a = a.fma(b0, c5a);
      c5b = a.fma(b1, c5b);
      c5c = a.fma(b2, c5c);
      a = FloatVector.broadcast(Simd.F, w[at + 6]);
      c6a = a.fma(b0, c6a);
      c6b = a.fma(b1, c6b);
      c6c = a.fma(b2, c6c);
      a = FloatVector.broadcast(Simd.F, w[at + 7]);
      c7a = a.fma(b0, c7a);
      c7b = a.fma(b1, c7b);
      c7c = a.fma(b2, c7c);
    }
    c0a.intoArray(c, co);
    c0b.intoArray(c, co + L);
    c0c.intoArray(c, co + 2 * L);
    c1a.intoArray(c, co + 3 * L);
    c1b.intoArray(c, co + 4 * L);
    c1c.intoArray(c, co + 5 * L);
    c2a.intoArray(c, co + 6 * L);
    c2b.intoArray(c, co + 7 * L);
    c2c.intoArray(c, co + 8 * L);
    c3a.intoArray(c, co + 9 * L);
    c3b.intoArray(c, co + 10 * L);
    c3c.intoArray(c, co + 11 * L);
    c4a.intoArray(c, co + 12 * L);
    c4b.intoArray(c, co + 13 * L);
    c4c.intoArray(c, co + 14 * L);
    c5a.intoArray(c, co + 15 * L);
    c5b.intoArray(c, co + 16 * L);
    c5c.intoArray(c, co + 17 * L);
    c6a.intoArray(c, co + 18 * L);
    c6b.intoArray(c, co + 19 * L);
    c6c.intoArray(c, co + 20 * L);
    c7a.intoArray(c, co + 21 * L);
    c7b.intoArray(c, co + 22 * L);
    c7c.intoArray(c, co + 23 * L);
  }

  /** 3 rows and 6 vectors. */
  private static void columns3x6(
      float[] w, int wo, int kc, MemorySegment b, long bo, float[] z, int zo, float[] c, int co) {
    FloatVector c0a = FloatVector.fromArray(Simd.F, z, zo);
    FloatVector c0b = FloatVector.fromArray(Simd.F, z, zo + L);
    FloatVector c0c = FloatVector.fromArray(Simd.F, z, zo + 2 * L);
    FloatVector c0d = FloatVector.fromArray(Simd.F, z, zo + 3 * L);
    FloatVector c0e = FloatVector.fromArray(Simd.F, z, zo + 4 * L);
    FloatVector c0f = FloatVector.fromArray(Simd.F, z, zo + 5 * L);
    FloatVector c1a = FloatVector.fromArray(Simd.F, z, zo + 6 * L);
    FloatVector c1b = FloatVector.fromArray(Simd.F, z, zo + 7 * L);
    FloatVector c1c = FloatVector.fromArray(Simd.F, z, zo + 8 * L);
    FloatVector c1d = FloatVector.fromArray(Simd.F, z, zo + 9 * L);
    FloatVector c1e = FloatVector.fromArray(Simd.F, z, zo + 10 * L);
    FloatVector c1f = FloatVector.fromArray(Simd.F, z, zo + 11 * L);
    FloatVector c2a = FloatVector.fromArray(Simd.F, z, zo + 12 * L);
    FloatVector c2b = FloatVector.fromArray(Simd.F, z, zo + 13 * L);
    FloatVector c2c = FloatVector.fromArray(Simd.F, z, zo + 14 * L);
    FloatVector c2d = FloatVector.fromArray(Simd.F, z, zo + 15 * L);
    FloatVector c2e = FloatVector.fromArray(Simd.F, z, zo + 16 * L);
    FloatVector c2f = FloatVector.fromArray(Simd.F, z, zo + 17 * L);
    for (int k = 0; k < kc; k++) {
      long from = bo + (long) k * (6 * LB);
      FloatVector b0 = FloatVector.fromMemorySegment(Simd.F, b, from, Simd.LE);
      FloatVector b1 = FloatVector.fromMemorySegment(Simd.F, b, from + LB, Simd.LE);
      FloatVector b2 = FloatVector.fromMemorySegment(Simd.F, b, from + 2 * LB, Simd.LE);
      FloatVector b3 = FloatVector.fromMemorySegment(Simd.F, b, from + 3 * LB, Simd.LE);
      FloatVector b4 = FloatVector.fromMemorySegment(Simd.F, b, from + 4 * LB, Simd.LE);
      FloatVector b5 = FloatVector.fromMemorySegment(Simd.F, b, from + 5 * LB, Simd.LE);
      int at = wo + k * 3;
      FloatVector a = FloatVector.broadcast(Simd.F, w[at]);
      c0a = a.fma(b0, c0a);
      c0b = a.fma(b1, c0b);
      c0c = a.fma(b2, c0c);
      c0d = a.fma(b3, c0d);
      c0e = a.fma(b4, c0e);
      c0f = a.fma(b5, c0f);
      a = FloatVector.broadcast(Simd.F, w[at + 1]);
      c1a = a.fma(b0, c1a);
      c1b = a.fma(b1, c1b);
      c1c = a.fma(b2, c1c);
      c1d = a.fma(b3, c1d);
      c1e = a.fma(b4, c1e);
      c1f = a.fma(b5, c1f);
      a = FloatVector.broadcast(Simd.F, w[at + 2]);
      c2a = a.fma(b0, c2a);
      c2b = a.fma(b1, c2b);
      c2c = a.fma(b2, c2c);
      c2d = a.fma(b3, c2d);
      c2e = a.fma(b4, c2e);
      c2f = a.fma(b5, c2f);
    }
    c0a.intoArray(c, co);
    c0b.intoArray(c, co + L);
    c0c.intoArray(c, co + 2 * L);
    c0d.intoArray(c, co + 3 * L);
    c0e.intoArray(c, co + 4 * L);
    c0f.intoArray(c, co + 5 * L);
    c1a.intoArray(c, co + 6 * L);
    c1b.intoArray(c, co + 7 * L);
    c1c.intoArray(c, co + 8 * L);
    c1d.intoArray(c, co + 9 * L);
    c1e.intoArray(c, co + 10 * L);
    c1f.intoArray(c, co + 11 * L);
    c2a.intoArray(c, co + 12 * L);
    c2b.intoArray(c, co + 13 * L);
    c2c.intoArray(c, co + 14 * L);
    c2d.intoArray(c, co + 15 * L);
    c2e.intoArray(c, co + 16 * L);
    c2f.intoArray(c, co + 17 * L);
  }

  /** 3 rows and 3 vectors. */
  private static void columns3x3(
      float[] w, int wo, int kc, MemorySegment b, long bo, float[] z, int zo, float[] c, int co) {
    FloatVector c0a = FloatVector.fromArray(Simd.F, z, zo);
    FloatVector c0b = FloatVector.fromArray(Simd.F, z, zo + L);
    FloatVector c0c = FloatVector.fromArray(Simd.F, z, zo + 2 * L);
    FloatVector c1a = FloatVector.fromArray(Simd.F, z, zo + 3 * L);
    FloatVector c1b = FloatVector.fromArray(Simd.F, z, zo + 4 * L);
    FloatVector c1c = FloatVector.fromArray(Simd.F, z, zo + 5 * L);
    FloatVector c2a = FloatVector.fromArray(Simd.F, z, zo + 6 * L);
    FloatVector c2b = FloatVector.fromArray(Simd.F, z, zo + 7 * L);
    FloatVector c2c = FloatVector.fromArray(Simd.F, z, zo + 8 * L);
    for (int k = 0; k < kc; k++) {
      long from = bo + (long) k * (3 * LB);
      FloatVector b0 = FloatVector.fromMemorySegment(Simd.F, b, from, Simd.LE);
      FloatVector b1 = FloatVector.fromMemorySegment(Simd.F, b, from + LB, Simd.LE);
      FloatVector b2 = FloatVector.fromMemorySegment(Simd.F, b, from + 2 * LB, Simd.LE);
      int at = wo + k * 3;
      FloatVector a = FloatVector.broadcast(Simd.F, w[at]);
      c0a = a.fma(b0, c0a);
      c0b = a.fma(b1, c0b);
      c0c = a.fma(b2, c0c);
      a = FloatVector.broadcast(Simd.F, w[at + 1]);
      c1a = a.fma(b0, c1a);
      c1b = a.fma(b1, c1b);
      c1c = a.fma(b2, c1c);
      a = FloatVector.broadcast(Simd.F, w[at + 2]);
      c2a = a.fma(b0, c2a);
      c2b = a.fma(b1, c2b);
      c2c = a.fma(b2, c2c);
    }
    c0a.intoArray(c, co);
    c0b.intoArray(c, co + L);
    c0c.intoArray(c, co + 2 * L);
    c1a.intoArray(c, co + 3 * L);
    c1b.intoArray(c, co + 4 * L);
    c1c.intoArray(c, co + 5 * L);
    c2a.intoArray(c, co + 6 * L);
    c2b.intoArray(c, co + 7 * L);
    c2c.intoArray(c, co + 8 * L);
  }
}
