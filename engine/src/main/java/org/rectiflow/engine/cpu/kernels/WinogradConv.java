package org.rectiflow.engine.cpu.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShuffle;

/**
 * A 3x3 convolution of stride 1 by Winograd's minimal filtering, F(2x2, 3x3) of Lavin and Gray,
 * "Fast Algorithms for Convolutional Neural Networks" (CVPR 2016), section 4.1: 16 products for
 * four outputs instead of 36, all other factors being 1, 1/2 and 1/4. Of a picture that is doubled
 * first, with padding of 1, seven of the 16 transformed inputs are differences of equal pixels, and
 * nine products are left. With stride 2 there are 25, see {@link HalvingTransform}.
 *
 * <p>Squares of 2x2 outputs are the vector lanes, and each of the 16 or 9 points is a product of
 * matrices: transformed weights [O, I] times transformed input [I, squares], with stride 2 up to
 * four of them added up. Weights are transformed once a call and shared. A task takes some vectors
 * of squares, and where there are few of them a part of the channels; it transforms the input for
 * all channels, multiplies for some output channels at a time and transforms the products back
 * while they are in the cache.
 *
 * <p>A transformed pixel or weight has a few more rounding errors, but the sums are nine times
 * shorter: with 128 to 512 channels the errors are about 0.6 times those of {@link DirectConv}.
 *
 * <p>Memory beside operands and result: the transformed weights, 1.8 times their float32 size; for
 * each thread 64 bytes for each input channel and each of {@value #TASK_SQUARES} squares, and the
 * same for {@value #GROUP_TILES} tiles of output channels.
 */
final class WinogradConv {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(Simd.LE);

  /** Squares of a task: enough to repay reading all transformed weights. */
  private static final int TASK_SQUARES = 128;

  /** Tiles of output channels whose products are kept until they are transformed back. */
  private static final int GROUP_TILES = 10;

  private static final int ENOUGH_TASKS = 8;
  private static final int ENOUGH_CHANNELS = 64;

  /** The same for stride 2. */
  private static final int ENOUGH_HALVED = 128;

  /** Channels of the input that are loaded at a time. */
  private static final int LOAD_CHANNELS = 8;

  /** Input channels whose weights are transformed at a time: results stay in the cache. */
  private static final int WEIGHT_CHANNELS = 32;

  private static final int[] PLAIN = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  private static final int[] DOUBLED = {0, 1, -1, 2, 3, 4, -1, 5, -1, -1, -1, -1, 6, 7, -1, 8};
  private static final int TILE = Tile.ROWS * Tile.WIDTH;
  private static final int L = Simd.LANES;
  private static final VectorShuffle<Float> LOW =
      VectorShuffle.fromOp(Simd.F, i -> i % 2 == 0 ? i / 2 : i / 2 - Simd.LANES);
  private static final VectorShuffle<Float> HIGH =
      VectorShuffle.fromOp(
          Simd.F, i -> i % 2 == 0 ? Simd.LANES / 2 + i / 2 : Simd.LANES / 2 + i / 2 - Simd.LANES);

  private final Convolution conv;
  private final Conv2d.Shape s;
  private final int outHeight;
  private final int outWidth;

  /** Whether the picture is doubled so that the two inner pixels of every square are the same. */
  private final boolean doubled;

  private final boolean halving;

  /** What is added up for a square. */
  private final Point[] points;

  /** The point that a transformed input or weight belongs to, by its number; -1 if not needed. */
  private final int[] pointOf;

  /** Which of its point's products it is in. */
  private final int[] placeOf;

  private final int weightCount;

  /** Vectors of squares in a row of squares. */
  private final int rowVectors;

  private final int vectors;
  private final int taskVectors;
  private final int vectorGroups;
  private final int tiles;
  private final int taskTiles;
  private final int tileGroups;

  /**
   * A sum of products.
   *
   * @param depth number of products for each input channel
   * @param blocks parts of the sum, each small enough for one call of the tile
   * @param channelStep input channels of a part
   * @param weights where its weights begin
   */
  private record Point(int depth, int blocks, int channelStep, int weights) {}

