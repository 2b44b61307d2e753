package org.rectiflow.engine.cpu.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/**
 * A convolution as the product of its weights [O, I * kh * kw] with what every output position
 * sees, of which only a panel of {@link Tile#WIDTH} positions and at most {@link Tile#K_MAX}
 * elements of the sum exists at a time.
 *
 * <p>Weights are widened once a call into the blocks that tiles read, and shared. A task takes some
 * panels of consecutive positions and, where there are few positions, a part of the channels. Sums
 * run over the elements of a weight's row in their stored order, one rounding a step.
 *
 * <p>Memory beside operands and result: the widened weights, up to 1.1 times their float32 size;
 * for each thread {@value #TASK_PANELS} panels of results for at most all channels and at most
 * {@link Tile#K_MAX} channels of the picture's rows that a task needs.
 */
final class DirectConv {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(Simd.LE);

  /** Panels of a task: enough to repay reading weights from the second level cache. */
  private static final int TASK_PANELS = 16;

  private static final int ENOUGH_TASKS = 16;

  private final Conv2d.Shape s;
  private final StoredVector x;
  private final StoredVector w;
  private final StoredVector bias;
  private final Activation activation;
  private final StoredVector residual;
  private final StoredVector out;
  private final int outWidth;
  private final int positions;
  private final int taps;

  /** Whether every output sees one pixel, its own. */
  private final boolean pointwise;

  private final int tiles;
  private final int taskTiles;
  private final int tileGroups;
  private final int taskPanels;
  private final int panelGroups;

  /** Input channels whose products are added in one go. */
  private final int channelStep;

  private final int blocks;

  DirectConv(
      Conv2d.Shape s,
      StoredVector x,
      StoredVector w,
      StoredVector bias,
      Activation activation,
      StoredVector residual,
      StoredVector out) {
    this.s = s;
    this.x = x;
    this.w = w;
    this.bias = bias;
    this.activation = activation;
    this.residual = residual;
    this.out = out;
    outWidth = s.outWidth();
    positions = s.outHeight() * outWidth;
    taps = s.kernelHeight() * s.kernelWidth();
    if (taps > Tile.K_MAX) {
      throw new IllegalArgumentException(
          "convolution kernels have at most "
              + Tile.K_MAX
              + " elements, found "
              + s.kernelHeight()
              + "x"
              + s.kernelWidth());
    }
    pointwise =
        taps == 1
            && s.stride() == 1
            && s.upsample() == 1
            && positions == s.height() * s.width()
            // Vector loads from mapped files are not safe; see Widen.
            && !x.segment().isMapped();
    blocks = MatMul.ceilDiv(s.inChannels(), Tile.K_MAX / taps);
    channelStep = MatMul.ceilDiv(s.inChannels(), blocks);
    int panels = Panels.count(positions);
    panelGroups = MatMul.ceilDiv(panels, TASK_PANELS);
    taskPanels = MatMul.ceilDiv(panels, panelGroups);
    tiles = MatMul.ceilDiv(s.outChannels(), Tile.ROWS);
    int groups = 1;
    while (s.batch() * panelGroups * groups < ENOUGH_TASKS && MatMul.ceilDiv(tiles, groups) > 4) {
      groups++;
    }
    taskTiles = MatMul.ceilDiv(tiles, groups);
    tileGroups = MatMul.ceilDiv(tiles, taskTiles);
  }

  void run(Workers workers) {
    float[] weights = workers.shared().floats(0, blocks * tiles * Tile.ROWS * Tile.ROW_STRIDE);
    workers.parallelFor(tiles, (t, scratch) -> widen(t, weights, scratch));
    int groups = panelGroups * tileGroups;
    workers.parallelFor(
        s.batch() * groups,
        (t, scratch) ->
            task(
                t / groups, t % groups / tileGroups, t % tileGroups * taskTiles, weights, scratch));
  }

  private int block(int block, int tile) {
    return (block * tiles + tile) * Tile.ROWS * Tile.ROW_STRIDE;
  }

  /** Rows of weights in blocks of some input channels. */
  private void widen(int tile, float[] to, Scratch scratch) {
    int bytes = w.dtype().bits() / 8;
    for (int block = 0; block < blocks; block++) {
      int c0 = block * channelStep;
      int kc = Math.min(channelStep, s.inChannels() - c0) * taps;
      for (int r = 0; r < Tile.ROWS; r++) {
        int o = tile * Tile.ROWS + r;
        int at = block(block, tile) + r * Tile.ROW_STRIDE;
        if (o < s.outChannels()) {
          long from = ((long) o * s.inChannels() + c0) * taps * bytes;
          Widen.run(w.segment(), w.byteOffset() + from, w.dtype(), kc, to, at, scratch);
        } else {
          Arrays.fill(to, at, at + kc, 0f);
        }
      }
    }
  }

