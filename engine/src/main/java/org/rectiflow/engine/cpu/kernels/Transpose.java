package org.rectiflow.engine.cpu.kernels;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/**
 * Transposes of 16 rows of floats, 16 columns at a time, with vectors of 16 lanes: two passes, each
 * of which exchanges lanes between four rows, through a small array that stays in the cache. Small
 * methods, because the compiler gives up on one that holds 16 rows at a time.
 */
final class Transpose {
  /** Rows and columns of a block. */
  static final int SIDE = 16;

  private static final int BLOCK = SIDE * SIDE;

  /** Blocks that go through the array at a time. */
  private static final int BLOCKS = 16;

  /** Elements of the array between the passes. */
  static final int SIZE = BLOCKS * BLOCK;

  private static final IntVector EVEN_1 = lanes(1, false);
  private static final IntVector ODD_1 = lanes(1, true);
  private static final IntVector EVEN_2 = lanes(2, false);
  private static final IntVector ODD_2 = lanes(2, true);
  private static final IntVector EVEN_4 = lanes(4, false);
  private static final IntVector ODD_4 = lanes(4, true);
  private static final IntVector EVEN_8 = lanes(8, false);
  private static final IntVector ODD_8 = lanes(8, true);

  private Transpose() {}

  /** Whether this machine's vectors have the length needed. */
  static boolean available() {
    return Simd.LANES == SIDE;
  }

  /**
   * Lanes of two rows that are {@code distance} apart: with the lane numbers where that bit is not
   * set taken from both, or those where it is.
   */
  private static IntVector lanes(int distance, boolean odd) {
    int[] index = new int[Simd.LANES];
    Arrays.setAll(
        index,
        lane -> {
          boolean second = (lane & distance) != 0;
          int from = odd ? lane | distance : lane & ~distance;
          return second ? from + Simd.LANES : from;
        });
    return IntVector.fromArray(Simd.I, index, 0);
  }

  /**
   * {@code to[c][r] = from[r][c] * scale} for 16 rows that are {@code rowBytes} apart.
   *
   * @param columns a multiple of 16
   * @param stepBytes bytes between the rows of the result
   * @param between at least {@link #SIZE} elements
   */
  static void toPanel(
      MemorySegment from,
      long at,
      long rowBytes,
      int columns,
      float scale,
      MemorySegment to,
      long toAt,
      long stepBytes,
      float[] between) {
    for (int c = 0; c < columns; c += BLOCKS * SIDE) {
      int blocks = Math.min(BLOCKS, (columns - c) / SIDE);
      for (int g = 0; g < 4; g++) {
        near(from, at + 4L * c + 4 * g * rowBytes, rowBytes, blocks, scale, between, g * 64);
      }
      for (int g = 0; g < 4; g++) {
        far(between, g * SIDE, blocks, to, toAt + (c + g) * stepBytes, stepBytes);
      }
    }
  }

  /**
   * {@code to[c][r] = from[r][c] + bias[r]} for 16 columns.
   *
   * @param stride elements between the rows of {@code from}
   * @param rows a multiple of 16
   * @param toStride elements between the rows of the result
   * @param between at least {@link #SIZE} elements
   */
  static void toRows(
      float[] from,
      int at,
      int stride,
      int rows,
      float[] bias,
      float[] to,
      int toAt,
      int toStride,
      float[] between) {
    for (int r = 0; r < rows; r += BLOCKS * SIDE) {
      int blocks = Math.min(BLOCKS, (rows - r) / SIDE);
      for (int g = 0; g < 4; g++) {
        near(from, at + (r + 4 * g) * stride, stride, blocks, between, g * 64);
      }
      for (int g = 0; g < 4; g++) {
        far(between, g * SIDE, blocks, bias, r, to, toAt + r + g * toStride, toStride);
      }
    }
  }

  private static void near(
      MemorySegment from, long at, long row, int blocks, float scale, float[] to, int o) {
    for (int i = 0; i < blocks; i++) {
      IntVector r0 = load(from, at, scale);
      IntVector r1 = load(from, at + row, scale);
      IntVector r2 = load(from, at + 2 * row, scale);
      IntVector r3 = load(from, at + 3 * row, scale);
      IntVector a = EVEN_1.selectFrom(r0, r1);
      IntVector b = ODD_1.selectFrom(r0, r1);
      IntVector c = EVEN_1.selectFrom(r2, r3);
      IntVector d = ODD_1.selectFrom(r2, r3);
      EVEN_2.selectFrom(a, c).reinterpretAsFloats().intoArray(to, o);
      EVEN_2.selectFrom(b, d).reinterpretAsFloats().intoArray(to, o + SIDE);
      ODD_2.selectFrom(a, c).reinterpretAsFloats().intoArray(to, o + 2 * SIDE);
      ODD_2.selectFrom(b, d).reinterpretAsFloats().intoArray(to, o + 3 * SIDE);
      at += 4 * SIDE;
      o += BLOCK;
    }
  }