  WinogradConv(Convolution conv) {
    this.conv = conv;
    s = conv.shape();
    outHeight = s.outHeight();
    outWidth = s.outWidth();
    doubled = s.upsample() == 2 && s.padTop() == 1 && s.padLeft() == 1;
    halving = s.stride() == 2;
    pointOf = halving ? HalvingTransform.points() : doubled ? DOUBLED : PLAIN;
    placeOf = new int[pointOf.length];
    int[] depths = new int[doubled || halving ? 9 : 16];
    for (int i = 0; i < pointOf.length; i++) {
      if (pointOf[i] >= 0) {
        placeOf[i] = depths[pointOf[i]]++;
      }
    }
    rowVectors = MatMul.ceilDiv(outWidth, 2 * L);
    vectors = MatMul.ceilDiv(outHeight, 2) * rowVectors;
    // With stride 2 rows of the picture between tasks are more, and are read by both.
    boolean twice = halving && (long) s.batch() * vectors * L >= 2L * ENOUGH_TASKS * TASK_SQUARES;
    vectorGroups = MatMul.ceilDiv(vectors, (twice ? 2 : 1) * TASK_SQUARES / L);
    taskVectors = MatMul.ceilDiv(vectors, vectorGroups);
    tiles = MatMul.ceilDiv(s.outChannels(), Tile.ROWS);
    int groups = 1;
    while (s.batch() * vectorGroups * groups < ENOUGH_TASKS && MatMul.ceilDiv(tiles, groups) > 4) {
      groups++;
    }
    taskTiles = MatMul.ceilDiv(tiles, groups);
    tileGroups = MatMul.ceilDiv(tiles, taskTiles);
    points = new Point[depths.length];
    int weights = 0;
    for (int i = 0; i < points.length; i++) {
      int blocks = MatMul.ceilDiv(s.inChannels() * depths[i], Tile.K_MAX);
      int channelStep = MatMul.ceilDiv(s.inChannels(), blocks);
      points[i] = new Point(depths[i], blocks, channelStep, weights);
      weights += blocks * tiles * Tile.ROWS * channelStep * depths[i];
    }
    weightCount = weights;
  }

  /** Whether this way is possible, and so much less work that it is faster. */
  static boolean fits(Conv2d.Shape s) {
    int squares = MatMul.ceilDiv(s.outWidth(), 2);
    int padded = MatMul.ceilDiv(squares, L) * L;
    int enough = s.stride() == 1 ? ENOUGH_CHANNELS : ENOUGH_HALVED;
    return possible(s)
        && s.inChannels() * s.upsample() >= enough
        && s.outChannels() * s.upsample() >= enough
        && 4 * padded <= 5 * squares
        && (long) s.batch() * s.outHeight() * s.outWidth() >= 512;
  }

  /** Whether this way is possible. */
  static boolean possible(Conv2d.Shape s) {
    return s.kernelHeight() == 3
        && s.kernelWidth() == 3
        && (s.stride() == 1 || (s.stride() == 2 && s.upsample() == 1));
  }

  void run(Workers workers) {
    float[] weights = workers.shared().floats(0, weightCount);
    workers.parallelFor(tiles, (t, scratch) -> transformWeights(t, weights, scratch));
    int groups = vectorGroups * tileGroups;
    workers.parallelFor(
        s.batch() * groups,
        (t, scratch) ->
            task(
                t / groups, t % groups / tileGroups, t % tileGroups * taskTiles, weights, scratch));
  }

  private int block(Point point, int block, int tile) {
    int size = Tile.ROWS * point.channelStep * point.depth;
    return point.weights + (block * tiles + tile) * size;
  }

  private void transformWeights(int tile, float[] to, Scratch scratch) {
    StoredVector w = conv.w();
    int in = s.inChannels();
    float[] row = scratch.floats(0, 9 * WEIGHT_CHANNELS);
    float[] transformed = scratch.floats(1, pointOf.length * WEIGHT_CHANNELS);
    for (int c0 = 0; c0 < in; c0 += WEIGHT_CHANNELS) {
      int count = Math.min(WEIGHT_CHANNELS, in - c0);
      for (int r = 0; r < Tile.ROWS; r++) {
        int o = tile * Tile.ROWS + r;
        if (o >= s.outChannels()) {
          Arrays.fill(transformed, 0, pointOf.length * count, 0f);
        } else {
          long from = 9L * (o * in + c0) * (w.dtype().bits() / 8);
          Widen.run(w.segment(), w.byteOffset() + from, w.dtype(), 9 * count, row, 0, scratch);
          if (halving) {
            HalvingTransform.weights(row, count, transformed);
          } else {
            transformRow(row, count, transformed);
          }
        }
        for (int i = 0; i < pointOf.length; i++) {
          if (pointOf[i] >= 0) {
            spread(transformed, i * count, c0, count, i, tile, to, r);
          }
        }
      }
    }
  }