  private void task(int b, int panelGroup, int tile0, float[] weights, Scratch scratch) {
    int first = panelGroup * taskPanels * Tile.WIDTH;
    int end = Math.min(positions, first + taskPanels * Tile.WIDTH);
    int panels = Panels.count(end - first);
    int tileCount = Math.min(taskTiles, tiles - tile0);
    int y0 = first / outWidth;
    int rows = (end - 1) / outWidth - y0 + 1;
    int x0 = rows == 1 ? first % outWidth : 0;
    int columns = rows == 1 ? end - first : outWidth;
    PaddedInput input =
        new PaddedInput(
            s,
            s.stride(),
            rows + (s.kernelHeight() - 1) / s.stride(),
            columns + (s.kernelWidth() - 1) / s.stride());
    // Lanes beyond a row's last position read and write too far.
    float[] strip =
        scratch.floats(2, pointwise ? 0 : channelStep * input.channelSize() + Tile.WIDTH);
    MemorySegment panel = scratch.segment(0, 4L * (channelStep * taps + 1) * Tile.WIDTH);
    int[] offsets = scratch.ints(taps);
    for (int tap = 0; tap < taps; tap++) {
      offsets[tap] = input.offset(tap / s.kernelWidth(), tap % s.kernelWidth());
    }
    int tileSize = Tile.ROWS * Tile.WIDTH;
    float[] c = scratch.floats(1, blocks == 1 ? 0 : panels * tileCount * tileSize);
    float[] result = scratch.floats(0, tileSize);
    float[] biases = biases(tile0, tileCount, scratch);
    for (int block = 0; block < blocks; block++) {
      int c0 = block * channelStep;
      int count = Math.min(channelStep, s.inChannels() - c0);
      if (!pointwise) {
        input.load(
            x,
            b,
            c0,
            count,
            y0 * s.stride() - s.padTop(),
            x0 * s.stride() - s.padLeft(),
            strip,
            scratch);
      }
      for (int p = 0; p < panels; p++) {
        int position = first + p * Tile.WIDTH;
        int lanes = Math.min(Tile.WIDTH, end - position);
        int vectors = lanes <= Simd.LANES ? 1 : 2;
        if (pointwise) {
          long from = ((long) b * s.inChannels() + c0) * positions + position;
          packPlanes(from, count, lanes, vectors, panel);
        } else {
          int from = position - y0 * outWidth - x0;
          pack(input, strip, count, offsets, from, lanes, vectors, columns, panel);
        }
        boolean last = block == blocks - 1;
        for (int t = 0; t < tileCount; t++) {
          int at = (p * tileCount + t) * tileSize;
          Tile.rows(
              vectors,
              weights,
              block(block, tile0 + t),
              count * taps,
              panel,
              0,
              block == 0 ? Tile.ZEROS : c,
              block == 0 ? 0 : at,
              last ? result : c,
              last ? 0 : at);
          if (last) {
            store(b, tile0 + t, position, lanes, vectors, result, biases, t * Tile.ROWS, scratch);
          }
        }
      }
    }
  }

  private float[] biases(int tile0, int tileCount, Scratch scratch) {
    float[] biases = scratch.floats(5, tileCount * Tile.ROWS);
    int o0 = tile0 * Tile.ROWS;
    int count = Math.min(tileCount * Tile.ROWS, s.outChannels() - o0);
    if (bias == null) {
      Arrays.fill(biases, 0, count, 0f);
    } else {
      long from = bias.byteOffset() + (long) o0 * (bias.dtype().bits() / 8);
      Widen.run(bias.segment(), from, bias.dtype(), count, biases, 0, scratch);
    }
    return biases;
  }

  /**
   * What {@code lanes} positions from {@code from} on see in some channels, as a panel.
   *
   * @param columns positions in a row
   */
  private void pack(
      PaddedInput input,
      float[] strip,
      int count,
      int[] offsets,
      int from,
      int lanes,
      int vectors,
      int columns,
      MemorySegment panel) {
    int row = from / columns;
    int column = from % columns;
    int channelSize = input.channelSize();
    int at = row * input.planeWidth() + column;
    if (lanes == Tile.WIDTH && column + lanes <= columns) {
      for (int ch = 0; ch < count; ch++) {
        packTaps(strip, ch * channelSize + at, offsets, taps, panel, (long) ch * taps);
      }
      return;
    }
    int pieces = 0;
    int[] starts = new int[lanes];
    int[] lengths = new int[lanes];
    for (int done = 0; done < lanes; done += lengths[pieces++]) {
      int y = (from + done) / columns;
      int x0 = (from + done) % columns;
      starts[pieces] = y * input.planeWidth() + x0;
      lengths[pieces] = Math.min(columns - x0, lanes - done);
    }
    long to = 0;
    for (int ch = 0; ch < count; ch++) {
      for (int tap = 0; tap < taps; tap++) {
        int base = ch * channelSize + offsets[tap];
        copyPieces(strip, base, starts, lengths, pieces, panel, to);
        to += 4L * vectors * Simd.LANES;
      }
    }
  }

