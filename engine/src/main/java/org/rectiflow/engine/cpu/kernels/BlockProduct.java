package org.rectiflow.engine.cpu.kernels;

import jdk.incubator.vector.FloatVector;

/**
 * {@code c += a b} of small matrices in heap arrays, for kernels whose operands fit in a cache. The
 * elements of a are broadcast from any strides; rows of b and c are whole vectors. Sums run over k
 * ascending.
 */
final class BlockProduct {
  private static final int ROWS = 4;

  private BlockProduct() {}

  /**
   * @param m rows of a and c
   * @param n columns of b and c, a multiple of the vector length
   * @param k columns of a, rows of b
   * @param ao element (0, 0) of a; rows are {@code aRow}, columns {@code aColumn} elements apart
   */
  static void run(
      int m,
      int n,
      int k,
      float[] a,
      int ao,
      int aRow,
      int aColumn,
      float[] b,
      int bo,
      int bRow,
      float[] c,
      int co,
      int cRow) {
    int i = 0;
    for (; i + ROWS <= m; i += ROWS) {
      int at = ao + i * aRow;
      int to = co + i * cRow;
      int j = 0;
      for (; j + 2 * Simd.LANES <= n; j += 2 * Simd.LANES) {
        wide(k, a, at, aRow, aColumn, b, bo + j, bRow, c, to + j, cRow);
      }
      if (j < n) {
        narrow(k, a, at, aRow, aColumn, b, bo + j, bRow, c, to + j, cRow);
      }
    }
    for (; i < m; i++) {
      for (int j = 0; j < n; j += Simd.LANES) {
        single(k, a, ao + i * aRow, aColumn, b, bo + j, bRow, c, co + i * cRow + j);
      }
    }
  }

  private static FloatVector load(float[] x, int at) {
    return FloatVector.fromArray(Simd.F, x, at);
  }

  private static FloatVector all(float x) {
    return FloatVector.broadcast(Simd.F, x);
  }

  private static void wide(
      int k,
      float[] a,
      int ao,
      int aRow,
      int aColumn,
      float[] b,
      int bo,
      int bRow,
      float[] c,
      int co,
      int cRow) {
    int l = Simd.LANES;
    FloatVector c00 = load(c, co);
    FloatVector c01 = load(c, co + l);
    FloatVector c10 = load(c, co + cRow);
    FloatVector c11 = load(c, co + cRow + l);
    FloatVector c20 = load(c, co + 2 * cRow);
    FloatVector c21 = load(c, co + 2 * cRow + l);
    FloatVector c30 = load(c, co + 3 * cRow);
    FloatVector c31 = load(c, co + 3 * cRow + l);
    for (int p = 0; p < k; p++) {
      FloatVector b0 = load(b, bo + p * bRow);
      FloatVector b1 = load(b, bo + p * bRow + l);
      int at = ao + p * aColumn;
      FloatVector a0 = all(a[at]);
      c00 = a0.fma(b0, c00);
      c01 = a0.fma(b1, c01);
      FloatVector a1 = all(a[at + aRow]);
      c10 = a1.fma(b0, c10);
      c11 = a1.fma(b1, c11);
      FloatVector a2 = all(a[at + 2 * aRow]);
      c20 = a2.fma(b0, c20);
      c21 = a2.fma(b1, c21);
      FloatVector a3 = all(a[at + 3 * aRow]);
      c30 = a3.fma(b0, c30);
      c31 = a3.fma(b1, c31);
    }
    c00.intoArray(c, co);
    c01.intoArray(c, co + l);
    c10.intoArray(c, co + cRow);
    c11.intoArray(c, co + cRow + l);
    c20.intoArray(c, co + 2 * cRow);
    c21.intoArray(c, co + 2 * cRow + l);
    c30.intoArray(c, co + 3 * cRow);
    c31.intoArray(c, co + 3 * cRow + l);
  }

  private static void narrow(
      int k,
      float[] a,
      int ao,
      int aRow,
      int aColumn,
      float[] b,
      int bo,
      int bRow,
      float[] c,
      int co,
      int cRow) {
    FloatVector c0 = load(c, co);
    FloatVector c1 = load(c, co + cRow);
    FloatVector c2 = load(c, co + 2 * cRow);
    FloatVector c3 = load(c, co + 3 * cRow);
    for (int p = 0; p < k; p++) {
      FloatVector b0 = load(b, bo + p * bRow);
      int at = ao + p * aColumn;
      c0 = all(a[at]).fma(b0, c0);
      c1 = all(a[at + aRow]).fma(b0, c1);
      c2 = all(a[at + 2 * aRow]).fma(b0, c2);
      c3 = all(a[at + 3 * aRow]).fma(b0, c3);
    }
    c0.intoArray(c, co);
    c1.intoArray(c, co + cRow);
    c2.intoArray(c, co + 2 * cRow);
    c3.intoArray(c, co + 3 * cRow);
  }

  private static void single(
      int k, float[] a, int ao, int aColumn, float[] b, int bo, int bRow, float[] c, int co) {
    FloatVector sum = load(c, co);
    for (int p = 0; p < k; p++) {
      sum = all(a[ao + p * aColumn]).fma(load(b, bo + p * bRow), sum);
    }
    sum.intoArray(c, co);
  }
}