  /** One of the transformed weights, of some channels, to its places. */
  private void spread(
      float[] from, int first, int c0, int count, int i, int tile, float[] to, int row) {
    Point point = points[pointOf[i]];
    int step = Tile.ROWS * point.depth;
    for (int done = 0; done < count; ) {
      int block = (c0 + done) / point.channelStep;
      int inBlock = c0 + done - block * point.channelStep;
      int n = Math.min(count - done, point.channelStep - inBlock);
      int at = block(point, block, tile) + (inBlock * point.depth + placeOf[i]) * Tile.ROWS + row;
      for (int c = 0; c < n; c++) {
        to[at + c * step] = from[first + done + c];
      }
      done += n;
    }
  }

  /** G g G^T for the filters of one output channel, to {@code [point][channel]}. */
  private static void transformRow(float[] row, int in, float[] to) {
    for (int c = 0; c < in; c++) {
      int g = 9 * c;
      for (int j = 0; j < 3; j++) {
        float a = row[g + j];
        float b = row[g + 3 + j];
        float d = row[g + 6 + j];
        // Three columns of G g take the place of the filter.
        to[j * in + c] = a;
        to[(4 + j) * in + c] = 0.5f * (a + b + d);
        to[(8 + j) * in + c] = 0.5f * (a - b + d);
        to[(12 + j) * in + c] = d;
      }
    }
    for (int i = 0; i < 4; i++) {
      int at = 4 * i * in;
      for (int c = 0; c < in; c++) {
        float a = to[at + c];
        float b = to[at + in + c];
        float d = to[at + 2 * in + c];
        to[at + in + c] = 0.5f * (a + b + d);
        to[at + 2 * in + c] = 0.5f * (a - b + d);
        to[at + 3 * in + c] = d;
      }
    }
  }

  private void task(int b, int vectorGroup, int tile0, float[] weights, Scratch scratch) {
    int first = vectorGroup * taskVectors;
    int count = Math.min(taskVectors, vectors - first);
    int panels = MatMul.ceilDiv(count, 2);
    int in = s.inChannels();
    long[] starts = new long[points.length + 1];
    for (int i = 0; i < points.length; i++) {
      // An odd number of cache lines, so that the points of a channel do not share their sets.
      starts[i + 1] = starts[i] + 4L * ((long) panels * Tile.WIDTH * in * points[i].depth + 3 * L);
    }
    MemorySegment input = scratch.segment(0, starts[points.length]);
    transformInput(b, first, count, input, starts, scratch);
    int end = Math.min(tiles, tile0 + taskTiles);
    int groups = MatMul.ceilDiv(end - tile0, GROUP_TILES);
    int step = MatMul.ceilDiv(end - tile0, groups);
    float[] c = scratch.floats(1, points.length * panels * step * TILE);
    float[] y = scratch.floats(3, 6 * L);
    for (int t0 = tile0; t0 < end; t0 += step) {
      int group = Math.min(step, end - t0);
      for (int i = 0; i < points.length; i++) {
        Point point = points[i];
        for (int p = 0; p < panels; p++) {
          int width = Math.min(2, count - 2 * p);
          for (int block = 0; block < point.blocks; block++) {
            int c0 = block * point.channelStep;
            long from = starts[i] + 4L * (p * Tile.WIDTH * in + c0 * width * L) * point.depth;
            for (int t = 0; t < group; t++) {
              int at = ((i * panels + p) * group + t) * TILE;
              Tile.columns(
                  width,
                  weights,
                  block(point, block, t0 + t),
                  Tile.ROWS,
                  Math.min(point.channelStep, in - c0) * point.depth,
                  input,
                  from,
                  block == 0 ? Tile.ZEROS : c,
                  block == 0 ? 0 : at,
                  c,
                  at);
            }
          }
        }
      }
      float[] biases = conv.biases(t0 * Tile.ROWS, group * Tile.ROWS, scratch);
      for (int t = 0; t < group; t++) {
        int rows = Math.min(Tile.ROWS, s.outChannels() - (t0 + t) * Tile.ROWS);
        for (int r = 0; r < rows; r++) {
          for (int v = 0; v < count; v++) {
            int width = Math.min(2, count - v / 2 * 2);
            int at = (v / 2 * group + t) * TILE + (r * width + v % 2) * L;
            if (points.length == 9) {
              transformBack9(c, at, panels * group * TILE, biases[t * Tile.ROWS + r], y);
            } else {
              transformBack16(c, at, panels * group * TILE, biases[t * Tile.ROWS + r], y);
            }
            store(b, (t0 + t) * Tile.ROWS + r, first + v, y);
          }
        }
      }
    }
  }

