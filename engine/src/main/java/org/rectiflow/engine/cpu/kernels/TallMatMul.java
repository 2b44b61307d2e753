package org.rectiflow.engine.cpu.kernels;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import org.rectiflow.safetensors.DType;

/**
 * The product of many rows with a small float32 matrix, as training has it: here the weights are
 * packed into panels and the activations, which are the larger operand, are broadcast as they lie
 * in memory, and results come out as rows. Neither is transposed, unlike in {@link MatMul}; sums
 * run over k in the same order, so results are the same to the bit.
 */
final class TallMatMul {
  /** Rows that repay turning a weight matrix into panels, and those that repay copying it. */
  private static final int ENOUGH_ROWS = 256;

  private static final int ENOUGH_ROWS_TO_COPY = 32;

  /** Panels of larger matrices leave the level 2 cache: {@link MatMul} reads its own less often. */
  private static final long PACK_BYTES = 4L << 20;

  private static final int TASK_TILES = 8;
  private static final int ENOUGH_TASKS = 24;

  /** Panels that stay in a level 2 cache while the tiles of a task go by. */
  private static final long GROUP_BYTES = 1L << 20;

  private static final int TILE = Tile.ROWS * Tile.WIDTH;

  private final int m;
  private final int n;
  private final int k;
  private final MatrixView a;
  private final MatrixView w;
  private final MatrixView out;
  private final Epilogue epilogue;
  private final int panels;
  private final int taskRows;
  private final int rowGroups;
  private final int panelGroups;
  private final int taskPanels;
  private final int innerStep;
  private final int innerBlocks;

  private TallMatMul(
      int m, int n, int k, MatrixView a, MatrixView w, MatrixView out, Epilogue epilogue) {
    this.m = m;
    this.n = n;
    this.k = k;
    this.a = a;
    this.w = w;
    this.out = out;
    this.epilogue = epilogue;
    panels = Panels.count(n);
    int tiles = MatMul.ceilDiv(m, Tile.ROWS);
    int taskTiles = Math.clamp(tiles / ENOUGH_TASKS, 1, TASK_TILES);
    taskRows = taskTiles * Tile.ROWS;
    rowGroups = MatMul.ceilDiv(m, taskRows);
    int groups = Math.clamp(MatMul.ceilDiv(ENOUGH_TASKS, rowGroups), 1, panels);
    long fit = Math.max(1, GROUP_BYTES / (4L * Tile.WIDTH * k));
    taskPanels = (int) Math.min(fit, MatMul.ceilDiv(panels, groups));
    panelGroups = MatMul.ceilDiv(panels, taskPanels);
    innerBlocks = MatMul.ceilDiv(k, Tile.K_MAX);
    innerStep = MatMul.ceilDiv(k, innerBlocks);
  }

  /** Whether this is the faster way. */
  static boolean fits(int m, int n, int k, MatrixView a, MatrixView w) {
    int enough = w.rowStride() == 1 ? ENOUGH_ROWS_TO_COPY : ENOUGH_ROWS;
    return m >= enough
        && a.columnStride() == 1
        // Vector loads from mapped files are not safe; see Widen.
        && !a.segment().isMapped()
        && w.dtype() == DType.F32
        && (w.rowStride() == 1 || w.columnStride() == 1)
        && 4L * n * k <= PACK_BYTES;
  }

  static void run(
      Workers workers,
      int m,
      int n,
      int k,
      MatrixView a,
      MatrixView w,
      MatrixView out,
      Epilogue epilogue) {
    TallMatMul product = new TallMatMul(m, n, k, a, w, out, epilogue);
    MemorySegment packed = workers.shared().segment(0, 4L * product.panels * Tile.WIDTH * k);
    workers.parallelFor(product.panels, (p, scratch) -> product.pack(p, packed, scratch));
    workers.parallelFor(
        product.rowGroups * product.panelGroups,
        (t, scratch) ->
            product.multiply(t % product.rowGroups, t / product.rowGroups, packed, scratch));
  }

  private long panelOffset(int p) {
    return 4L * p * Tile.WIDTH * k;
  }

  private void pack(int p, MemorySegment packed, Scratch scratch) {
    int row = p * Tile.WIDTH;
    Panels.pack(
        w,
        row,
        Math.min(Tile.WIDTH, n - row),
        0,
        k,
        Panels.vectors(p, n),
        1f,
        packed,
        panelOffset(p),
        scratch.floats(0, Panels.stagingSize()));
  }

