package org.rectiflow.engine.cpu.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import org.rectiflow.safetensors.DType;

/**
 * The product for a few rows of activations, which is bound by reading the weights once: each
 * weight row is widened into the cache and multiplied with all activation rows, or used as it lies
 * where it need not be widened and is used only once.
 */
final class SmallMatMul {
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT.withOrder(Simd.LE);
  private static final int TASK_ROWS = 64;

  /** Vectors a dot product's loop takes at a time. */
  private static final int UNROLL = 4;

  private SmallMatMul() {}

  static void run(
      Workers workers,
      int m,
      int n,
      int k,
      MatrixView a,
      MatrixView w,
      MatrixView out,
      Epilogue epilogue) {
    int step = UNROLL * Simd.LANES;
    int padded = MatMul.ceilDiv(k, step) * step;
    float[] x = workers.shared().floats(0, m * padded);
    for (int r = 0; r < m; r++) {
      if (a.columnStride() == 1) {
        MemorySegment.copy(a.segment(), FLOAT, a.at(r, 0), x, r * padded, k);
      } else {
        for (int i = 0; i < k; i++) {
          x[r * padded + i] = a.segment().get(FLOAT, a.at(r, i));
        }
      }
      Arrays.fill(x, r * padded + k, (r + 1) * padded, 0f);
    }
    int taskRows = Math.clamp(MatMul.ceilDiv(n, 32), 8, TASK_ROWS);
    workers.parallelFor(
        MatMul.ceilDiv(n, taskRows),
        (t, scratch) -> {
          int n0 = t * taskRows;
          int rows = Math.min(taskRows, n - n0);
          task(m, k, padded, n0, rows, x, w, out, epilogue, scratch);
        });
  }

  private static void task(
      int m,
      int k,
      int padded,
      int n0,
      int rows,
      float[] x,
      MatrixView w,
      MatrixView out,
      Epilogue epilogue,
      Scratch scratch) {
    float[] row = scratch.floats(0, padded);
    Arrays.fill(row, k, padded, 0f);
    int stride = MatMul.ceilDiv(rows, Simd.LANES) * Simd.LANES;
    float[] y = scratch.floats(1, m * stride);
    float[] lanes = scratch.floats(2, 4 * Simd.LANES);
    float[] bias = MatMul.biasOf(epilogue, n0, rows, stride, scratch);
    boolean asStored = m == 1 && k == padded && w.dtype() == DType.F32 && !w.segment().isMapped();
    for (int r = 0; r < rows; r++) {
      if (asStored) {
        dot1(w.segment(), w.at(n0 + r, 0), x, k, lanes);
        y[r] = (float) Sums.lanes(lanes, 0) + bias[r];
        continue;
      }
      Widen.run(w.segment(), w.at(n0 + r, 0), w.dtype(), k, row, 0, scratch);
      int i = 0;
      for (; i + 4 <= m; i += 4) {
        dot4(row, x, i * padded, padded, lanes);
        for (int j = 0; j < 4; j++) {
          y[(i + j) * stride + r] = (float) Sums.lanes(lanes, j * Simd.LANES) + bias[r];
        }
      }
      for (; i < m; i++) {
        dot1(row, x, i * padded, padded, lanes);
        y[i * stride + r] = (float) Sums.lanes(lanes, 0) + bias[r];
      }
    }
    epilogue.finish(y, 0, m, stride, rows, 0, n0, out, scratch);
  }