  /** B^T d B for the squares of a task, to {@code [point][panel][channel][lane]}. */
  private void transformInput(
      int b, int first, int count, MemorySegment to, long[] starts, Scratch scratch) {
    int in = s.inChannels();
    int stride = s.stride();
    int y0 = first / rowVectors;
    int rows = (first + count - 1) / rowVectors - y0 + 1;
    int x0 = rows == 1 ? first % rowVectors : 0;
    int columns = rows == 1 ? count : rowVectors;
    PaddedInput part = new PaddedInput(s, 2 * stride, rows + 1, columns * L + 1);
    int planeWidth = part.planeWidth();
    int plane = part.planeHeight() * planeWidth;
    float[] strip = scratch.floats(2, LOAD_CHANNELS * part.channelSize());
    long[] offsets = new long[pointOf.length];
    long[] steps = new long[pointOf.length];
    for (int c0 = 0; c0 < in; c0 += LOAD_CHANNELS) {
      int channels = Math.min(LOAD_CHANNELS, in - c0);
      int top = 2 * y0 * stride - s.padTop();
      int left = 2 * x0 * L * stride - s.padLeft();
      int lines = (2 * rows - 1) * stride + 3;
      part.load(conv.x(), b, c0, channels, top, left, lines, strip, scratch);
      for (int v = 0; v < count; v++) {
        int row = (first + v) / rowVectors - y0;
        int column = ((first + v) % rowVectors - x0) * L;
        int width = Math.min(2, count - v / 2 * 2);
        long panel = 4L * ((long) v / 2 * Tile.WIDTH * in + (c0 * width + v % 2) * L);
        int at = row * planeWidth + column;
        if (halving) {
          for (int i = 0; i < offsets.length; i++) {
            int depth = points[pointOf[i]].depth;
            long channel = (long) v / 2 * Tile.WIDTH * in + (long) c0 * width * L;
            long place = (placeOf[i] * width + v % 2) * L;
            offsets[i] = starts[pointOf[i]] + 4L * (channel * depth + place);
            steps[i] = 4L * depth * width * L;
          }
        }
        for (int ch = 0; ch < channels; ch++) {
          if (halving) {
            HalvingTransform.input(strip, at, plane, planeWidth, to, offsets, steps);
          } else if (doubled) {
            transform9(strip, at, plane, planeWidth, to, panel, starts[1]);
          } else {
            transform16(strip, at, plane, planeWidth, to, panel, starts[1]);
          }
          at += part.channelSize();
          panel += 4L * width * L;
        }
      }
    }
  }

