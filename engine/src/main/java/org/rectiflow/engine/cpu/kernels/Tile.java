package org.rectiflow.engine.cpu.kernels;

import java.lang.foreign.MemorySegment;

/**
 * The innermost product of all matrix-like kernels: {@code c[r][x] = z[r][x] + sum_k w(r, k) * b(k,
 * x)} for {@link #ROWS} rows and one or two vectors of columns, with the whole of {@code c} in
 * registers and k ascending. {@code z} is {@code c} itself to go on with a sum, or {@link #ZEROS}
 * to begin one.
 *
 * <p>The row side is broadcast from a heap array, the column side is loaded as vectors from a
 * native segment and {@code c} is a heap array {@code [ROWS][vectors * LANES]}. Three ways to
 * address the operands:
 *
 * <ul>
 *   <li>{@code rows}: w(r, k) at {@code r * ROW_STRIDE + k}, b(k, .) at {@code k * vectors *
 *       LANES}. The constant stride lets one index register serve all rows, and is no multiple of a
 *       page, so that rows do not collide in the cache.
 *   <li>{@code longRows}: the same with {@code LONG_ROW_STRIDE}, and the two vectors of a column
 *       side each on their own, at {@code k * LANES} and {@code vectorBytes} after that: a panel
 *       from afar is then read in two streams, ahead of which the processor reads twice as far.
 *   <li>{@code columns}: w(r, k) at {@code k * ws + r}, b as above.
 * </ul>
 */
final class Tile {
  /** Rows of a tile: what the register file holds beside two operand vectors and a broadcast. */
  static final int ROWS = manyRegisters() ? 13 : 5;

  /** Largest k range of one call: its operands fit into a level 1 cache of 48 KiB. */
  static final int K_MAX = 256;

  /**
   * Elements between the rows of the broadcast operand. With a multiple of 16 all rows would come
   * to their next cache line at the same k, and wait for 13 lines at once; with 5 more, one or none
   * does.
   */
  static final int ROW_STRIDE = K_MAX + 21;

  /** Largest k range of one call of the long tile, whose operands come from the level 2 cache. */
  static final int LONG_K_MAX = 2048;

  /** Elements between the rows of the long tile's broadcast operand, staggered likewise. */
  static final int LONG_ROW_STRIDE = LONG_K_MAX + 21;

  /** Columns of the wide tile. */
  static final int WIDTH = 2 * Simd.LANES;

  /** A tile of zeros, never written. */
  static final float[] ZEROS = new float[ROWS * WIDTH];

  private Tile() {}

  private static boolean manyRegisters() {
    return Simd.bits() == 512 || "aarch64".equals(System.getProperty("os.arch"));
  }

  static void rows(
      int vectors,
      float[] w,
      int wo,
      int kc,
      MemorySegment b,
      long bo,
      float[] z,
      int zo,
      float[] c,
      int co) {
    if (ROWS == 13) {
      if (vectors == 2) {
        Tile13.rows2(w, wo, kc, b, bo, z, zo, c, co);
      } else {
        Tile13.rows1(w, wo, kc, b, bo, z, zo, c, co);
      }
    } else if (vectors == 2) {
      Tile5.rows2(w, wo, kc, b, bo, z, zo, c, co);
    } else {
      Tile5.rows1(w, wo, kc, b, bo, z, zo, c, co);
    }
  }

  static void columns(
      int vectors,
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
    if (ROWS == 13) {
      if (vectors == 2) {
        Tile13.columns2(w, wo, ws, kc, b, bo, z, zo, c, co);
      } else {
        Tile13.columns1(w, wo, ws, kc, b, bo, z, zo, c, co);
      }
    } else if (vectors == 2) {
      Tile5.columns2(w, wo, ws, kc, b, bo, z, zo, c, co);
    } else {
      Tile5.columns1(w, wo, ws, kc, b, bo, z, zo, c, co);
    }
  }

  static void longRows(
      int vectors,
      float[] w,
      int wo,
      int kc,
      MemorySegment b,
      long bo,
      long vectorBytes,
      float[] z,
      int zo,
      float[] c,
      int co) {
    if (ROWS == 13) {
      if (vectors == 2) {
        Tile13.longRows2(w, wo, kc, b, bo, bo + vectorBytes, z, zo, c, co);
      } else {
        Tile13.longRows1(w, wo, kc, b, bo, z, zo, c, co);
      }
    } else if (vectors == 2) {
      Tile5.longRows2(w, wo, kc, b, bo, bo + vectorBytes, z, zo, c, co);
    } else {
      Tile5.longRows1(w, wo, kc, b, bo, z, zo, c, co);
    }
  }
}
