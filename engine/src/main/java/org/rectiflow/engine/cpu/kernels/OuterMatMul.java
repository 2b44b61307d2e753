package org.rectiflow.engine.cpu.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import jdk.incubator.vector.FloatVector;
import org.rectiflow.safetensors.DType;

/**
 * {@code out[M, N] = sum over r of a[r, M] b[r, N]}: the derivative of a weight matrix, a sum over
 * all rows of activations that is far longer than the result is wide. Both operands are used as
 * they lie in memory; a task takes a block of the result and a share of the sum, and shares are
 * added up in order.
 */
final class OuterMatMul {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(Simd.LE);
  private static final int ENOUGH_LENGTH = 32;
  private static final int ENOUGH_TASKS = 8;
  private static final int BLOCK_TILES = 16;
  private static final int BLOCK_PANELS = 8;
  private static final int ROWS_AT_ONCE = 4;
  private static final int TILE = Tile.ROWS * Tile.WIDTH;

  private final int m;
  private final int n;
  private final int length;
  private final MatrixView b;
  private final List<Part> parts;
  private final int rowGroups;
  private final int taskTiles;
  private final int panelGroups;
  private final int taskPanels;
  private final int shares;
  private final int shareLength;
  private final int step;

  /**
   * A left operand and its result.
   *
   * @param a [m, length], transposed
   * @param out [m, n]
   * @param sums float32 [m], the sums of a over its length, or null
   */
  record Part(MatrixView a, MatrixView out, StoredVector sums) {}

  private OuterMatMul(int m, int n, int length, MatrixView b, List<Part> parts) {
    this.m = m;
    this.n = n;
    this.length = length;
    this.b = b;
    this.parts = parts;
    int tiles = MatMul.ceilDiv(m, Tile.ROWS);
    taskTiles = MatMul.ceilDiv(tiles, even(MatMul.ceilDiv(tiles, BLOCK_TILES)));
    rowGroups = MatMul.ceilDiv(tiles, taskTiles);
    int panels = Panels.count(n);
    taskPanels = MatMul.ceilDiv(panels, even(MatMul.ceilDiv(panels, BLOCK_PANELS)));
    panelGroups = MatMul.ceilDiv(panels, taskPanels);
    int wanted = MatMul.ceilDiv(ENOUGH_TASKS, rowGroups * panelGroups);
    int most = MatMul.ceilDiv(length, Tile.K_MAX);
    int steps = MatMul.ceilDiv(most, Math.min(wanted, most));
    shares = MatMul.ceilDiv(most, steps);
    shareLength = MatMul.ceilDiv(length, shares);
    step = MatMul.ceilDiv(shareLength, MatMul.ceilDiv(shareLength, Tile.K_MAX));
  }

  /** The next power of two: as many tasks for each thread, if threads are two, four or eight. */
  private static int even(int groups) {
    return groups == 1 ? 1 : Integer.highestOneBit(groups - 1) << 1;
  }

  /** Whether this is the faster way for {@code a^T [m, length]} and {@code b^T [n, length]}. */
  static boolean fits(int length, MatrixView a, MatrixView b, Epilogue epilogue) {
    return length >= ENOUGH_LENGTH
        && a.rowStride() == 1
        && b.rowStride() == 1
        && a.dtype() == DType.F32
        && b.dtype() == DType.F32
        // Vector loads from mapped files are not safe; see Widen.
        && !a.segment().isMapped()
        && !b.segment().isMapped()
        && epilogue.isPlain()
        && epilogue.bias() == null;
  }

  /**
   * Products with one right operand, which is loaded once for all of them. Operands are as {@link
   * MatMul#run} has them: a [m, length] and b [n, length], transposed.
   */
  static void run(Workers workers, int m, int n, int length, MatrixView b, List<Part> parts) {
    OuterMatMul product = new OuterMatMul(m, n, length, b, parts);
    product.run(workers);
  }

  private void run(Workers workers) {
    MemorySegment sums =
        workers.shared().segment(0, shareOffset(shares == 1 ? 0 : parts.size(), 0));
    int blocks = rowGroups * panelGroups;
    workers.parallelFor(
        shares * blocks, (t, scratch) -> task(t / blocks, t % blocks, sums, scratch));
    for (int i = 0; i < parts.size(); i++) {
      Part part = parts.get(i);
      if (shares > 1) {
        Sums.shares(workers, sums.asSlice(shareOffset(i, 0)), shares, m, n, part.out);
      }
      if (part.sums != null) {
        MatrixView to = MatrixView.f32(part.sums.segment(), part.sums.byteOffset(), m);
        Sums.shares(workers, sums.asSlice(sumsOffset(i, 0)), shares, 1, m, to);
      }
    }
  }

