package org.rectiflow.engine.cpu.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/**
 * A convolution as the product of its weights [O, I * kh * kw] with what every output position
 * sees, of which only a panel of two to six vectors of positions and at most {@link Tile#K_MAX}
 * elements of the sum exists at a time.
 *
 * <p>Weights are widened once a call, the rows of a tile side by side, and shared. A task takes
 * some panels of consecutive positions and, where there are few positions, a part of the channels.
 * Sums run over the elements of a weight's row in their stored order, one rounding a step.
 *
 * <p>Memory beside operands and result: the widened weights; for each thread {@value #TASK_PANELS}
 * panels, and where there are several blocks of them their results for at most all channels, and at
 * most {@link Tile#K_MAX} channels of the picture's rows that a task needs.
 */
final class DirectConv {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(Simd.LE);

  /** Panels of a task: enough to repay reading weights from the second level cache. */
  private static final int TASK_PANELS = 16;

  /** The same for three output channels: a task reads rows of the picture above and below too. */
  private static final int LOW_TASK_PANELS = 48;

  private static final int ENOUGH_TASKS = 16;

  /** Largest sum in one go with one tap: sums kept between two parts would cost more. */
  private static final int POINTWISE_K = 512;

  /** Bytes of the first level cache for a panel and weights that are used again. */
  private static final int NEAR = 44 << 10;

  private final Convolution conv;
  private final Conv2d.Shape s;
  private final int outWidth;
  private final int positions;
  private final int taps;

  /** Whether every output sees one pixel, its own. */
  private final boolean pointwise;

  /** Rows of a tile. */
  private final int rows;

  /** Vectors of a panel. */
  private final int panelVectors;

  private final int panelWidth;
  private final int tiles;
  private final int taskTiles;
  private final int tileGroups;
  private final int taskPanels;
  private final int panelGroups;

  /** Input channels whose products are added in one go. */
  private final int channelStep;

  private final int blocks;

  DirectConv(Convolution conv) {
    this.conv = conv;
    s = conv.shape();
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
            && !conv.x().segment().isMapped();
    blocks = MatMul.ceilDiv(s.inChannels(), pointwise ? POINTWISE_K : Tile.K_MAX / taps);
    channelStep = MatMul.ceilDiv(s.inChannels(), blocks);
    rows = LowTile.rows(s.outChannels());
    panelVectors = LowTile.vectors(rows);
    panelWidth = panelVectors * Simd.LANES;
    int panels = MatMul.ceilDiv(positions, panelWidth);
    panelGroups = MatMul.ceilDiv(panels, rows == 3 ? LOW_TASK_PANELS : TASK_PANELS);
    taskPanels = MatMul.ceilDiv(panels, panelGroups);
    tiles = MatMul.ceilDiv(s.outChannels(), rows);
    int groups = 1;
    while (s.batch() * panelGroups * groups < ENOUGH_TASKS && MatMul.ceilDiv(tiles, groups) > 4) {
      groups++;
    }
    taskTiles = MatMul.ceilDiv(tiles, groups);
    tileGroups = MatMul.ceilDiv(tiles, taskTiles);
  }

  void run(Workers workers) {
    float[] weights = workers.shared().floats(0, block(blocks, 0));
    workers.parallelFor(tiles, (t, scratch) -> widen(t, weights, scratch));
    int groups = panelGroups * tileGroups;
    workers.parallelFor(
        s.batch() * groups,
        (t, scratch) ->
            task(
                t / groups, t % groups / tileGroups, t % tileGroups * taskTiles, weights, scratch));
  }

  private int block(int block, int tile) {
    return (block * tiles + tile) * rows * channelStep * taps;
  }

  /** Weights of a tile in blocks of some input channels, the tile's rows side by side. */
  private void widen(int tile, float[] to, Scratch scratch) {
    StoredVector w = conv.w();
    int bytes = w.dtype().bits() / 8;
    float[] row = scratch.floats(0, channelStep * taps);
    for (int block = 0; block < blocks; block++) {
      int c0 = block * channelStep;
      int kc = Math.min(channelStep, s.inChannels() - c0) * taps;
      int at = block(block, tile);
      for (int r = 0; r < rows; r++) {
        int o = tile * rows + r;
        if (o < s.outChannels()) {
          long from = ((long) o * s.inChannels() + c0) * taps * bytes;
          Widen.run(w.segment(), w.byteOffset() + from, w.dtype(), kc, row, 0, scratch);
        } else {
          Arrays.fill(row, 0, kc, 0f);
        }
        interleave(row, kc, to, at + r, rows);
      }
    }
  }

