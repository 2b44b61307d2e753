package org.rectiflow.engine.cpu.kernels;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import jdk.incubator.vector.FloatVector;
import org.rectiflow.safetensors.DType;

/**
 * The product of many rows with small float32 matrices, as training has it: here the weights are
 * packed into panels and the activations, which are the larger operand, are broadcast as they lie
 * in memory, and results come out as rows. Neither is transposed, unlike in {@link MatMul}; sums
 * run over k in the same order, so results are the same to the bit. Rows are loaded once for all
 * results, and sums of several products go on in the tile.
 */
final class TallMatMul {
  /** Rows that repay turning a weight matrix into panels, and those that repay copying it. */
  private static final int ENOUGH_ROWS = 256;

  private static final int ENOUGH_ROWS_TO_COPY = 32;

  /** Panels of larger matrices leave the level 2 cache: {@link MatMul} reads its own less often. */
  private static final long PACK_BYTES = 4L << 20;

  private static final int TASK_TILES = 8;
  private static final int PACK_ROWS = 64;
  private static final int ENOUGH_TASKS = 24;

  /** Panels that stay in a level 2 cache while the tiles of a task go by. */
  private static final long GROUP_BYTES = 1L << 20;

  private static final int TILE = Tile.ROWS * Tile.WIDTH;

  /** Elements of a tile's rows of a piece. */
  private static final int PIECE = Tile.ROWS * Tile.ROW_STRIDE;

  private final int m;
  private final List<MatMul.Left> lefts;
  private final List<MatMul.Result> results;

  /** The first panel of each result, and the number of panels at the end. */
  private final int[] firstPanels;

  /** What a tile is given in one call. */
  private final List<Piece> pieces;

  private final int depth;
  private final int panels;
  private final int taskRows;
  private final int rowGroups;
  private final int panelGroups;
  private final int taskPanels;

  /** Columns {@code from} to {@code from + count} of a left operand; rows {@code at} of a panel. */
  private record Piece(MatrixView a, int from, int count, int at) {}

  private TallMatMul(int m, List<MatMul.Left> lefts, List<MatMul.Result> results) {
    this.m = m;
    this.lefts = lefts;
    this.results = results;
    firstPanels = new int[results.size() + 1];
    for (int i = 0; i < results.size(); i++) {
      firstPanels[i + 1] = firstPanels[i] + Panels.count(results.get(i).n());
    }
    panels = firstPanels[results.size()];
    depth = depth(lefts);
    pieces = pieces(lefts);
    int tiles = MatMul.ceilDiv(m, Tile.ROWS);
    int taskTiles = Math.clamp(tiles / ENOUGH_TASKS, 1, TASK_TILES);
    taskRows = taskTiles * Tile.ROWS;
    rowGroups = MatMul.ceilDiv(m, taskRows);
    int groups = Math.clamp(MatMul.ceilDiv(ENOUGH_TASKS, rowGroups), 1, panels);
    long fit = Math.max(1, GROUP_BYTES / (4L * Tile.WIDTH * depth));
    taskPanels = (int) Math.min(fit, MatMul.ceilDiv(panels, groups));
    panelGroups = MatMul.ceilDiv(panels, taskPanels);
  }

  private static int depth(List<MatMul.Left> lefts) {
    return lefts.stream().mapToInt(MatMul.Left::k).sum();
  }

  private static List<Piece> pieces(List<MatMul.Left> lefts) {
    List<Piece> pieces = new ArrayList<>();
    int at = 0;
    for (MatMul.Left left : lefts) {
      int step = MatMul.ceilDiv(left.k(), MatMul.ceilDiv(left.k(), Tile.K_MAX));
      for (int from = 0; from < left.k(); from += step) {
        pieces.add(new Piece(left.a(), from, Math.min(step, left.k() - from), at + from));
      }
      at += left.k();
    }
    return pieces;
  }

  /** Whether this is the faster way. */
  static boolean fits(int m, List<MatMul.Left> lefts, List<MatMul.Result> results) {
    long columns = results.stream().mapToLong(MatMul.Result::n).sum();
    return 4 * columns * depth(lefts) <= PACK_BYTES
        // Vector loads from mapped files are not safe; see Widen.
        && lefts.stream().allMatch(l -> l.a().columnStride() == 1 && !l.a().segment().isMapped())
        && results.stream().flatMap(r -> r.weights().stream()).allMatch(w -> fits(m, w));
  }

