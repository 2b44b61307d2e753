package org.rectiflow.engine.cpu.kernels;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.rectiflow.safetensors.DType;

/**
 * {@code out[M, N] = epilogue(a[M, K] * w[N, K]^T)} with float32 activations and weights in their
 * stored type.
 *
 * <p>The rows of {@code a} are the vector lanes and the weights are broadcast, so weights need no
 * transposition: a task widens a block of weight rows into its cache as they are and uses it for up
 * to a thousand rows of {@code a}, which makes widening cheap enough to do in every call. The
 * activations are transposed into panels once.
 *
 * <p>Sums run over k ascending, one rounding a step ({@code fma}), for any tile shape; up to
 * {@value #SMALL_M} rows take the {@link SmallMatMul} path instead, whose sums run over the lanes
 * of a vector.
 */
public final class MatMul {
  /** Most rows of the memory-bound path. */
  static final int SMALL_M = 8;

  private static final long PACK_BYTES = 32L << 20;
  private static final int TASK_ROWS = 52;
  private static final int TASK_PANELS = 32;
  private static final int ENOUGH_TASKS = 32;

  private MatMul() {}

  /**
   * Computes the product.
   *
   * @param m rows of {@code a} and {@code out}
   * @param n rows of {@code w}, columns of {@code out}
   * @param k columns of {@code a} and {@code w}
   * @param a float32 [m, k], any strides
   * @param w [n, k] in F32, F16, BF16, F8_E4M3 or F8_E5M2, any strides (a stored [k, n] matrix is
   *     its transposed view)
   * @param out float32 [m, n] with contiguous rows; must not overlap {@code a}
   */
  public static void run(
      Workers workers,
      int m,
      int n,
      int k,
      MatrixView a,
      MatrixView w,
      MatrixView out,
      Epilogue epilogue) {
    check(m, n, k, a, w, out);
    if (m <= SMALL_M && w.columnStride() == 1) {
      SmallMatMul.run(workers, m, n, k, a, w, out, epilogue);
      return;
    }
    long fit = Math.max(1, PACK_BYTES / (4L * k * Tile.WIDTH)) * Tile.WIDTH;
    int chunks = Math.toIntExact((m + fit - 1) / fit);
    int rows = Panels.count(ceilDiv(m, chunks)) * Tile.WIDTH;
    for (int m0 = 0; m0 < m; m0 += rows) {
      new Product(m0, Math.min(rows, m - m0), n, k, a, w, out, epilogue).run(workers);
    }
  }

  private static void check(int m, int n, int k, MatrixView a, MatrixView w, MatrixView out) {
    if (m < 1 || n < 1 || k < 1) {
      throw new IllegalArgumentException(
          "matrix product needs sizes of at least 1, found M=" + m + ", N=" + n + ", K=" + k);
    }
    if (a.dtype() != DType.F32 || out.dtype() != DType.F32 || out.columnStride() != 1) {
      throw new IllegalArgumentException(
          "activations must be F32 and the result's rows contiguous, found "
              + a.dtype()
              + ", "
              + out.dtype()
              + " and column stride "
              + out.columnStride());
    }
    Widen.check(w.dtype());
  }

  static int ceilDiv(int a, int b) {
    return (a + b - 1) / b;
  }

  /** One product whose packed activations fit into the shared buffer. */
  private static final class Product {
    private final int m0;
    private final int m;
    private final int n;
    private final int k;
    private final MatrixView a;
    private final MatrixView w;
    private final MatrixView out;
    private final Epilogue epilogue;
    private final int panels;
    private final int taskPanels;
    private final int panelGroups;
    private final int taskTiles;
    private final int taskRows;
    private final int rowGroups;
    private final int kStep;

    Product(
        int m0,
        int m,
        int n,
        int k,
        MatrixView a,
        MatrixView w,
        MatrixView out,
        Epilogue epilogue) {
      this.m0 = m0;
      this.m = m;
      this.n = n;
      this.k = k;
      this.a = a;
      this.w = w;
      this.out = out;
      this.epilogue = epilogue;
      panels = Panels.count(m);
      int tiles = ceilDiv(n, Tile.ROWS);
      int perTask = Math.max(1, TASK_ROWS / Tile.ROWS);
      int groups = ceilDiv(panels, TASK_PANELS);
      while (perTask > 1 && ceilDiv(tiles, perTask) * groups < ENOUGH_TASKS) {
        perTask--;
      }
      int rowTasks = ceilDiv(tiles, perTask);
      while (rowTasks * groups < ENOUGH_TASKS && ceilDiv(panels, groups) > 4) {
        groups++;
      }
      taskTiles = ceilDiv(tiles, rowTasks);
      rowGroups = ceilDiv(tiles, taskTiles);
      taskRows = taskTiles * Tile.ROWS;
      taskPanels = ceilDiv(panels, groups);
      panelGroups = ceilDiv(panels, taskPanels);
      kStep = ceilDiv(k, ceilDiv(k, Tile.K_MAX));
    }