  private static void interleave(float[] row, int count, float[] to, int at, int step) {
    for (int k = 0; k < count; k++) {
      to[at + k * step] = row[k];
    }
  }

  private void task(int b, int panelGroup, int tile0, float[] weights, Scratch scratch) {
    int first = panelGroup * taskPanels * panelWidth;
    int end = Math.min(positions, first + taskPanels * panelWidth);
    int panels = MatMul.ceilDiv(end - first, panelWidth);
    int tileCount = Math.min(taskTiles, tiles - tile0);
    int y0 = first / outWidth;
    int lines = (end - 1) / outWidth - y0 + 1;
    int x0 = lines == 1 ? first % outWidth : 0;
    int columns = lines == 1 ? end - first : outWidth;
    PaddedInput input =
        new PaddedInput(
            s,
            s.stride(),
            lines + (s.kernelHeight() - 1) / s.stride(),
            columns + (s.kernelWidth() - 1) / s.stride());
    // Lanes beyond a row's last position read and write too far.
    float[] strip =
        scratch.floats(2, pointwise ? 0 : channelStep * input.channelSize() + panelWidth);
    // Not a multiple of a page, so that panels copied together do not collide in the cache.
    long panelBytes = 4L * (channelStep * taps + 3) * panelWidth;
    MemorySegment packed = scratch.segment(0, panels * panelBytes);
    int[] offsets = scratch.ints(taps);
    for (int tap = 0; tap < taps; tap++) {
      offsets[tap] = input.offset(tap / s.kernelWidth(), tap % s.kernelWidth());
    }
    int[] starts = new int[panelWidth];
    int tileSize = rows * panelWidth;
    float[] c = scratch.floats(1, blocks == 1 ? 0 : panels * tileCount * tileSize);
    float[] result = scratch.floats(6, tileSize);
    float[] biases = conv.biases(tile0 * rows, tileCount * rows, scratch);
    for (int block = 0; block < blocks; block++) {
      boolean last = block == blocks - 1;
      int c0 = block * channelStep;
      int count = Math.min(channelStep, s.inChannels() - c0);
      if (!pointwise) {
        int top = y0 * s.stride() - s.padTop();
        int left = x0 * s.stride() - s.padLeft();
        int needed = (lines - 1) * s.stride() + s.kernelHeight();
        input.load(conv.x(), b, c0, count, top, left, needed, strip, scratch);
      }
      int from = first - y0 * outWidth - x0;
      boolean unpacked = unpacked(input, from, end - first, columns, starts);
      if (pointwise) {
        packPlanes(b, c0, count, first, end - first, packed, panelBytes);
      } else if (!unpacked) {
        for (int p = 0; p < panels; p++) {
          int lanes = Math.min(panelWidth, end - first - p * panelWidth);
          int at = from + p * panelWidth;
          MemorySegment panel = packed.asSlice(p * panelBytes, panelBytes);
          pack(input, strip, count, offsets, at, lanes, vectors(lanes), columns, starts, panel);
        }
      }
      // Results of a channel are stored side by side, one tile's while the next is being computed.
      int kc = count * taps;
      int near = Math.max(1, (NEAR / 4 - kc * panelWidth) / (kc * rows));
      for (int t0 = 0; t0 < tileCount; t0 += near) {
        for (int p = 0; p < panels; p++) {
          int lanes = Math.min(panelWidth, end - first - p * panelWidth);
          if (unpacked) {
            vectorStarts(input, from + p * panelWidth, panelVectors, columns, starts);
          }
          for (int t = t0; t < Math.min(tileCount, t0 + near); t++) {
            int at = (t * panels + p) * tileSize;
            float[] z = block == 0 ? Tile.ZEROS : c;
            int zo = block == 0 ? 0 : at;
            float[] to = last ? result : c;
            int co = last ? 0 : at;
            int wo = block(block, tile0 + t);
            if (unpacked) {
              int size = input.channelSize();
              LowTile.unpacked(
                  weights, wo, count, strip, size, offsets, taps, starts, z, zo, to, co);
            } else {
              multiply(vectors(lanes), weights, wo, kc, packed, p * panelBytes, z, zo, to, co);
            }
            if (last) {
              int channels = Math.min(rows, s.outChannels() - (tile0 + t) * rows);
              long channel = (long) b * s.outChannels() + (tile0 + t) * rows;
              long out = 4 * (channel * positions + first + p * panelWidth);
              store(result, channels, biases, t * rows, out, lanes, scratch);
            }
          }
        }
      }
    }
  }

  /** Vectors of a panel that has so many positions. */
  private int vectors(int lanes) {
    return panelVectors == 2 && lanes <= Simd.LANES ? 1 : panelVectors;
  }