  private static boolean fits(int m, MatrixView w) {
    return w.dtype() == DType.F32
        && (w.rowStride() == 1 ? m >= ENOUGH_ROWS_TO_COPY : m >= ENOUGH_ROWS)
        && (w.rowStride() == 1 || w.columnStride() == 1);
  }

  static void run(Workers workers, int m, List<MatMul.Left> lefts, List<MatMul.Result> results) {
    TallMatMul product = new TallMatMul(m, lefts, results);
    long bytes = 4L * product.panels * Tile.WIDTH * product.depth;
    MemorySegment packed = workers.shared().segment(0, bytes);
    product.pack(workers, packed);
    workers.parallelFor(
        product.rowGroups * product.panelGroups,
        (t, scratch) ->
            product.multiply(t % product.rowGroups, t / product.rowGroups, packed, scratch));
  }

  /** Weights whose rows are cut into panels are read row by row, others panel by panel. */
  private void pack(Workers workers, MemorySegment packed) {
    if (results.size() > 1 || !results.getFirst().weights().stream().allMatch(this::isCut)) {
      workers.parallelFor(panels, (p, scratch) -> pack(p, packed, scratch));
      return;
    }
    long at = 0;
    for (int i = 0; i < lefts.size(); i++) {
      MatrixView w = results.getFirst().weights().get(i);
      int k = lefts.get(i).k();
      long to = at;
      workers.parallelFor(
          MatMul.ceilDiv(k, PACK_ROWS),
          (t, _) -> {
            int from = t * PACK_ROWS;
            MemorySegment target = packed.asSlice(to + 4L * from * Tile.WIDTH);
            int rows = Math.min(PACK_ROWS, k - from);
            long step = 4L * w.columnStride();
            Panels.copy(w.segment(), w.at(0, from), step, rows, panels, target, panelOffset(1));
          });
      at += 4L * k * Tile.WIDTH;
    }
  }

  private boolean isCut(MatrixView w) {
    return w.rowStride() == 1
        && results.getFirst().n() % Tile.WIDTH == 0
        && !w.segment().isMapped();
  }

  private long panelOffset(int p) {
    return 4L * p * Tile.WIDTH * depth;
  }

  /** The result that a panel belongs to. */
  private int resultOf(int p) {
    int i = 0;
    while (firstPanels[i + 1] <= p) {
      i++;
    }
    return i;
  }

  private void pack(int p, MemorySegment packed, Scratch scratch) {
    MatMul.Result result = results.get(resultOf(p));
    int own = p - firstPanels[resultOf(p)];
    int row = own * Tile.WIDTH;
    int vectors = Panels.vectors(own, result.n());
    long to = panelOffset(p);
    for (int i = 0; i < lefts.size(); i++) {
      int k = lefts.get(i).k();
      Panels.pack(
          result.weights().get(i),
          row,
          Math.min(Tile.WIDTH, result.n() - row),
          0,
          k,
          vectors,
          packed,
          to,
          4L * vectors * Simd.LANES,
          4L * Simd.LANES,
          scratch.floats(0, Panels.stagingSize()));
      to += 4L * k * vectors * Simd.LANES;
    }
  }

  /** Tile by tile: whole rows are finished at a time, as memory likes it. */
  private void multiply(int rowGroup, int panelGroup, MemorySegment packed, Scratch scratch) {
    int end = Math.min(m, (rowGroup + 1) * taskRows);
    int first = panelGroup * taskPanels;
    int last = Math.min(panels, first + taskPanels);
    float[] x = scratch.floats(0, pieces.size() * PIECE);
    float[] bias = biases(first, last, scratch);
    for (int row = rowGroup * taskRows; row < end; row += Tile.ROWS) {
      int rows = Math.min(Tile.ROWS, end - row);
      load(row, rows, x);
      for (int i = resultOf(first); i < results.size() && firstPanels[i] < last; i++) {
        int from = Math.max(first, firstPanels[i]);
        int to = Math.min(last, firstPanels[i + 1]);
        float[] c = multiply(x, from, to, i, packed, scratch);
        int column = (from - firstPanels[i]) * Tile.WIDTH;
        finish(results.get(i), row, rows, column, to - from, c, bias, from - first, scratch);
      }
    }
  }

  /** The products of a tile's rows with some panels of a result. */
  private float[] multiply(
      float[] x, int first, int last, int result, MemorySegment packed, Scratch scratch) {
    float[] c = scratch.floats(1, (last - first) * TILE);
    for (int p = first; p < last; p++) {
      int vectors = Panels.vectors(p - firstPanels[result], results.get(result).n());
      int to = (p - first) * TILE;
      for (int i = 0; i < pieces.size(); i++) {
        Piece piece = pieces.get(i);
        long b = panelOffset(p) + 4L * piece.at * vectors * Simd.LANES;
        float[] z = i == 0 ? Tile.ZEROS : c;
        Tile.rows(vectors, x, i * PIECE, piece.count, packed, b, z, i == 0 ? 0 : to, c, to);
      }
    }
    return c;
  }