  private static void transform16(
      float[] d, int at, int plane, int row, MemorySegment to, long offset, long step) {
    FloatVector d00 = FloatVector.fromArray(Simd.F, d, at);
    FloatVector d01 = FloatVector.fromArray(Simd.F, d, at + plane);
    FloatVector d02 = FloatVector.fromArray(Simd.F, d, at + 1);
    FloatVector d03 = FloatVector.fromArray(Simd.F, d, at + plane + 1);
    FloatVector d10 = FloatVector.fromArray(Simd.F, d, at + 2 * plane);
    FloatVector d11 = FloatVector.fromArray(Simd.F, d, at + 3 * plane);
    FloatVector d12 = FloatVector.fromArray(Simd.F, d, at + 2 * plane + 1);
    FloatVector d13 = FloatVector.fromArray(Simd.F, d, at + 3 * plane + 1);
    FloatVector d20 = FloatVector.fromArray(Simd.F, d, at + row);
    FloatVector d21 = FloatVector.fromArray(Simd.F, d, at + plane + row);
    FloatVector d22 = FloatVector.fromArray(Simd.F, d, at + row + 1);
    FloatVector d23 = FloatVector.fromArray(Simd.F, d, at + plane + row + 1);
    FloatVector d30 = FloatVector.fromArray(Simd.F, d, at + 2 * plane + row);
    FloatVector d31 = FloatVector.fromArray(Simd.F, d, at + 3 * plane + row);
    FloatVector d32 = FloatVector.fromArray(Simd.F, d, at + 2 * plane + row + 1);
    FloatVector d33 = FloatVector.fromArray(Simd.F, d, at + 3 * plane + row + 1);
    FloatVector t00 = d00.sub(d20);
    FloatVector t01 = d01.sub(d21);
    FloatVector t02 = d02.sub(d22);
    FloatVector t03 = d03.sub(d23);
    t00.sub(t02).intoMemorySegment(to, offset, Simd.LE);
    t01.add(t02).intoMemorySegment(to, offset + step, Simd.LE);
    t02.sub(t01).intoMemorySegment(to, offset + 2 * step, Simd.LE);
    t01.sub(t03).intoMemorySegment(to, offset + 3 * step, Simd.LE);
    FloatVector t10 = d10.add(d20);
    FloatVector t11 = d11.add(d21);
    FloatVector t12 = d12.add(d22);
    FloatVector t13 = d13.add(d23);
    t10.sub(t12).intoMemorySegment(to, offset + 4 * step, Simd.LE);
    t11.add(t12).intoMemorySegment(to, offset + 5 * step, Simd.LE);
    t12.sub(t11).intoMemorySegment(to, offset + 6 * step, Simd.LE);
    t11.sub(t13).intoMemorySegment(to, offset + 7 * step, Simd.LE);
    FloatVector t20 = d20.sub(d10);
    FloatVector t21 = d21.sub(d11);
    FloatVector t22 = d22.sub(d12);
    FloatVector t23 = d23.sub(d13);
    t20.sub(t22).intoMemorySegment(to, offset + 8 * step, Simd.LE);
    t21.add(t22).intoMemorySegment(to, offset + 9 * step, Simd.LE);
    t22.sub(t21).intoMemorySegment(to, offset + 10 * step, Simd.LE);
    t21.sub(t23).intoMemorySegment(to, offset + 11 * step, Simd.LE);
    FloatVector t30 = d10.sub(d30);
    FloatVector t31 = d11.sub(d31);
    FloatVector t32 = d12.sub(d32);
    FloatVector t33 = d13.sub(d33);
    t30.sub(t32).intoMemorySegment(to, offset + 12 * step, Simd.LE);
    t31.add(t32).intoMemorySegment(to, offset + 13 * step, Simd.LE);
    t32.sub(t31).intoMemorySegment(to, offset + 14 * step, Simd.LE);
    t31.sub(t33).intoMemorySegment(to, offset + 15 * step, Simd.LE);
  }