  /** Whether a tile reads the picture's rows where they are: with few rows, packing is dear. */
  private boolean unpacked(PaddedInput input, int from, int count, int columns, int[] starts) {
    if (rows != 3 || !LowTile.readsUnpacked() || pointwise || count % panelWidth != 0) {
      return false;
    }
    for (int done = 0; done < count; done += panelWidth) {
      if (!vectorStarts(input, from + done, panelVectors, columns, starts)) {
        return false;
      }
    }
    return true;
  }

  private void multiply(
      int vectors,
      float[] weights,
      int wo,
      int kc,
      MemorySegment packed,
      long panel,
      float[] z,
      int zo,
      float[] c,
      int co) {
    if (rows == Tile.ROWS) {
      Tile.columns(vectors, weights, wo, Tile.ROWS, kc, packed, panel, z, zo, c, co);
    } else {
      LowTile.columns(rows, weights, wo, kc, packed, panel, z, zo, c, co);
    }
  }

  /**
   * What {@code lanes} positions from {@code from} on see in some channels, as a panel.
   *
   * @param columns positions in a row
   * @param starts space for as many integers
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
      int[] starts,
      MemorySegment panel) {
    int channelSize = input.channelSize();
    if (lanes == vectors * Simd.LANES && vectorStarts(input, from, vectors, columns, starts)) {
      for (int v = 0; v < vectors; v += 3) {
        long to = 4L * v * Simd.LANES;
        if (vectors == 1) {
          pack1(strip, starts[0], offsets, taps, channelSize, count, panel);
        } else if (vectors == 2) {
          pack2(strip, starts[0], starts[1], offsets, taps, channelSize, count, panel);
        } else {
          pack3(strip, starts, v, offsets, taps, channelSize, count, panel, to, vectors);
        }
      }
      return;
    }
    int pieces = 0;
    int[] lengths = new int[lanes];
    for (int done = 0; done < lanes; done += lengths[pieces++]) {
      int y = (from + done) / columns;
      int x0 = (from + done) % columns;
      starts[pieces] = y * input.planeWidth() + x0;
      lengths[pieces] = Math.min(columns - x0, lanes - done);
    }
    int width = vectors * Simd.LANES;
    if (columns <= Simd.LANES) {
      packShort(
          strip, starts, lengths, pieces, offsets, taps, channelSize, count, panel, 4L * width);
      return;
    }
    long to = 0;
    for (int ch = 0; ch < count; ch++) {
      for (int tap = 0; tap < taps; tap++) {
        int base = ch * channelSize + offsets[tap];
        copyPieces(strip, base, starts, lengths, pieces, panel, to);
        to += 4L * width;
      }
    }
  }

  /** Where the vectors of a panel begin in a channel; false if one of them spans two rows. */
  private static boolean vectorStarts(
      PaddedInput input, int from, int vectors, int columns, int[] starts) {
    for (int v = 0; v < vectors; v++) {
      int y = (from + v * Simd.LANES) / columns;
      int x0 = (from + v * Simd.LANES) % columns;
      if (x0 + Simd.LANES > columns) {
        return false;
      }
      starts[v] = y * input.planeWidth() + x0;
    }
    return true;
  }

  private static void pack1(
      float[] strip,
      int start,
      int[] offsets,
      int taps,
      int channelSize,
      int count,
      MemorySegment panel) {
    long to = 0;
    for (int ch = 0; ch < count; ch++) {
      for (int tap = 0; tap < taps; tap++) {
        int from = ch * channelSize + offsets[tap] + start;
        FloatVector.fromArray(Simd.F, strip, from).intoMemorySegment(panel, to, Simd.LE);
        to += 4L * Simd.LANES;
      }
    }
  }

  private static void pack2(
      float[] strip,
      int start0,
      int start1,
      int[] offsets,
      int taps,
      int channelSize,
      int count,
      MemorySegment panel) {
    long to = 0;
    for (int ch = 0; ch < count; ch++) {
      for (int tap = 0; tap < taps; tap++) {
        int from = ch * channelSize + offsets[tap];
        FloatVector.fromArray(Simd.F, strip, from + start0).intoMemorySegment(panel, to, Simd.LE);
        FloatVector.fromArray(Simd.F, strip, from + start1)
            .intoMemorySegment(panel, to + 4L * Simd.LANES, Simd.LE);
        to += 8L * Simd.LANES;
      }
    }
  }

