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

  /**
   * Weights of a row that are widened at a time: long runs of the file, and a task's rows still fit
   * into the cache.
   */
  private static final int OUTER_K = 2560;

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
    if (OuterMatMul.fits(k, a, w, epilogue)) {
      OuterMatMul.run(workers, m, n, k, a, w, out);
      return;
    }
    if (TallMatMul.fits(m, n, k, a, w)) {
      TallMatMul.run(workers, m, n, k, a, w, out, epilogue);
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
    private final int outerStep;
    private final int innerStep;
    private final int innerBlocks;

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
      outerStep = ceilDiv(k, ceilDiv(k, OUTER_K));
      innerBlocks = ceilDiv(outerStep, Tile.K_MAX);
      innerStep = ceilDiv(outerStep, innerBlocks);
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
      int blockSize = taskRows * Tile.ROW_STRIDE;
      float[] weights = scratch.floats(0, innerBlocks * blockSize);
      int panelSize = taskRows * Tile.WIDTH;
      float[] c = scratch.floats(1, (last - first) * panelSize + padded * Tile.WIDTH);
      float[] bias = biasOf(epilogue, n0, rows, padded, scratch);
      float[] y = scratch.floats(2, Tile.WIDTH * padded);
      for (int k0 = 0; k0 < k; k0 += outerStep) {
        int kc = Math.min(outerStep, k - k0);
        widen(n0, rows, tiles * Tile.ROWS, k0, kc, weights, blockSize, scratch);
        for (int p = first; p < last; p++) {
          int at = (p - first) * panelSize;
          multiplyPanel(p, k0, kc, tiles, packed, weights, blockSize, c, at);
          if (k0 + kc == k) {
            int count = Math.min(Tile.WIDTH, m - p * Tile.WIDTH);
            int row = m0 + p * Tile.WIDTH;
            if (epilogue.isPlain() && rows >= Simd.LANES) {
              Panels.unpack(c, at, Panels.vectors(p, m), count, rows, bias, out, row, n0);
            } else {
              Panels.unpack(c, at, Panels.vectors(p, m), count, rows, bias, y, padded);
              epilogue.finish(y, count, padded, rows, row, n0, out);
            }
          }
        }
      }
    }

    private void multiplyPanel(
        int p,
        int k0,
        int kc,
        int tiles,
        MemorySegment packed,
        float[] weights,
        int blockSize,
        float[] c,
        int at) {
      int vectors = Panels.vectors(p, m);
      int width = vectors * Simd.LANES;
      for (int from = 0; from < kc; from += innerStep) {
        int count = Math.min(innerStep, kc - from);
        long b = panelOffset(p) + 4L * (k0 + from) * width;
        boolean begin = k0 + from == 0;
        for (int t = 0; t < tiles; t++) {
          int to = at + t * Tile.ROWS * width;
          Tile.rows(
              vectors,
              weights,
              from / innerStep * blockSize + t * Tile.ROWS * Tile.ROW_STRIDE,
              count,
              packed,
              b,
              begin ? Tile.ZEROS : c,
              begin ? 0 : to,
              c,
              to);
        }
      }
    }

    /**
     * Widens weight rows into blocks of {@code innerStep} columns, in the order they have in
     * memory.
     */
    private void widen(
        int n0,
        int rows,
        int paddedRows,
        int k0,
        int kc,
        float[] to,
        int blockSize,
        Scratch scratch) {
      if (w.columnStride() == 1 || w.rowStride() != 1) {
        for (int r = 0; r < paddedRows; r++) {
          for (int from = 0; from < kc; from += innerStep) {
            int count = Math.min(innerStep, kc - from);
            int at = from / innerStep * blockSize + r * Tile.ROW_STRIDE;
            if (r >= rows) {
              Arrays.fill(to, at, at + count, 0f);
            } else if (w.columnStride() == 1) {
              Widen.run(w.segment(), w.at(n0 + r, k0 + from), w.dtype(), count, to, at, scratch);
            } else {
              long step = w.columnStride() * (w.dtype().bits() / 8);
              Widen.strided(w.segment(), w.at(n0 + r, k0 + from), step, w.dtype(), count, to, at);
            }
          }
        }
        return;
      }
      float[] column = scratch.floats(4, paddedRows);
      Arrays.fill(column, rows, paddedRows, 0f);
      for (int i = 0; i < kc; i++) {
        Widen.run(w.segment(), w.at(n0, k0 + i), w.dtype(), rows, column, 0, scratch);
        int at = i / innerStep * blockSize + i % innerStep;
        for (int r = 0; r < paddedRows; r++) {
          to[at + r * Tile.ROW_STRIDE] = column[r];
        }
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