  /** Without the points at which two equal pixels are subtracted. */
  private static void transform9(
      float[] d, int at, int plane, int row, MemorySegment to, long offset, long step) {
    FloatVector d00 = FloatVector.fromArray(Simd.F, d, at);
    FloatVector d01 = FloatVector.fromArray(Simd.F, d, at + plane);
    FloatVector d02 = FloatVector.fromArray(Simd.F, d, at + 1);
    FloatVector d03 = FloatVector.fromArray(Simd.F, d, at + plane + 1);
    FloatVector d10 = FloatVector.fromArray(Simd.F, d, at + 2 * plane);
    FloatVector d11 = FloatVector.fromArray(Simd.F, d, at + 3 * plane);
    FloatVector d12 = FloatVector.fromArray(Simd.F, d, at + 2 * plane + 1);
    FloatVector d13 = FloatVector.fromArray(Simd.F, d, at + 3 * plane + 1);
    FloatVector d20 = FloatVector.fromArray(Simd.F, d, at + row);
    FloatVector d21 = FloatVector.fromArray(Simd.F, d, at + plane + row);
    FloatVector d22 = FloatVector.fromArray(Simd.F, d, at + row + 1);
    FloatVector d23 = FloatVector.fromArray(Simd.F, d, at + plane + row + 1);
    FloatVector d30 = FloatVector.fromArray(Simd.F, d, at + 2 * plane + row);
    FloatVector d31 = FloatVector.fromArray(Simd.F, d, at + 3 * plane + row);
    FloatVector d32 = FloatVector.fromArray(Simd.F, d, at + 2 * plane + row + 1);
    FloatVector d33 = FloatVector.fromArray(Simd.F, d, at + 3 * plane + row + 1);
    FloatVector t00 = d00.sub(d20);
    FloatVector t01 = d01.sub(d21);
    FloatVector t02 = d02.sub(d22);
    FloatVector t03 = d03.sub(d23);
    t00.sub(t02).intoMemorySegment(to, offset, Simd.LE);
    t01.add(t02).intoMemorySegment(to, offset + step, Simd.LE);
    t01.sub(t03).intoMemorySegment(to, offset + 2 * step, Simd.LE);
    FloatVector t10 = d10.add(d20);
    FloatVector t11 = d11.add(d21);
    FloatVector t12 = d12.add(d22);
    FloatVector t13 = d13.add(d23);
    t10.sub(t12).intoMemorySegment(to, offset + 3 * step, Simd.LE);
    t11.add(t12).intoMemorySegment(to, offset + 4 * step, Simd.LE);
    t11.sub(t13).intoMemorySegment(to, offset + 5 * step, Simd.LE);
    FloatVector t30 = d10.sub(d30);
    FloatVector t31 = d11.sub(d31);
    FloatVector t32 = d12.sub(d32);
    FloatVector t33 = d13.sub(d33);
    t30.sub(t32).intoMemorySegment(to, offset + 6 * step, Simd.LE);
    t31.add(t32).intoMemorySegment(to, offset + 7 * step, Simd.LE);
    t31.sub(t33).intoMemorySegment(to, offset + 8 * step, Simd.LE);
  }

  /** A^T m A + bias for a vector of squares: two rows of 2 * LANES outputs. */
  private static void transformBack16(float[] m, int at, int step, float offset, float[] y) {
    FloatVector bias = FloatVector.broadcast(Simd.F, offset);
    FloatVector m00 = FloatVector.fromArray(Simd.F, m, at);
    FloatVector m01 = FloatVector.fromArray(Simd.F, m, at + step);
    FloatVector m02 = FloatVector.fromArray(Simd.F, m, at + 2 * step);
    FloatVector m03 = FloatVector.fromArray(Simd.F, m, at + 3 * step);
    FloatVector m10 = FloatVector.fromArray(Simd.F, m, at + 4 * step);
    FloatVector m11 = FloatVector.fromArray(Simd.F, m, at + 5 * step);
    FloatVector m12 = FloatVector.fromArray(Simd.F, m, at + 6 * step);
    FloatVector m13 = FloatVector.fromArray(Simd.F, m, at + 7 * step);
    FloatVector m20 = FloatVector.fromArray(Simd.F, m, at + 8 * step);
    FloatVector m21 = FloatVector.fromArray(Simd.F, m, at + 9 * step);
    FloatVector m22 = FloatVector.fromArray(Simd.F, m, at + 10 * step);
    FloatVector m23 = FloatVector.fromArray(Simd.F, m, at + 11 * step);
    FloatVector m30 = FloatVector.fromArray(Simd.F, m, at + 12 * step);
    FloatVector m31 = FloatVector.fromArray(Simd.F, m, at + 13 * step);
    FloatVector m32 = FloatVector.fromArray(Simd.F, m, at + 14 * step);
    FloatVector m33 = FloatVector.fromArray(Simd.F, m, at + 15 * step);
    FloatVector even0 = m00.add(m01).add(m02);
    FloatVector odd0 = m01.sub(m02).sub(m03);
    FloatVector even1 = m10.add(m11).add(m12);
    FloatVector odd1 = m11.sub(m12).sub(m13);
    FloatVector even2 = m20.add(m21).add(m22);
    FloatVector odd2 = m21.sub(m22).sub(m23);
    FloatVector even3 = m30.add(m31).add(m32);
    FloatVector odd3 = m31.sub(m32).sub(m33);
    FloatVector evenTop = even0.add(even1).add(even2).add(bias);
    FloatVector evenBottom = even1.sub(even2).sub(even3).add(bias);
    FloatVector oddTop = odd0.add(odd1).add(odd2).add(bias);
    FloatVector oddBottom = odd1.sub(odd2).sub(odd3).add(bias);
    interleave(evenTop, oddTop, y, 0);
    interleave(evenBottom, oddBottom, y, 2 * L);
  }