  private static void far(
      float[] from, int o, int blocks, MemorySegment to, long toAt, long stepBytes) {
    for (int i = 0; i < blocks; i++) {
      IntVector r0 = load(from, o);
      IntVector r1 = load(from, o + 4 * SIDE);
      IntVector r2 = load(from, o + 8 * SIDE);
      IntVector r3 = load(from, o + 12 * SIDE);
      IntVector a = EVEN_4.selectFrom(r0, r1);
      IntVector b = ODD_4.selectFrom(r0, r1);
      IntVector c = EVEN_4.selectFrom(r2, r3);
      IntVector d = ODD_4.selectFrom(r2, r3);
      store(EVEN_8.selectFrom(a, c), to, toAt);
      store(EVEN_8.selectFrom(b, d), to, toAt + 4 * stepBytes);
      store(ODD_8.selectFrom(a, c), to, toAt + 8 * stepBytes);
      store(ODD_8.selectFrom(b, d), to, toAt + 12 * stepBytes);
      o += BLOCK;
      toAt += SIDE * stepBytes;
    }
  }

  private static void near(float[] from, int at, int stride, int blocks, float[] to, int o) {
    for (int i = 0; i < blocks; i++) {
      IntVector r0 = load(from, at);
      IntVector r1 = load(from, at + stride);
      IntVector r2 = load(from, at + 2 * stride);
      IntVector r3 = load(from, at + 3 * stride);
      IntVector a = EVEN_1.selectFrom(r0, r1);
      IntVector b = ODD_1.selectFrom(r0, r1);
      IntVector c = EVEN_1.selectFrom(r2, r3);
      IntVector d = ODD_1.selectFrom(r2, r3);
      EVEN_2.selectFrom(a, c).reinterpretAsFloats().intoArray(to, o);
      EVEN_2.selectFrom(b, d).reinterpretAsFloats().intoArray(to, o + SIDE);
      ODD_2.selectFrom(a, c).reinterpretAsFloats().intoArray(to, o + 2 * SIDE);
      ODD_2.selectFrom(b, d).reinterpretAsFloats().intoArray(to, o + 3 * SIDE);
      at += SIDE * stride;
      o += BLOCK;
    }
  }

  private static void far(
      float[] from, int o, int blocks, float[] bias, int biasAt, float[] to, int toAt, int stride) {
    for (int i = 0; i < blocks; i++) {
      IntVector r0 = load(from, o);
      IntVector r1 = load(from, o + 4 * SIDE);
      IntVector r2 = load(from, o + 8 * SIDE);
      IntVector r3 = load(from, o + 12 * SIDE);
      IntVector a = EVEN_4.selectFrom(r0, r1);
      IntVector b = ODD_4.selectFrom(r0, r1);
      IntVector c = EVEN_4.selectFrom(r2, r3);
      IntVector d = ODD_4.selectFrom(r2, r3);
      FloatVector add = FloatVector.fromArray(Simd.F, bias, biasAt + i * SIDE);
      EVEN_8.selectFrom(a, c).reinterpretAsFloats().add(add).intoArray(to, toAt);
      EVEN_8.selectFrom(b, d).reinterpretAsFloats().add(add).intoArray(to, toAt + 4 * stride);
      ODD_8.selectFrom(a, c).reinterpretAsFloats().add(add).intoArray(to, toAt + 8 * stride);
      ODD_8.selectFrom(b, d).reinterpretAsFloats().add(add).intoArray(to, toAt + 12 * stride);
      o += BLOCK;
      toAt += SIDE;
    }
  }

  private static IntVector load(MemorySegment from, long at, float scale) {
    return FloatVector.fromMemorySegment(Simd.F, from, at, Simd.LE).mul(scale).reinterpretAsInts();
  }

  private static IntVector load(float[] from, int at) {
    return FloatVector.fromArray(Simd.F, from, at).reinterpretAsInts();
  }

  private static void store(IntVector v, MemorySegment to, long at) {
    v.reinterpretAsFloats().intoMemorySegment(to, at, Simd.LE);
  }
}