    void run(Workers workers) {
      MemorySegment packed = workers.shared().segment(0, 4L * panels * Tile.WIDTH * k);
      workers.parallelFor(panels, (p, scratch) -> pack(p, packed, scratch));
      workers.parallelFor(
          rowGroups * panelGroups,
          (t, scratch) -> multiply(t / panelGroups, t % panelGroups, packed, scratch));
    }

    private long panelOffset(int p) {
      return 4L * p * Tile.WIDTH * k;
    }

    private void pack(int p, MemorySegment packed, Scratch scratch) {
      int row = p * Tile.WIDTH;
      Panels.pack(
          a,
          m0 + row,
          Math.min(Tile.WIDTH, m - row),
          0,
          k,
          Panels.vectors(p, m),
          1f,
          packed,
          panelOffset(p),
          scratch.floats(0, Panels.stagingSize()));
    }

    private void multiply(int rowGroup, int panelGroup, MemorySegment packed, Scratch scratch) {
      int n0 = rowGroup * taskRows;
      int rows = Math.min(taskRows, n - n0);
      int tiles = ceilDiv(rows, Tile.ROWS);
      int first = panelGroup * taskPanels;
      int last = Math.min(panels, first + taskPanels);
      int padded = ceilDiv(taskRows, Simd.LANES) * Simd.LANES;
      float[] weights = scratch.floats(0, taskRows * Tile.ROW_STRIDE);
      int panelSize = taskRows * Tile.WIDTH;
      float[] c = scratch.floats(1, (last - first) * panelSize + padded * Tile.WIDTH);
      Arrays.fill(c, 0, (last - first) * panelSize, 0f);
      for (int k0 = 0; k0 < k; k0 += kStep) {
        int kc = Math.min(kStep, k - k0);
        widen(n0, rows, tiles * Tile.ROWS, k0, kc, weights, scratch);
        for (int p = first; p < last; p++) {
          int vectors = Panels.vectors(p, m);
          long b = panelOffset(p) + 4L * k0 * vectors * Simd.LANES;
          int tileSize = Tile.ROWS * vectors * Simd.LANES;
          for (int t = 0; t < tiles; t++) {
            Tile.rows(
                vectors,
                weights,
                t * Tile.ROWS * Tile.ROW_STRIDE,
                kc,
                packed,
                b,
                c,
                (p - first) * panelSize + t * tileSize);
          }
        }
      }
      float[] bias = biasOf(epilogue, n0, rows, padded, scratch);
      float[] y = scratch.floats(2, Tile.WIDTH * padded);
      for (int p = first; p < last; p++) {
        int count = Math.min(Tile.WIDTH, m - p * Tile.WIDTH);
        Panels.unpack(
            c, (p - first) * panelSize, Panels.vectors(p, m), count, rows, bias, y, padded);
        epilogue.finish(y, count, padded, rows, m0 + p * Tile.WIDTH, n0, out);
      }
    }

    private void widen(
        int n0, int rows, int paddedRows, int k0, int kc, float[] to, Scratch scratch) {
      int bytes = w.dtype().bits() / 8;
      if (w.columnStride() == 1) {
        for (int r = 0; r < rows; r++) {
          Widen.run(w.segment(), w.at(n0 + r, k0), w.dtype(), kc, to, r * Tile.ROW_STRIDE, scratch);
        }
      } else if (w.rowStride() == 1) {
        float[] column = scratch.floats(2, rows);
        for (int i = 0; i < kc; i++) {
          Widen.run(w.segment(), w.at(n0, k0 + i), w.dtype(), rows, column, 0, scratch);
          for (int r = 0; r < rows; r++) {
            to[r * Tile.ROW_STRIDE + i] = column[r];
          }
        }
      } else {
        for (int r = 0; r < rows; r++) {
          Widen.strided(
              w.segment(),
              w.at(n0 + r, k0),
              w.columnStride() * bytes,
              w.dtype(),
              kc,
              to,
              r * Tile.ROW_STRIDE);
        }
      }
      for (int r = rows; r < paddedRows; r++) {
        Arrays.fill(to, r * Tile.ROW_STRIDE, r * Tile.ROW_STRIDE + kc, 0f);
      }
    }
  }

  /** The bias of rows {@code n0..n0+rows} padded with zeros, or zeros. */
  static float[] biasOf(Epilogue epilogue, int n0, int rows, int padded, Scratch scratch) {
    float[] bias = scratch.floats(3, padded);
    Arrays.fill(bias, 0, padded, 0f);
    StoredVector v = epilogue.bias();
    if (v != null) {
      Widen.run(
          v.segment(),
          v.byteOffset() + (long) n0 * (v.dtype().bits() / 8),
          v.dtype(),
          rows,
          bias,
          0,
          scratch);
    }
    return bias;
  }
}
