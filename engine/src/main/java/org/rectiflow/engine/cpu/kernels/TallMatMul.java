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
    taskPanels = MatMul.ceilDiv(panels, groups);
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
            product.multiply(t / product.panelGroups, t % product.panelGroups, packed, scratch));
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

  private void multiply(int rowGroup, int panelGroup, MemorySegment packed, Scratch scratch) {
    int row = rowGroup * taskRows;
    int rows = Math.min(taskRows, m - row);
    int tiles = MatMul.ceilDiv(rows, Tile.ROWS);
    int blockSize = taskRows * Tile.ROW_STRIDE;
    float[] x = scratch.floats(0, innerBlocks * blockSize);
    load(row, rows, tiles * Tile.ROWS, x, blockSize);
    int tileSize = Tile.ROWS * Tile.WIDTH;
    float[] c = scratch.floats(1, tiles * tileSize);
    int end = Math.min(panels, (panelGroup + 1) * taskPanels);
    for (int p = panelGroup * taskPanels; p < end; p++) {
      int vectors = Panels.vectors(p, n);
      int width = vectors * Simd.LANES;
      int columns = Math.min(width, n - p * Tile.WIDTH);
      float[] bias = MatMul.biasOf(epilogue, p * Tile.WIDTH, columns, width, scratch);
      for (int block = 0; block < innerBlocks; block++) {
        int from = block * innerStep;
        int count = Math.min(innerStep, k - from);
        long b = panelOffset(p) + 4L * from * width;
        for (int t = 0; t < tiles; t++) {
          int at = t * tileSize;
          int w0 = block * blockSize + t * Tile.ROWS * Tile.ROW_STRIDE;
          float[] z = block == 0 ? Tile.ZEROS : c;
          Tile.rows(vectors, x, w0, count, packed, b, z, block == 0 ? 0 : at, c, at);
          if (block == innerBlocks - 1) {
            int first = t * Tile.ROWS;
            finish(
                c,
                at,
                Math.min(Tile.ROWS, rows - first),
                width,
                columns,
                bias,
                row + first,
                p * Tile.WIDTH,
                scratch);
          }
        }
      }
    }
  }

  /** Rows of a in blocks of {@code innerStep} columns. */
  private void load(int row, int rows, int padded, float[] x, int blockSize) {
    for (int r = 0; r < padded; r++) {
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

  private void finish(
      float[] c,
      int at,
      int rows,
      int width,
      int columns,
      float[] bias,
      int row,
      int column,
      Scratch scratch) {
    if (epilogue.isPlain() && columns == width) {
      long to = out.at(row, column);
      long step = out.at(row + 1L, column) - to;
      if (width == Tile.WIDTH) {
        store2(c, at, rows, bias, out.segment(), to, step);
      } else {
        store1(c, at, rows, bias, out.segment(), to, step);
      }
      return;
    }
    float[] y = scratch.floats(2, Tile.ROWS * Tile.WIDTH);
    addBias(c, at, rows, width, bias, y);
    epilogue.finish(y, rows, width, columns, row, column, out);
  }

  private static void store2(
      float[] c, int at, int rows, float[] bias, MemorySegment out, long to, long step) {
    FloatVector b0 = FloatVector.fromArray(Simd.F, bias, 0);
    FloatVector b1 = FloatVector.fromArray(Simd.F, bias, Simd.LANES);
    for (int r = 0; r < rows; r++) {
      int from = at + r * Tile.WIDTH;
      FloatVector.fromArray(Simd.F, c, from).add(b0).intoMemorySegment(out, to, Simd.LE);
      FloatVector.fromArray(Simd.F, c, from + Simd.LANES)
          .add(b1)
          .intoMemorySegment(out, to + 4L * Simd.LANES, Simd.LE);
      to += step;
    }
  }

  private static void store1(
      float[] c, int at, int rows, float[] bias, MemorySegment out, long to, long step) {
    FloatVector b0 = FloatVector.fromArray(Simd.F, bias, 0);
    for (int r = 0; r < rows; r++) {
      FloatVector.fromArray(Simd.F, c, at + r * Simd.LANES)
          .add(b0)
          .intoMemorySegment(out, to, Simd.LE);
      to += step;
    }
  }

  private static void addBias(float[] c, int at, int rows, int width, float[] bias, float[] y) {
    for (int r = 0; r < rows; r++) {
      for (int i = 0; i < width; i += Simd.LANES) {
        FloatVector.fromArray(Simd.F, c, at + r * width + i)
            .add(FloatVector.fromArray(Simd.F, bias, i))
            .intoArray(y, r * width + i);
      }
    }
  }
}