  private static void transformBack9(float[] m, int at, int step, float offset, float[] y) {
    FloatVector bias = FloatVector.broadcast(Simd.F, offset);
    FloatVector m00 = FloatVector.fromArray(Simd.F, m, at);
    FloatVector m01 = FloatVector.fromArray(Simd.F, m, at + step);
    FloatVector m03 = FloatVector.fromArray(Simd.F, m, at + 2 * step);
    FloatVector m10 = FloatVector.fromArray(Simd.F, m, at + 3 * step);
    FloatVector m11 = FloatVector.fromArray(Simd.F, m, at + 4 * step);
    FloatVector m13 = FloatVector.fromArray(Simd.F, m, at + 5 * step);
    FloatVector m30 = FloatVector.fromArray(Simd.F, m, at + 6 * step);
    FloatVector m31 = FloatVector.fromArray(Simd.F, m, at + 7 * step);
    FloatVector m33 = FloatVector.fromArray(Simd.F, m, at + 8 * step);
    FloatVector even0 = m00.add(m01);
    FloatVector odd0 = m01.sub(m03);
    FloatVector even1 = m10.add(m11);
    FloatVector odd1 = m11.sub(m13);
    FloatVector even3 = m30.add(m31);
    FloatVector odd3 = m31.sub(m33);
    FloatVector evenTop = even0.add(even1).add(bias);
    FloatVector evenBottom = even1.sub(even3).add(bias);
    FloatVector oddTop = odd0.add(odd1).add(bias);
    FloatVector oddBottom = odd1.sub(odd3).add(bias);
    interleave(evenTop, oddTop, y, 0);
    interleave(evenBottom, oddBottom, y, 2 * L);
  }

  private static void interleave(FloatVector even, FloatVector odd, float[] y, int at) {
    even.rearrange(LOW, odd).intoArray(y, at);
    even.rearrange(HIGH, odd).intoArray(y, at + L);
  }

  /** Two rows of results for vector {@code v} of squares. */
  private void store(int b, int o, int v, float[] y) {
    StoredVector residual = conv.residual();
    StoredVector out = conv.out();
    int row = v / rowVectors * 2;
    int column = v % rowVectors * 2 * L;
    int lanes = Math.min(2 * L, outWidth - column);
    long to = 4 * ((((long) b * s.outChannels() + o) * outHeight + row) * outWidth + column);
    VectorMath.apply(conv.activation(), y, 0, 4 * L);
    for (int i = 0; i < 2 && row + i < outHeight; i++) {
      if (residual != null) {
        read(residual.segment(), residual.byteOffset() + to, y, lanes);
        add(y, i * 2 * L);
      }
      Copies.write(y, i * 2 * L, out.segment(), out.byteOffset() + to, lanes);
      to += 4L * outWidth;
    }
  }

  private static void read(MemorySegment from, long offset, float[] y, int lanes) {
    if (from.isMapped()) {
      MemorySegment.copy(from, FLOAT, offset, y, 4 * L, lanes);
    } else {
      Copies.read(from, offset, y, 4 * L, lanes);
    }
  }

  private static void add(float[] y, int at) {
    for (int i = 0; i < 2 * L; i += L) {
      FloatVector.fromArray(Simd.F, y, at + i)
          .add(FloatVector.fromArray(Simd.F, y, 4 * L + i))
          .intoArray(y, at + i);
    }
  }
}