  private static void dot1(float[] w, float[] x, int xo, int k, float[] lanes) {
    FloatVector s0 = FloatVector.zero(Simd.F);
    FloatVector s1 = FloatVector.zero(Simd.F);
    FloatVector s2 = FloatVector.zero(Simd.F);
    FloatVector s3 = FloatVector.zero(Simd.F);
    for (int i = 0; i < k; i += 4 * Simd.LANES) {
      s0 = FloatVector.fromArray(Simd.F, w, i).fma(FloatVector.fromArray(Simd.F, x, xo + i), s0);
      int i1 = i + Simd.LANES;
      s1 = FloatVector.fromArray(Simd.F, w, i1).fma(FloatVector.fromArray(Simd.F, x, xo + i1), s1);
      int i2 = i + 2 * Simd.LANES;
      s2 = FloatVector.fromArray(Simd.F, w, i2).fma(FloatVector.fromArray(Simd.F, x, xo + i2), s2);
      int i3 = i + 3 * Simd.LANES;
      s3 = FloatVector.fromArray(Simd.F, w, i3).fma(FloatVector.fromArray(Simd.F, x, xo + i3), s3);
    }
    s0.add(s1).add(s2.add(s3)).intoArray(lanes, 0);
  }

  /** The same with weights where they are stored; vector loads from mapped files are not safe. */
  private static void dot1(MemorySegment w, long at, float[] x, int k, float[] lanes) {
    FloatVector s0 = FloatVector.zero(Simd.F);
    FloatVector s1 = FloatVector.zero(Simd.F);
    FloatVector s2 = FloatVector.zero(Simd.F);
    FloatVector s3 = FloatVector.zero(Simd.F);
    for (int i = 0; i < k; i += 4 * Simd.LANES) {
      s0 = load(w, at + 4L * i).fma(FloatVector.fromArray(Simd.F, x, i), s0);
      int i1 = i + Simd.LANES;
      s1 = load(w, at + 4L * i1).fma(FloatVector.fromArray(Simd.F, x, i1), s1);
      int i2 = i + 2 * Simd.LANES;
      s2 = load(w, at + 4L * i2).fma(FloatVector.fromArray(Simd.F, x, i2), s2);
      int i3 = i + 3 * Simd.LANES;
      s3 = load(w, at + 4L * i3).fma(FloatVector.fromArray(Simd.F, x, i3), s3);
    }
    s0.add(s1).add(s2.add(s3)).intoArray(lanes, 0);
  }

  private static FloatVector load(MemorySegment w, long at) {
    return FloatVector.fromMemorySegment(Simd.F, w, at, Simd.LE);
  }

  private static void dot4(float[] w, float[] x, int xo, int k, float[] lanes) {
    FloatVector s0 = FloatVector.zero(Simd.F);
    FloatVector s1 = FloatVector.zero(Simd.F);
    FloatVector s2 = FloatVector.zero(Simd.F);
    FloatVector s3 = FloatVector.zero(Simd.F);
    FloatVector t0 = FloatVector.zero(Simd.F);
    FloatVector t1 = FloatVector.zero(Simd.F);
    FloatVector t2 = FloatVector.zero(Simd.F);
    FloatVector t3 = FloatVector.zero(Simd.F);
    for (int i = 0; i < k; i += 2 * Simd.LANES) {
      FloatVector v = FloatVector.fromArray(Simd.F, w, i);
      s0 = v.fma(FloatVector.fromArray(Simd.F, x, xo + i), s0);
      s1 = v.fma(FloatVector.fromArray(Simd.F, x, xo + k + i), s1);
      s2 = v.fma(FloatVector.fromArray(Simd.F, x, xo + 2 * k + i), s2);
      s3 = v.fma(FloatVector.fromArray(Simd.F, x, xo + 3 * k + i), s3);
      int j = i + Simd.LANES;
      v = FloatVector.fromArray(Simd.F, w, j);
      t0 = v.fma(FloatVector.fromArray(Simd.F, x, xo + j), t0);
      t1 = v.fma(FloatVector.fromArray(Simd.F, x, xo + k + j), t1);
      t2 = v.fma(FloatVector.fromArray(Simd.F, x, xo + 2 * k + j), t2);
      t3 = v.fma(FloatVector.fromArray(Simd.F, x, xo + 3 * k + j), t3);
    }
    s0.add(t0).intoArray(lanes, 0);
    s1.add(t1).intoArray(lanes, Simd.LANES);
    s2.add(t2).intoArray(lanes, 2 * Simd.LANES);
    s3.add(t3).intoArray(lanes, 3 * Simd.LANES);
  }
}