  /** Where a share of the sums of a part's left operand is. */
  private long sumsOffset(int part, int share) {
    return 4L * (part * shares + share) * m;
  }

  /** Where a share of a part's result is, if there are several. */
  private long shareOffset(int part, int share) {
    return sumsOffset(parts.size(), 0) + 4L * (part * shares + share) * m * n;
  }

  /** Not a multiple of a page, so that the panels a row is spread over do not collide. */
  private long panelBytes() {
    return 4L * (step + 3) * Tile.WIDTH;
  }

  private void task(int share, int block, MemorySegment sums, Scratch scratch) {
    int row0 = block / panelGroups * taskTiles * Tile.ROWS;
    int rows = Math.min(taskTiles * Tile.ROWS, m - row0);
    int tiles = MatMul.ceilDiv(rows, Tile.ROWS);
    int first = block % panelGroups * taskPanels;
    int last = Math.min(Panels.count(n), first + taskPanels);
    int spill = MatMul.ceilDiv(Tile.ROWS, Simd.LANES) * Simd.LANES;
    int tileSize = step * Tile.ROWS + spill;
    float[] x = scratch.floats(0, tiles * tileSize);
    int partSize = (last - first) * tiles * TILE;
    float[] c = scratch.floats(1, parts.size() * partSize);
    float[] columnSums = scratch.floats(2, parts.size() * tiles * spill);
    Arrays.fill(columnSums, 0, parts.size() * tiles * spill, 0f);
    long panelBytes = panelBytes();
    MemorySegment panels = scratch.segment(0, (last - first) * panelBytes);
    int from = share * shareLength;
    int end = Math.min(length, from + shareLength);
    for (int k0 = from; k0 < end; k0 += step) {
      int count = Math.min(step, end - k0);
      loadPanels(k0, count, first, last, panels);
      for (int i = 0; i < parts.size(); i++) {
        MatrixView a = parts.get(i).a;
        loadTiles(a, k0, count, row0, rows, x, tileSize, spill, columnSums, i * tiles * spill);
        multiply(x, tileSize, tiles, count, first, last, panels, k0 == from, c, i * partSize);
      }
    }
    for (int i = 0; i < parts.size(); i++) {
      MatrixView to =
          shares == 1 ? parts.get(i).out : MatrixView.f32(sums, shareOffset(i, share), n);
      store(c, i * partSize, row0, rows, tiles, first, last, to);
      if (parts.get(i).sums != null && first == 0) {
        for (int t = 0; t < tiles; t++) {
          int columns = Math.min(Tile.ROWS, rows - t * Tile.ROWS);
          long at = sumsOffset(i, share) + 4L * (row0 + t * Tile.ROWS);
          Copies.write(columnSums, (i * tiles + t) * spill, sums, at, columns);
        }
      }
    }
  }

  /** Goes on with the sums of the tiles' products with the panels. */
  private void multiply(
      float[] x,
      int tileSize,
      int tiles,
      int count,
      int first,
      int last,
      MemorySegment panels,
      boolean begin,
      float[] c,
      int to) {
    for (int p = first; p < last; p++) {
      int vectors = Panels.vectors(p, n);
      long panel = (p - first) * panelBytes();
      for (int t = 0; t < tiles; t++) {
        int at = to + ((p - first) * tiles + t) * TILE;
        float[] z = begin ? Tile.ZEROS : c;
        int zo = begin ? 0 : at;
        Tile.columns(vectors, x, t * tileSize, Tile.ROWS, count, panels, panel, z, zo, c, at);
      }
    }
  }

  private void store(
      float[] c, int from, int row0, int rows, int tiles, int first, int last, MatrixView to) {
    for (int p = first; p < last; p++) {
      int width = Panels.vectors(p, n) * Simd.LANES;
      int columns = Math.min(width, n - p * Tile.WIDTH);
      for (int r = 0; r < rows; r++) {
        int at = from + ((p - first) * tiles + r / Tile.ROWS) * TILE + r % Tile.ROWS * width;
        store(c, at, columns, to.segment(), to.at(row0 + r, p * Tile.WIDTH));
      }
    }
  }