  /** Three of a panel's vectors. */
  private static void pack3(
      float[] strip,
      int[] starts,
      int v,
      int[] offsets,
      int taps,
      int channelSize,
      int count,
      MemorySegment panel,
      long to,
      int vectors) {
    int start0 = starts[v];
    int start1 = starts[v + 1];
    int start2 = starts[v + 2];
    for (int ch = 0; ch < count; ch++) {
      for (int tap = 0; tap < taps; tap++) {
        int from = ch * channelSize + offsets[tap];
        FloatVector.fromArray(Simd.F, strip, from + start0).intoMemorySegment(panel, to, Simd.LE);
        FloatVector.fromArray(Simd.F, strip, from + start1)
            .intoMemorySegment(panel, to + 4L * Simd.LANES, Simd.LE);
        FloatVector.fromArray(Simd.F, strip, from + start2)
            .intoMemorySegment(panel, to + 8L * Simd.LANES, Simd.LE);
        to += 4L * vectors * Simd.LANES;
      }
    }
  }

  /** Rows no longer than a vector. What is too much is overwritten by what is copied next. */
  private static void packShort(
      float[] strip,
      int[] starts,
      int[] lengths,
      int pieces,
      int[] offsets,
      int taps,
      int channelSize,
      int count,
      MemorySegment panel,
      long step) {
    long row = 0;
    for (int ch = 0; ch < count; ch++) {
      for (int tap = 0; tap < taps; tap++) {
        int from = ch * channelSize + offsets[tap];
        long to = row;
        for (int piece = 0; piece < pieces; piece++) {
          FloatVector.fromArray(Simd.F, strip, from + starts[piece])
              .intoMemorySegment(panel, to, Simd.LE);
          to += 4L * lengths[piece];
        }
        row += step;
      }
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

  /** Panels of a convolution with one tap: pieces of the picture's planes. */
  private void packPlanes(
      int b, int c0, int count, int first, int wanted, MemorySegment to, long panelBytes) {
    MemorySegment x = conv.x().segment();
    long plane = ((long) b * s.inChannels() + c0) * positions + first;
    long from = conv.x().byteOffset() + 4 * plane;
    int together = panelVectors == 2 ? wanted / panelWidth : 0;
    // Channels are so far apart that what the processor reads ahead of one is gone from the cache
    // when all others come first.
    // Four at a time, so that what comes first of them, which takes longest, comes together.
    long step = 4L * positions;
    int fours = count - count % 4;
    copyFours(x, from, step, fours, together, to, panelBytes);
    for (int ch = fours; ch < count; ch++) {
      MemorySegment rest = to.asSlice(4L * ch * panelWidth);
      Panels.copy(x, from + ch * step, step, 1, together, rest, panelBytes);
    }
    for (int p = together; p * panelWidth < wanted; p++) {
      int lanes = Math.min(panelWidth, wanted - p * panelWidth);
      int vectors = vectors(lanes);
      long at = p * panelBytes;
      long part = from + 4L * p * panelWidth;
      if (lanes == vectors * Simd.LANES) {
        copyPlanes(x, part, step, count, vectors, to, at);
        continue;
      }
      for (int ch = 0; ch < count; ch++) {
        long row = at + 4L * ch * vectors * Simd.LANES;
        MemorySegment.copy(x, part + ch * step, to, row, 4L * lanes);
      }
    }
  }

  /** {@link Panels#copy} with four rows, as far apart as channels are, side by side. */
  private static void copyFours(
      MemorySegment x, long from, long step, int rows, int panels, MemorySegment to, long size) {
    long second = 4L * Simd.LANES;
    long width = 2 * second;
    for (int i = 0; i < rows; i += 4) {
      long a = from + i * step;
      long b = a + step;
      long c = b + step;
      long d = c + step;
      long at = i * width;
      for (int p = 0; p < panels; p++) {
        FloatVector a0 = FloatVector.fromMemorySegment(Simd.F, x, a, Simd.LE);
        FloatVector a1 = FloatVector.fromMemorySegment(Simd.F, x, a + second, Simd.LE);
        FloatVector b0 = FloatVector.fromMemorySegment(Simd.F, x, b, Simd.LE);
        FloatVector b1 = FloatVector.fromMemorySegment(Simd.F, x, b + second, Simd.LE);
        FloatVector c0 = FloatVector.fromMemorySegment(Simd.F, x, c, Simd.LE);
        FloatVector c1 = FloatVector.fromMemorySegment(Simd.F, x, c + second, Simd.LE);
        FloatVector d0 = FloatVector.fromMemorySegment(Simd.F, x, d, Simd.LE);
        FloatVector d1 = FloatVector.fromMemorySegment(Simd.F, x, d + second, Simd.LE);
        a0.intoMemorySegment(to, at, Simd.LE);
        a1.intoMemorySegment(to, at + second, Simd.LE);
        b0.intoMemorySegment(to, at + width, Simd.LE);
        b1.intoMemorySegment(to, at + width + second, Simd.LE);
        c0.intoMemorySegment(to, at + 2 * width, Simd.LE);
        c1.intoMemorySegment(to, at + 2 * width + second, Simd.LE);
        d0.intoMemorySegment(to, at + 3 * width, Simd.LE);
        d1.intoMemorySegment(to, at + 3 * width + second, Simd.LE);
        a += width;
        b += width;
        c += width;
        d += width;
        at += size;
      }
    }
  }

  private static void copyPlanes(
      MemorySegment x, long from, long step, int count, int vectors, MemorySegment to, long at) {
    for (int ch = 0; ch < count; ch++) {
      for (int v = 0; v < vectors; v++) {
        FloatVector.fromMemorySegment(Simd.F, x, from + 4L * v * Simd.LANES, Simd.LE)
            .intoMemorySegment(to, at, Simd.LE);
        at += 4L * Simd.LANES;
      }
      from += step;
    }
  }

  /**
   * The result of a tile.
   *
   * @param bias index of the first channel's bias
   * @param to where the first channel's positions begin in the result
   * @param lanes how many positions there are
   */
  private void store(
      float[] c, int channels, float[] biases, int bias, long to, int lanes, Scratch scratch) {
    StoredVector residual = conv.residual();
    StoredVector out = conv.out();
    if (plain() && lanes == panelWidth) {
      long at = out.byteOffset() + to;
      if (residual == null) {
        storeTile(c, channels, lanes, biases, bias, out.segment(), at, 4L * positions);
      } else {
        long from = residual.byteOffset() + to - at;
        addTile(
            c,
            channels,
            lanes,
            biases,
            bias,
            residual.segment(),
            from,
            out.segment(),
            at,
            4L * positions);
      }
      return;
    }
    int width = vectors(lanes) * Simd.LANES;
    float[] y = scratch.floats(3, 2 * panelWidth);
    for (int r = 0; r < channels; r++) {
      for (int i = 0; i < width; i++) {
        y[i] = c[r * width + i] + biases[bias + r];
      }
      VectorMath.apply(conv.activation(), y, 0, width);
      long offset = to + 4L * r * positions;
      if (residual != null) {
        MemorySegment.copy(
            residual.segment(), FLOAT, residual.byteOffset() + offset, y, panelWidth, lanes);
        for (int i = 0; i < lanes; i++) {
          y[i] += y[panelWidth + i];
        }
      }
      Copies.write(y, 0, out.segment(), out.byteOffset() + offset, lanes);
    }
  }

  /** Vector loads from mapped files are not safe; see {@link Widen}. */
  private boolean plain() {
    StoredVector residual = conv.residual();
    return conv.activation() == Activation.NONE
        && (residual == null || !residual.segment().isMapped());
  }

  private static void storeTile(
      float[] c,
      int channels,
      int width,
      float[] biases,
      int bias,
      MemorySegment out,
      long to,
      long step) {
    int vectors = width / Simd.LANES;
    for (int r = 0; r < channels; r++) {
      FloatVector b = FloatVector.broadcast(Simd.F, biases[bias + r]);
      int at = r * width;
      FloatVector.fromArray(Simd.F, c, at).add(b).intoMemorySegment(out, to, Simd.LE);
      FloatVector.fromArray(Simd.F, c, at + Simd.LANES)
          .add(b)
          .intoMemorySegment(out, to + 4L * Simd.LANES, Simd.LE);
      for (int v = 2; v < vectors; v++) {
        FloatVector.fromArray(Simd.F, c, at + v * Simd.LANES)
            .add(b)
            .intoMemorySegment(out, to + 4L * v * Simd.LANES, Simd.LE);
      }
      to += step;
    }
  }

  /**
   * @param from distance of the residual's elements from those of the result
   */
  private static void addTile(
      float[] c,
      int channels,
      int width,
      float[] biases,
      int bias,
      MemorySegment residual,
      long from,
      MemorySegment out,
      long to,
      long step) {
    for (int r = 0; r < channels; r++) {
      FloatVector b = FloatVector.broadcast(Simd.F, biases[bias + r]);
      for (int i = 0; i < width; i += Simd.LANES) {
        FloatVector.fromArray(Simd.F, c, r * width + i)
            .add(b)
            .add(FloatVector.fromMemorySegment(Simd.F, residual, from + to + 4L * i, Simd.LE))
            .intoMemorySegment(out, to + 4L * i, Simd.LE);
      }
      to += step;
    }
  }
}