  /** Tile by tile: whole rows are finished at a time, as memory likes it. */
  private void multiply(int rowGroup, int panelGroup, MemorySegment packed, Scratch scratch) {
    int end = Math.min(m, (rowGroup + 1) * taskRows);
    int first = panelGroup * taskPanels;
    int last = Math.min(panels, first + taskPanels);
    int column = first * Tile.WIDTH;
    int columns = Math.min(n, last * Tile.WIDTH) - column;
    int padded = MatMul.ceilDiv(columns, Simd.LANES) * Simd.LANES;
    int blockSize = Tile.ROWS * Tile.ROW_STRIDE;
    float[] x = scratch.floats(0, innerBlocks * blockSize);
    float[] c = scratch.floats(1, (last - first) * TILE);
    float[] bias = MatMul.biasOf(epilogue, column, columns, padded, scratch);
    for (int row = rowGroup * taskRows; row < end; row += Tile.ROWS) {
      int rows = Math.min(Tile.ROWS, end - row);
      load(row, rows, x, blockSize);
      for (int p = first; p < last; p++) {
        int vectors = Panels.vectors(p, n);
        int at = (p - first) * TILE;
        for (int block = 0; block < innerBlocks; block++) {
          int from = block * innerStep;
          int count = Math.min(innerStep, k - from);
          long b = panelOffset(p) + 4L * from * vectors * Simd.LANES;
          float[] z = block == 0 ? Tile.ZEROS : c;
          Tile.rows(vectors, x, block * blockSize, count, packed, b, z, block == 0 ? 0 : at, c, at);
        }
      }
      if (epilogue.isPlain() && columns == padded) {
        for (int r = 0; r < rows; r++) {
          store(c, r, padded, bias, out.segment(), out.at(row + r, column));
        }
      } else {
        float[] y = scratch.floats(2, Tile.ROWS * padded);
        for (int r = 0; r < rows; r++) {
          addBias(c, r, padded, bias, y, r * padded);
        }
        epilogue.finish(y, rows, padded, columns, row, column, out, scratch);
      }
    }
  }

  /** Rows of a in blocks of {@code innerStep} columns. */
  private void load(int row, int rows, float[] x, int blockSize) {
    for (int r = 0; r < Tile.ROWS; r++) {
      for (int block = 0; block < innerBlocks; block++) {
        int from = block * innerStep;
        int count = Math.min(innerStep, k - from);
        int at = block * blockSize + r * Tile.ROW_STRIDE;
        if (r < rows) {
          Copies.read(a.segment(), a.at(row + r, from), x, at, count);
        } else {
          Arrays.fill(x, at, at + count, 0f);
        }
      }
    }
  }

  /** Row {@code r} of tiles side by side, plus the bias. */
  private static void store(
      float[] c, int r, int columns, float[] bias, MemorySegment out, long to) {
    int i = 0;
    int at = r * Tile.WIDTH;
    for (; i <= columns - Tile.WIDTH; i += Tile.WIDTH) {
      sum(c, at, bias, i).intoMemorySegment(out, to + 4L * i, Simd.LE);
      int second = i + Simd.LANES;
      sum(c, at + Simd.LANES, bias, second).intoMemorySegment(out, to + 4L * second, Simd.LE);
      at += TILE;
    }
    if (i < columns) {
      at -= r * Simd.LANES;
      sum(c, at, bias, i).intoMemorySegment(out, to + 4L * i, Simd.LE);
    }
  }

  private static void addBias(float[] c, int r, int columns, float[] bias, float[] y, int to) {
    int i = 0;
    int at = r * Tile.WIDTH;
    for (; i <= columns - Tile.WIDTH; i += Tile.WIDTH) {
      sum(c, at, bias, i).intoArray(y, to + i);
      sum(c, at + Simd.LANES, bias, i + Simd.LANES).intoArray(y, to + i + Simd.LANES);
      at += TILE;
    }
    if (i < columns) {
      // The last tile may be one vector wide.
      at -= r * Simd.LANES;
      sum(c, at, bias, i).intoArray(y, to + i);
    }
  }

  private static FloatVector sum(float[] c, int at, float[] bias, int i) {
    return FloatVector.fromArray(Simd.F, c, at).add(FloatVector.fromArray(Simd.F, bias, i));
  }
}