  /**
   * {@code columns} elements of {@code count} rows of a, cut into tiles, row by row as they lie in
   * memory. The last tile goes on with whatever is beside them, or zeros: nobody reads its results.
   * What is loaded is added to {@code sums}, {@code spill} elements for a tile.
   */
  private void loadTiles(
      MatrixView a,
      int k0,
      int count,
      int column,
      int columns,
      float[] x,
      int tileSize,
      int spill,
      float[] sums,
      int so) {
    int tiles = MatMul.ceilDiv(columns, Tile.ROWS);
    long from = a.at(column, k0);
    long rowBytes = a.at(column, k0 + 1L) - from;
    long read = 4L * ((tiles - 1) * Tile.ROWS + spill);
    // Vectors of the last rows may reach over the memory's end.
    long whole = (a.segment().byteSize() - from - read + rowBytes) / rowBytes;
    int fast = (int) Math.clamp(whole, 0, count) / ROWS_AT_ONCE * ROWS_AT_ONCE;
    copyTiles(a.segment(), from, rowBytes, fast, tiles, x, tileSize, sums, so, spill);
    for (int i = fast; i < count; i++) {
      for (int t = 0; t < tiles; t++) {
        int to = t * tileSize + i * Tile.ROWS;
        int n = Math.min(Tile.ROWS, columns - t * Tile.ROWS);
        long at = from + i * rowBytes + 4L * t * Tile.ROWS;
        MemorySegment.copy(a.segment(), FLOAT, at, x, to, n);
        Arrays.fill(x, to + n, to + Tile.ROWS, 0f);
        for (int j = 0; j < n; j++) {
          sums[so + t * spill + j] += x[to + j];
        }
      }
    }
  }

  /** Vectors are longer than a tile's row: what is too much is overwritten with the next row. */
  private static void copyTiles(
      MemorySegment a,
      long from,
      long rowBytes,
      int count,
      int tiles,
      float[] x,
      int tileSize,
      float[] sums,
      int so,
      int spill) {
    for (int i = 0; i < count; i += ROWS_AT_ONCE) {
      for (int t = 0; t < tiles; t++) {
        for (int j = spill - Simd.LANES; j >= 0; j -= Simd.LANES) {
          long element = from + 4L * (Tile.ROWS * t + j);
          FloatVector r0 = load(a, element);
          FloatVector r1 = load(a, element + rowBytes);
          FloatVector r2 = load(a, element + 2 * rowBytes);
          FloatVector r3 = load(a, element + 3 * rowBytes);
          int at = t * tileSize + i * Tile.ROWS + j;
          r0.intoArray(x, at);
          r1.intoArray(x, at + Tile.ROWS);
          r2.intoArray(x, at + 2 * Tile.ROWS);
          r3.intoArray(x, at + 3 * Tile.ROWS);
          int s = so + t * spill + j;
          FloatVector sum = FloatVector.fromArray(Simd.F, sums, s);
          sum.add(r0.add(r1).add(r2.add(r3))).intoArray(sums, s);
        }
      }
      from += ROWS_AT_ONCE * rowBytes;
    }
  }

  private static FloatVector load(MemorySegment a, long at) {
    return FloatVector.fromMemorySegment(Simd.F, a, at, Simd.LE);
  }

  private void loadPanels(int k0, int count, int first, int last, MemorySegment panels) {
    long from = b.at(first * Tile.WIDTH, k0);
    long rowBytes = b.at(first * Tile.WIDTH, k0 + 1L) - from;
    long panelBytes = panelBytes();
    int whole = Math.min(last, n / Tile.WIDTH) - first;
    Panels.copy(b.segment(), from, rowBytes, count, whole, panels, panelBytes);
    if (whole < last - first) {
      long part = from + 4L * whole * Tile.WIDTH;
      int columns = n - (first + whole) * Tile.WIDTH;
      long width = 4L * Panels.vectors(last - 1, n) * Simd.LANES;
      for (int i = 0; i < count; i++) {
        long to = whole * panelBytes + i * width;
        MemorySegment.copy(b.segment(), part + i * rowBytes, panels, to, 4L * columns);
        panels.asSlice(to + 4L * columns, width - 4L * columns).fill((byte) 0);
      }
    }
  }

  private static void store(float[] c, int at, int columns, MemorySegment to, long offset) {
    int i = 0;
    for (; i <= columns - Simd.LANES; i += Simd.LANES) {
      FloatVector.fromArray(Simd.F, c, at + i).intoMemorySegment(to, offset + 4L * i, Simd.LE);
    }
    for (; i < columns; i++) {
      to.set(FLOAT, offset + 4L * i, c[at + i]);
    }
  }
}
