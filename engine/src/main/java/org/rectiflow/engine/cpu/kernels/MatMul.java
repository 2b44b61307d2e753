package org.rectiflow.engine.cpu.kernels;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
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

  /** Widened weights of a task: they stay in half of a level 2 cache of 2 MiB. */
  private static final int WEIGHT_BYTES = 1 << 20;

  /** More do not make reading the activations' panels from afar any rarer to speak of. */
  private static final int MOST_TILES = 16;

  /** The same when all panels fit into the level 2 cache, beside few weights. */
  private static final int MOST_TILES_NEAR = 4;

  /** Length of the pieces of weight rows that are too long for a tile. */
  private static final int PIECE = 1536;

  /** Columns of a panel that are packed at a time: few panels would keep few threads busy. */
  private static final int PACK_COLUMNS = 768;

  /** Panels whose sums wait in the cache while weight rows are widened in pieces. */
  private static final int TASK_PANELS = 34;

  /** Fewer tasks leave a thread waiting for long when another program takes its time. */
  private static final int TASKS_A_THREAD = 3;

  /** Rows of float32 weights that are copied side by side, and how much of each at a time. */
  private static final int COPIED_ROWS = 8;

  private static final int COPIED_COLUMNS = 256;

  private MatMul() {}

  /**
   * A left operand of products.
   *
   * @param a float32 [m, k], any strides
   */
  public record Left(MatrixView a, int k) {}

  /**
   * A result of products.
   *
   * @param n columns of {@code out}
   * @param weights [n, k] for each left operand, in F32, F16, BF16, F8_E4M3 or F8_E5M2, any strides
   *     (a stored [k, n] matrix is its transposed view)
   * @param out float32 [m, n] with contiguous rows; must not overlap a left operand
   */
  public record Result(int n, List<MatrixView> weights, MatrixView out, Epilogue epilogue) {}

  /**
   * Computes one product.
   *
   * @param m rows of {@code a} and {@code out}
   * @param n rows of {@code w}, columns of {@code out}
   * @param k columns of {@code a} and {@code w}
   * @param a see {@link Left}
   * @param w see {@link Result}
   * @param out see {@link Result}
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
    } else if (OuterMatMul.fits(k, a, w, epilogue)) {
      OuterMatMul.run(workers, m, n, k, w, List.of(new OuterMatMul.Part(a, out, null)));
    } else {
      many(workers, m, List.of(new Left(a, k)), List.of(new Result(n, List.of(w), out, epilogue)));
    }
  }

  /** Products of the same rows, which are read or packed once: queries, keys and values. */
  public static void several(Workers workers, int m, Left left, List<Result> results) {
    results.forEach(r -> check(m, r.n, left.k, left.a, r.weights.getFirst(), r.out));
    List<Left> lefts = List.of(left);
    boolean together =
        TallMatMul.fits(m, lefts, results)
            || results.stream().noneMatch(r -> TallMatMul.fits(m, lefts, List.of(r)));
    if (m > SMALL_M && together) {
      many(workers, m, lefts, results);
      return;
    }
    for (Result r : results) {
      run(workers, m, r.n, left.k, left.a, r.weights.getFirst(), r.out, r.epilogue);
    }
  }

  /**
   * A sum of products, stored once: {@code out = epilogue(sum_i a_i w_i^T)}.
   *
   * @param result its epilogue may add a residual, no more
   */
  public static void sum(Workers workers, int m, List<Left> lefts, Result result) {
    MatrixView out = result.out;
    for (int i = 0; i < lefts.size(); i++) {
      check(m, result.n, lefts.get(i).k, lefts.get(i).a, result.weights.get(i), out);
    }
    if (m > SMALL_M && TallMatMul.fits(m, lefts, List.of(result))) {
      TallMatMul.run(workers, m, lefts, List.of(result));
      return;
    }
    Epilogue epilogue = result.epilogue;
    for (int i = 0; i < lefts.size(); i++) {
      Left left = lefts.get(i);
      run(workers, m, result.n, left.k, left.a, result.weights.get(i), out, epilogue);
      epilogue = Epilogue.NONE.withResidual(out);
    }
  }

  private static void many(Workers workers, int m, List<Left> lefts, List<Result> results) {
    if (TallMatMul.fits(m, lefts, results)) {
      TallMatMul.run(workers, m, lefts, results);
      return;
    }
    Left left = lefts.getFirst();
    long fit = Math.max(1, PACK_BYTES / (4L * left.k * Tile.WIDTH)) * Tile.WIDTH;
    int chunks = Math.toIntExact((m + fit - 1) / fit);
    int rows = Panels.count(ceilDiv(m, chunks)) * Tile.WIDTH;
    for (int m0 = 0; m0 < m; m0 += rows) {
      int count = Math.min(rows, m - m0);
      for (Result r : results) {
        Product product = new Product(workers.threads(), m0, count, left, r);
        if (r == results.getFirst()) {
          product.pack(workers);
        }
        product.multiply(workers);
      }
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
    private final int mostTiles;

    /** First tile of every group of weight rows, and the number of tiles at the end. */
    private final int[] groups;

    /** Products in one call of a tile: all of them, or a piece. */
    private final int step;

    Product(int threads, int m0, int m, Left left, Result result) {
      this.m0 = m0;
      this.m = m;
      this.n = result.n;
      this.k = left.k;
      this.a = left.a;
      this.w = result.weights.getFirst();
      this.out = result.out;
      this.epilogue = result.epilogue;
      panels = Panels.count(m);
      step = k <= Tile.LONG_K_MAX ? k : ceilDiv(k, ceilDiv(k, PIECE));
      int wanted = step == k ? 1 : ceilDiv(panels, TASK_PANELS);
      int tiles = ceilDiv(n, Tile.ROWS);
      // A narrow result has too few groups of weight rows for all threads.
      wanted = Math.clamp(ceilDiv(TASKS_A_THREAD * threads, tiles), wanted, panels);
      taskPanels = ceilDiv(panels, wanted);
      panelGroups = ceilDiv(panels, taskPanels);
      int fit = WEIGHT_BYTES / (4 * Tile.ROWS * step);
      boolean near = 4L * panels * Tile.WIDTH * k <= WEIGHT_BYTES;
      mostTiles = Math.min(tiles, Math.clamp(fit, 1, near ? MOST_TILES_NEAR : MOST_TILES));
      groups = groups(tiles, threads);
    }

    /** Groups of one size, as many for each thread: small ones read the panels too often. */
    private int[] groups(int tiles, int threads) {
      int each = ceilDiv(ceilDiv(tiles, mostTiles) * panelGroups, threads);
      int wanted = Math.max(each, TASKS_A_THREAD) * threads / panelGroups;
      int count = Math.clamp(wanted, 1, tiles);
      int[] first = new int[Math.max(count, ceilDiv(tiles, mostTiles)) + 1];
      Arrays.setAll(first, i -> (int) ((long) i * tiles / (first.length - 1)));
      return first;
    }

    private MemorySegment packed(Workers workers) {
      return workers.shared().segment(0, 4L * panels * Tile.WIDTH * k);
    }

    /** Packs the activations, for all products of them. */
    void pack(Workers workers) {
      MemorySegment packed = packed(workers);
      int pieces = ceilDiv(k, PACK_COLUMNS);
      workers.parallelFor(
          panels * pieces, (t, scratch) -> pack(t / pieces, t % pieces, packed, scratch));
    }

    void multiply(Workers workers) {
      MemorySegment packed = packed(workers);
      workers.parallelFor(
          (groups.length - 1) * panelGroups,
          (t, scratch) -> multiply(t / panelGroups, t % panelGroups, packed, scratch));
    }

    private long panelOffset(int p) {
      return 4L * p * Tile.WIDTH * k;
    }

    /** From the first vector of a panel's column to the second. */
    private long vectorBytes() {
      return 4L * Simd.LANES * k;
    }

    private void pack(int p, int piece, MemorySegment packed, Scratch scratch) {
      int row = p * Tile.WIDTH;
      int k0 = piece * PACK_COLUMNS;
      Panels.pack(
          a,
          m0 + row,
          Math.min(Tile.WIDTH, m - row),
          k0,
          Math.min(PACK_COLUMNS, k - k0),
          Panels.vectors(p, m),
          packed,
          panelOffset(p) + 4L * Simd.LANES * k0,
          4L * Simd.LANES,
          vectorBytes(),
          scratch.floats(0, Panels.stagingSize()));
    }

    private void multiply(int group, int panelGroup, MemorySegment packed, Scratch scratch) {
      int tiles = groups[group + 1] - groups[group];
      int n0 = groups[group] * Tile.ROWS;
      int rows = Math.min(tiles * Tile.ROWS, n - n0);
      int first = panelGroup * taskPanels;
      int last = Math.min(panels, first + taskPanels);
      int padded = ceilDiv(tiles * Tile.ROWS, Simd.LANES) * Simd.LANES;
      float[] weights = scratch.floats(0, mostTiles * Tile.ROWS * Tile.LONG_ROW_STRIDE);
      // Sums of a panel wait for the next columns of the weights, if there are any.
      int panelSize = step == k ? 0 : tiles * Tile.ROWS * Tile.WIDTH;
      float[] c = scratch.floats(1, (last - first) * panelSize + padded * Tile.WIDTH);
      float[] bias = biasOf(epilogue, n0, rows, padded, scratch);
      float[] y = scratch.floats(2, Tile.WIDTH * padded);
      float[] staging = scratch.floats(4, Panels.stagingSize());
      for (int k0 = 0; k0 < k; k0 += step) {
        int kc = Math.min(step, k - k0);
        widen(n0, rows, tiles * Tile.ROWS, k0, kc, weights, scratch);
        boolean end = k0 + kc == k;
        for (int p = first; p < last; p++) {
          int at = (p - first) * panelSize;
          for (int t = 0; t < tiles; t++) {
            multiplyTile(p, t, k0, kc, packed, weights, c, at);
            if (end && p > first) {
              // Memory takes the result while the next panel is multiplied.
              finish(p - 1, t, tiles, n0, rows, y, padded, scratch);
            }
          }
          if (end) {
            int count = Math.min(Tile.WIDTH, m - p * Tile.WIDTH);
            Panels.unpack(c, at, Panels.vectors(p, m), count, rows, bias, y, padded, staging);
          }
        }
      }
      finish(last - 1, 0, 1, n0, rows, y, padded, scratch);
    }

    private void multiplyTile(
        int p, int t, int k0, int kc, MemorySegment packed, float[] weights, float[] c, int at) {
      int vectors = Panels.vectors(p, m);
      int w0 = t * Tile.ROWS * Tile.LONG_ROW_STRIDE;
      long b = panelOffset(p) + 4L * Simd.LANES * k0;
      int to = at + t * Tile.ROWS * vectors * Simd.LANES;
      float[] z = k0 == 0 ? Tile.ZEROS : c;
      Tile.longRows(vectors, weights, w0, kc, packed, b, vectorBytes(), z, k0 == 0 ? 0 : to, c, to);
    }

    /** Finishes and stores one of {@code parts} of the rows of a panel, which lie in {@code y}. */
    private void finish(
        int p, int part, int parts, int n0, int rows, float[] y, int stride, Scratch scratch) {
      int count = Math.min(Tile.WIDTH, m - p * Tile.WIDTH);
      int from = part * count / parts;
      int to = (part + 1) * count / parts;
      int row = m0 + p * Tile.WIDTH + from;
      if (to > from) {
        epilogue.finish(y, from * stride, to - from, stride, rows, row, n0, out, scratch);
      }
    }

    /** Widens {@code kc} columns of weight rows. */
    private void widen(
        int n0, int rows, int paddedRows, int k0, int kc, float[] to, Scratch scratch) {
      if (w.columnStride() != 1 && w.rowStride() == 1) {
        widenColumns(n0, rows, paddedRows, k0, kc, to, scratch);
        return;
      }
      if (w.columnStride() == 1 && w.dtype() == DType.F32) {
        copyRows(n0, rows, k0, kc, to, scratch);
      } else {
        widenRows(n0, rows, k0, kc, to, scratch);
      }
      for (int r = rows; r < paddedRows; r++) {
        int at = r * Tile.LONG_ROW_STRIDE;
        Arrays.fill(to, at, at + kc, 0f);
      }
    }

    private void widenRows(int n0, int rows, int k0, int kc, float[] to, Scratch scratch) {
      long stepBytes = w.columnStride() * (w.dtype().bits() / 8);
      for (int r = 0; r < rows; r++) {
        int at = r * Tile.LONG_ROW_STRIDE;
        if (w.columnStride() == 1) {
          Widen.run(w.segment(), w.at(n0 + r, k0), w.dtype(), kc, to, at, scratch);
        } else {
          Widen.strided(w.segment(), w.at(n0 + r, k0), stepBytes, w.dtype(), kc, to, at);
        }
      }
    }

    /** Pieces of several rows in turn: the processor reads ahead of each, so more is under way. */
    private void copyRows(int n0, int rows, int k0, int kc, float[] to, Scratch scratch) {
      int apart = ceilDiv(rows, COPIED_ROWS);
      for (int i = 0; i < apart; i++) {
        for (int c = 0; c < kc; c += COPIED_COLUMNS) {
          int count = Math.min(COPIED_COLUMNS, kc - c);
          for (int r = i; r < rows; r += apart) {
            int at = r * Tile.LONG_ROW_STRIDE + c;
            Widen.run(w.segment(), w.at(n0 + r, k0 + c), DType.F32, count, to, at, scratch);
          }
        }
      }
    }

    private void widenColumns(
        int n0, int rows, int paddedRows, int k0, int kc, float[] to, Scratch scratch) {
      float[] column = scratch.floats(4, paddedRows);
      Arrays.fill(column, rows, paddedRows, 0f);
      for (int i = 0; i < kc; i++) {
        Widen.run(w.segment(), w.at(n0, k0 + i), w.dtype(), rows, column, 0, scratch);
        for (int r = 0; r < paddedRows; r++) {
          to[r * Tile.LONG_ROW_STRIDE + i] = column[r];
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