  /** The biases of panels side by side, zeros where there are none. */
  private float[] biases(int first, int last, Scratch scratch) {
    float[] all = scratch.floats(3, (last - first) * Tile.WIDTH);
    Arrays.fill(all, 0, (last - first) * Tile.WIDTH, 0f);
    for (int i = resultOf(first); i < results.size() && firstPanels[i] < last; i++) {
      StoredVector bias = results.get(i).epilogue().bias();
      int from = Math.max(first, firstPanels[i]);
      int column = (from - firstPanels[i]) * Tile.WIDTH;
      int width = (Math.min(last, firstPanels[i + 1]) - from) * Tile.WIDTH;
      int count = Math.min(results.get(i).n() - column, width);
      if (bias != null) {
        long at = bias.byteOffset() + (long) column * (bias.dtype().bits() / 8);
        int to = (from - first) * Tile.WIDTH;
        Widen.run(bias.segment(), at, bias.dtype(), count, all, to, scratch);
      }
    }
    return all;
  }

  /** Adds biases and does what else a result wants, for some panels of a tile's rows. */
  private static void finish(
      MatMul.Result result,
      int row,
      int rows,
      int column,
      int panels,
      float[] c,
      float[] bias,
      int biasPanel,
      Scratch scratch) {
    int columns = Math.min(result.n() - column, panels * Tile.WIDTH);
    int padded = MatMul.ceilDiv(columns, Simd.LANES) * Simd.LANES;
    int b = biasPanel * Tile.WIDTH;
    MatrixView out = result.out();
    if (result.epilogue().isPlain() && columns == padded) {
      for (int r = 0; r < rows; r++) {
        store(c, r, padded, bias, b, out.segment(), out.at(row + r, column));
      }
      return;
    }
    // Row by row, so that a row stays in the level 1 cache.
    float[] y = scratch.floats(2, padded);
    for (int r = 0; r < rows; r++) {
      addBias(c, r, padded, bias, b, y);
      result.epilogue().finish(y, 0, 1, padded, columns, row + r, column, out, scratch);
    }
  }

  private void load(int row, int rows, float[] x) {
    for (int r = 0; r < Tile.ROWS; r++) {
      for (int i = 0; i < pieces.size(); i++) {
        Piece p = pieces.get(i);
        int at = i * PIECE + r * Tile.ROW_STRIDE;
        if (r < rows) {
          Copies.read(p.a.segment(), p.a.at(row + r, p.from), x, at, p.count);
        } else {
          Arrays.fill(x, at, at + p.count, 0f);
        }
      }
    }
  }

  /** Row {@code r} of tiles side by side, plus the bias. */
  private static void store(
      float[] c, int r, int columns, float[] bias, int b, MemorySegment out, long to) {
    int i = 0;
    int at = r * Tile.WIDTH;
    for (; i <= columns - Tile.WIDTH; i += Tile.WIDTH) {
      sum(c, at, bias, b + i).intoMemorySegment(out, to + 4L * i, Simd.LE);
      int second = i + Simd.LANES;
      sum(c, at + Simd.LANES, bias, b + second).intoMemorySegment(out, to + 4L * second, Simd.LE);
      at += TILE;
    }
    if (i < columns) {
      at -= r * Simd.LANES;
      sum(c, at, bias, b + i).intoMemorySegment(out, to + 4L * i, Simd.LE);
    }
  }

  private static void addBias(float[] c, int r, int columns, float[] bias, int b, float[] y) {
    int i = 0;
    int at = r * Tile.WIDTH;
    for (; i <= columns - Tile.WIDTH; i += Tile.WIDTH) {
      sum(c, at, bias, b + i).intoArray(y, i);
      sum(c, at + Simd.LANES, bias, b + i + Simd.LANES).intoArray(y, i + Simd.LANES);
      at += TILE;
    }
    if (i < columns) {
      // The last tile may be one vector wide.
      at -= r * Simd.LANES;
      sum(c, at, bias, b + i).intoArray(y, i);
    }
  }

  private static FloatVector sum(float[] c, int at, float[] bias, int i) {
    return FloatVector.fromArray(Simd.F, c, at).add(FloatVector.fromArray(Simd.F, bias, i));
  }
}