  private static void packTaps(
      float[] strip, int at, int[] offsets, int taps, MemorySegment panel, long row) {
    long to = 4L * row * Tile.WIDTH;
    for (int tap = 0; tap < taps; tap++) {
      int from = at + offsets[tap];
      FloatVector.fromArray(Simd.F, strip, from).intoMemorySegment(panel, to, Simd.LE);
      FloatVector.fromArray(Simd.F, strip, from + Simd.LANES)
          .intoMemorySegment(panel, to + 4L * Simd.LANES, Simd.LE);
      to += 4L * Tile.WIDTH;
    }
  }

  /** Whole vectors: what is too much is overwritten by what is copied next. */
  private static void copyPieces(
      float[] strip,
      int base,
      int[] starts,
      int[] lengths,
      int pieces,
      MemorySegment panel,
      long to) {
    for (int piece = 0; piece < pieces; piece++) {
      int from = base + starts[piece];
      int count = lengths[piece];
      for (int i = 0; i < count; i += Simd.LANES) {
        FloatVector.fromArray(Simd.F, strip, from + i)
            .intoMemorySegment(panel, to + 4L * i, Simd.LE);
      }
      to += 4L * count;
    }
  }

  /** The panel of a convolution with one tap: pieces of the picture's planes. */
  private void packPlanes(long from, int count, int lanes, int vectors, MemorySegment panel) {
    long at = x.byteOffset() + 4 * from;
    if (lanes == Tile.WIDTH) {
      copyPlanes(x.segment(), at, 4L * positions, count, panel);
      return;
    }
    for (int ch = 0; ch < count; ch++) {
      MemorySegment.copy(
          x.segment(), at + 4L * ch * positions, panel, 4L * ch * vectors * Simd.LANES, 4L * lanes);
    }
  }

  private static void copyPlanes(
      MemorySegment x, long from, long step, int count, MemorySegment panel) {
    for (int ch = 0; ch < count; ch++) {
      long to = 4L * ch * Tile.WIDTH;
      FloatVector.fromMemorySegment(Simd.F, x, from, Simd.LE).intoMemorySegment(panel, to, Simd.LE);
      FloatVector.fromMemorySegment(Simd.F, x, from + 4L * Simd.LANES, Simd.LE)
          .intoMemorySegment(panel, to + 4L * Simd.LANES, Simd.LE);
      from += step;
    }
  }

  private void store(
      int b,
      int tile,
      int position,
      int lanes,
      int vectors,
      float[] c,
      float[] biases,
      int biasAt,
      Scratch scratch) {
    int o = tile * Tile.ROWS;
    int rows = Math.min(Tile.ROWS, s.outChannels() - o);
    long to = 4 * (((long) b * s.outChannels() + o) * positions + position);
    long step = 4L * positions;
    int width = vectors * Simd.LANES;
    if (lanes == width && plain()) {
      if (residual == null) {
        storeRows(c, rows, width, biases, biasAt, out.segment(), out.byteOffset() + to, step);
      } else {
        addRows(
            c,
            rows,
            width,
            biases,
            biasAt,
            residual.segment(),
            residual.byteOffset() + to,
            out.segment(),
            out.byteOffset() + to,
            step);
      }
      return;
    }
    float[] y = scratch.floats(3, 2 * width);
    for (int r = 0; r < rows; r++) {
      for (int i = 0; i < width; i++) {
        y[i] = c[r * width + i] + biases[biasAt + r];
      }
      VectorMath.apply(activation, y, 0, width);
      if (residual != null) {
        long from = residual.byteOffset() + to + r * step;
        MemorySegment.copy(residual.segment(), FLOAT, from, y, width, lanes);
        for (int i = 0; i < lanes; i++) {
          y[i] += y[width + i];
        }
      }
      Copies.write(y, 0, out.segment(), out.byteOffset() + to + r * step, lanes);
    }
  }

  /** Vector loads from mapped files are not safe; see {@link Widen}. */
  private boolean plain() {
    return activation == Activation.NONE && (residual == null || !residual.segment().isMapped());
  }

  private static void storeRows(
      float[] c,
      int rows,
      int width,
      float[] biases,
      int biasAt,
      MemorySegment out,
      long to,
      long step) {
    for (int r = 0; r < rows; r++) {
      FloatVector bias = FloatVector.broadcast(Simd.F, biases[biasAt + r]);
      for (int i = 0; i < width; i += Simd.LANES) {
        FloatVector.fromArray(Simd.F, c, r * width + i)
            .add(bias)
            .intoMemorySegment(out, to + r * step + 4L * i, Simd.LE);
      }
    }
  }

  private static void addRows(
      float[] c,
      int rows,
      int width,
      float[] biases,
      int biasAt,
      MemorySegment residual,
      long from,
      MemorySegment out,
      long to,
      long step) {
    for (int r = 0; r < rows; r++) {
      FloatVector bias = FloatVector.broadcast(Simd.F, biases[biasAt + r]);
      for (int i = 0; i < width; i += Simd.LANES) {
        long offset = r * step + 4L * i;
        FloatVector.fromArray(Simd.F, c, r * width + i)
            .add(bias)
            .add(FloatVector.fromMemorySegment(Simd.F, residual, from + offset, Simd.LE))
            .intoMemorySegment(out, to + offset, Simd.LE);
      }
    }
  }
}
