package org.rectiflow.engine.cpu.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/**
 * Derivative of a convolution by its weights: {@code dw[o, i, ky, kx] = sum over pictures and
 * outputs p of dy[o, p] x[i, p + (ky, kx)]}.
 *
 * <p>Vector lanes are neighbouring outputs. The padded input and dy, with zeros between its rows,
 * lie with rows of the same length, so that a tap of the kernel is an offset and nothing is
 * unfolded or transposed. A tile keeps the sums of some output channels and six taps in registers
 * while it walks along the outputs. Tasks take blocks of channels and a share of the pictures;
 * shares are added up in order.
 */
final class ConvWeightGrad {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(Simd.LE);
  private static final int L = Simd.LANES;
  private static final boolean MANY_REGISTERS = Tile.ROWS == 13;

  /** Output channels of a tile: with the taps 24 sums for 32 registers, 12 for 16. */
  private static final int ROWS = MANY_REGISTERS ? 4 : 2;

  /** Taps of a tile. */
  private static final int TAPS = 6;

  /** Taps of a task: enough to repay copying dy, few enough for the level 2 cache. */
  private static final int TASK_TAPS = 72;

  /** Output channels of a task. */
  private static final int TASK_ROWS = 64;

  /** Outputs of a channel that are worked on at a time. */
  private static final int BAND = 2048;

  private static final int ENOUGH_TASKS = 8;

  private final Conv2d.Shape s;
  private final StoredVector x;
  private final StoredVector dy;
  private final PaddedInput part;
  private final int kernel;
  private final int bandRows;
  private final int bands;
  private final int channels;
  private final int channelGroups;
  private final int rowGroups;
  private final int shares;

  private ConvWeightGrad(Conv2d.Shape s, StoredVector x, StoredVector dy) {
    this.s = s;
    this.x = x;
    this.dy = dy;
    kernel = s.kernelHeight() * s.kernelWidth();
    int width = s.outWidth() + (s.kernelWidth() - 1) / s.stride();
    int most = Math.clamp(BAND / width, 1, s.outHeight());
    bandRows = MatMul.ceilDiv(s.outHeight(), MatMul.ceilDiv(s.outHeight(), most));
    bands = MatMul.ceilDiv(s.outHeight(), bandRows);
    part = new PaddedInput(s, s.stride(), bandRows + (s.kernelHeight() - 1) / s.stride(), width);
    channels = Math.min(s.inChannels(), MatMul.ceilDiv(TASK_TAPS, kernel));
    channelGroups = MatMul.ceilDiv(s.inChannels(), channels);
    rowGroups = MatMul.ceilDiv(s.outChannels(), TASK_ROWS);
    shares = Math.min(s.batch() * bands, MatMul.ceilDiv(ENOUGH_TASKS, channelGroups * rowGroups));
  }

  /**
   * @param s sizes of the forward convolution, without upsampling
   * @param x float32 [N, I, H, W]
   * @param dy float32 [N, O, outHeight, outWidth]
   * @param dw float32 [O, I, kh, kw]
   */
  static void run(
      Workers workers, Conv2d.Shape s, StoredVector x, StoredVector dy, StoredVector dw) {
    ConvWeightGrad grad = new ConvWeightGrad(s, x, dy);
    int taps = s.inChannels() * grad.kernel;
    int shares = grad.shares;
    long size = 4L * s.outChannels() * taps;
    StoredVector sums =
        shares == 1 ? dw : StoredVector.f32(workers.shared().segment(3, shares * size), 0);
    int blocks = grad.channelGroups * grad.rowGroups;
    workers.parallelFor(
        shares * blocks,
        (t, scratch) -> grad.task(t / blocks, t % blocks, sums, t / blocks * size, scratch));
    if (shares > 1) {
      MatrixView out = MatrixView.f32(dw.segment(), dw.byteOffset(), taps);
      Sums.shares(workers, sums.segment(), shares, s.outChannels(), taps, out);
    }
  }

  private void task(int share, int block, StoredVector sums, long offset, Scratch scratch) {
    int c0 = block % channelGroups * channels;
    int count = Math.min(channels, s.inChannels() - c0);
    int o0 = block / channelGroups * TASK_ROWS;
    int rows = Math.min(TASK_ROWS, s.outChannels() - o0);
    int rowTiles = MatMul.ceilDiv(rows, ROWS);
    int tapTiles = MatMul.ceilDiv(count * kernel, TAPS);
    int[] taps = taps(count, tapTiles, scratch);
    int tile = ROWS * TAPS * L;
    float[] c = scratch.floats(2, rowTiles * tapTiles * tile);
    Arrays.fill(c, 0, rowTiles * tapTiles * tile, 0f);
    // The last vectors reach over the last channel's end, where dy is zero.
    int size = count * part.channelSize();
    float[] xs = scratch.floats(0, size + L);
    int stride = positions(bandRows) + L;
    float[] dys = scratch.floats(1, rowTiles * ROWS * stride);
    int items = s.batch() * bands;
    int end = (int) ((share + 1L) * items / shares);
    for (int item = (int) ((long) share * items / shares); item < end; item++) {
      int b = item / bands;
      int first = item % bands * bandRows;
      int outputs = Math.min(bandRows, s.outHeight() - first);
      int top = first * s.stride() - s.padTop();
      int lines = part.planeHeight() * part.step();
      part.load(x, b, c0, count, top, -s.padLeft(), lines, xs, scratch);
      Arrays.fill(xs, size, size + L, 0f);
      load(b, o0, rows, rowTiles * ROWS, first, outputs, dys, stride);
      int length = positions(outputs);
      for (int r = 0; r < rowTiles; r++) {
        for (int t = 0; t < tapTiles; t++) {
          int at = (r * tapTiles + t) * tile;
          tile(dys, r * ROWS * stride, stride, xs, taps, t * TAPS, length, c, at);
        }
      }
    }
    MemorySegment to = sums.segment();
    for (int r = 0; r < rows; r++) {
      long row = sums.byteOffset() + offset + 4L * ((o0 + r) * s.inChannels() + c0) * kernel;
      for (int t = 0; t < count * kernel; t++) {
        int at = ((r / ROWS * tapTiles + t / TAPS) * ROWS + r % ROWS) * TAPS + t % TAPS;
        to.set(FLOAT, row + 4L * t, Sums.total(FloatVector.fromArray(Simd.F, c, at * L)));
      }
    }
  }

  /**
   * Where each tap begins to read; the last one again where a tile has more taps than there are.
   */
  private int[] taps(int count, int tiles, Scratch scratch) {
    int[] taps = scratch.ints(tiles * TAPS);
    for (int t = 0; t < tiles * TAPS; t++) {
      int tap = Math.min(t, count * kernel - 1);
      int y = tap % kernel / s.kernelWidth();
      taps[t] = tap / kernel * part.channelSize() + part.offset(y, tap % s.kernelWidth());
    }
    return taps;
  }

  /** Positions of some rows of outputs with what is between them, whole vectors. */
  private int positions(int rows) {
    return MatMul.ceilDiv((rows - 1) * part.planeWidth() + s.outWidth(), L) * L;
  }

  /** Rows of dy as far apart as those of the input, zeros between and after them. */
  private void load(
      int b, int o0, int rows, int allRows, int first, int outputs, float[] to, int stride) {
    int width = s.outWidth();
    int apart = part.planeWidth();
    Arrays.fill(to, rows * stride, allRows * stride, 0f);
    for (int r = 0; r < rows; r++) {
      long from =
          dy.byteOffset()
              + 4L * ((((long) b * s.outChannels() + o0 + r) * s.outHeight() + first) * width);
      int at = r * stride;
      int end = at + positions(outputs);
      for (int i = 0; i < outputs; i++) {
        MemorySegment.copy(dy.segment(), FLOAT, from + 4L * i * width, to, at, width);
        Arrays.fill(to, at + width, Math.min(at + apart, end), 0f);
        at += apart;
      }
      if (at < end) {
        Arrays.fill(to, at, end, 0f);
      }
    }
  }

  private static void tile(
      float[] dy, int d, int stride, float[] x, int[] taps, int t, int length, float[] c, int at) {
    if (MANY_REGISTERS) {
      tile4(dy, d, stride, x, taps, t, length, c, at);
    } else {
      tile2(dy, d, stride, x, taps, t, length, c, at);
    }
  }

  private static void tile4(
      float[] dy, int d, int stride, float[] x, int[] taps, int t, int length, float[] c, int at) {
    int d1 = d + stride;
    int d2 = d + 2 * stride;
    int d3 = d + 3 * stride;
    int x0 = taps[t];
    int x1 = taps[t + 1];
    int x2 = taps[t + 2];
    int x3 = taps[t + 3];
    int x4 = taps[t + 4];
    int x5 = taps[t + 5];
    FloatVector c00 = FloatVector.fromArray(Simd.F, c, at);
    FloatVector c01 = FloatVector.fromArray(Simd.F, c, at + L);
    FloatVector c02 = FloatVector.fromArray(Simd.F, c, at + 2 * L);
    FloatVector c03 = FloatVector.fromArray(Simd.F, c, at + 3 * L);
    FloatVector c04 = FloatVector.fromArray(Simd.F, c, at + 4 * L);
    FloatVector c05 = FloatVector.fromArray(Simd.F, c, at + 5 * L);
    FloatVector c10 = FloatVector.fromArray(Simd.F, c, at + 6 * L);
    FloatVector c11 = FloatVector.fromArray(Simd.F, c, at + 7 * L);
    FloatVector c12 = FloatVector.fromArray(Simd.F, c, at + 8 * L);
    FloatVector c13 = FloatVector.fromArray(Simd.F, c, at + 9 * L);
    FloatVector c14 = FloatVector.fromArray(Simd.F, c, at + 10 * L);
    FloatVector c15 = FloatVector.fromArray(Simd.F, c, at + 11 * L);
    FloatVector c20 = FloatVector.fromArray(Simd.F, c, at + 12 * L);
    FloatVector c21 = FloatVector.fromArray(Simd.F, c, at + 13 * L);
    FloatVector c22 = FloatVector.fromArray(Simd.F, c, at + 14 * L);
    FloatVector c23 = FloatVector.fromArray(Simd.F, c, at + 15 * L);
    FloatVector c24 = FloatVector.fromArray(Simd.F, c, at + 16 * L);
    FloatVector c25 = FloatVector.fromArray(Simd.F, c, at + 17 * L);
    FloatVector c30 = FloatVector.fromArray(Simd.F, c, at + 18 * L);
    FloatVector c31 = FloatVector.fromArray(Simd.F, c, at + 19 * L);
    FloatVector c32 = FloatVector.fromArray(Simd.F, c, at + 20 * L);
    FloatVector c33 = FloatVector.fromArray(Simd.F, c, at + 21 * L);
    FloatVector c34 = FloatVector.fromArray(Simd.F, c, at + 22 * L);
    FloatVector c35 = FloatVector.fromArray(Simd.F, c, at + 23 * L);
    for (int p = 0; p < length; p += L) {
      FloatVector y0 = FloatVector.fromArray(Simd.F, dy, d + p);
      FloatVector y1 = FloatVector.fromArray(Simd.F, dy, d1 + p);
      FloatVector y2 = FloatVector.fromArray(Simd.F, dy, d2 + p);
      FloatVector y3 = FloatVector.fromArray(Simd.F, dy, d3 + p);
      FloatVector v;
      v = FloatVector.fromArray(Simd.F, x, x0 + p);
      c00 = y0.fma(v, c00);
      c10 = y1.fma(v, c10);
      c20 = y2.fma(v, c20);
      c30 = y3.fma(v, c30);
      v = FloatVector.fromArray(Simd.F, x, x1 + p);
      c01 = y0.fma(v, c01);
      c11 = y1.fma(v, c11);
      c21 = y2.fma(v, c21);
      c31 = y3.fma(v, c31);
      v = FloatVector.fromArray(Simd.F, x, x2 + p);
      c02 = y0.fma(v, c02);
      c12 = y1.fma(v, c12);
      c22 = y2.fma(v, c22);
      c32 = y3.fma(v, c32);
      v = FloatVector.fromArray(Simd.F, x, x3 + p);
      c03 = y0.fma(v, c03);
      c13 = y1.fma(v, c13);
      c23 = y2.fma(v, c23);
      c33 = y3.fma(v, c33);
      v = FloatVector.fromArray(Simd.F, x, x4 + p);
      c04 = y0.fma(v, c04);
      c14 = y1.fma(v, c14);
      c24 = y2.fma(v, c24);
      c34 = y3.fma(v, c34);
      v = FloatVector.fromArray(Simd.F, x, x5 + p);
      c05 = y0.fma(v, c05);
      c15 = y1.fma(v, c15);
      c25 = y2.fma(v, c25);
      c35 = y3.fma(v, c35);
    }
    c00.intoArray(c, at);
    c01.intoArray(c, at + L);
    c02.intoArray(c, at + 2 * L);
    c03.intoArray(c, at + 3 * L);
    c04.intoArray(c, at + 4 * L);
    c05.intoArray(c, at + 5 * L);
    c10.intoArray(c, at + 6 * L);
    c11.intoArray(c, at + 7 * L);
    c12.intoArray(c, at + 8 * L);
    c13.intoArray(c, at + 9 * L);
    c14.intoArray(c, at + 10 * L);
    c15.intoArray(c, at + 11 * L);
    c20.intoArray(c, at + 12 * L);
    c21.intoArray(c, at + 13 * L);
    c22.intoArray(c, at + 14 * L);
    c23.intoArray(c, at + 15 * L);
    c24.intoArray(c, at + 16 * L);
    c25.intoArray(c, at + 17 * L);
    c30.intoArray(c, at + 18 * L);
    c31.intoArray(c, at + 19 * L);
    c32.intoArray(c, at + 20 * L);
    c33.intoArray(c, at + 21 * L);
    c34.intoArray(c, at + 22 * L);
    c35.intoArray(c, at + 23 * L);
  }

  private static void tile2(
      float[] dy, int d, int stride, float[] x, int[] taps, int t, int length, float[] c, int at) {
    int d1 = d + stride;
    int x0 = taps[t];
    int x1 = taps[t + 1];
    int x2 = taps[t + 2];
    int x3 = taps[t + 3];
    int x4 = taps[t + 4];
    int x5 = taps[t + 5];
    FloatVector c00 = FloatVector.fromArray(Simd.F, c, at);
    FloatVector c01 = FloatVector.fromArray(Simd.F, c, at + L);
    FloatVector c02 = FloatVector.fromArray(Simd.F, c, at + 2 * L);
    FloatVector c03 = FloatVector.fromArray(Simd.F, c, at + 3 * L);
    FloatVector c04 = FloatVector.fromArray(Simd.F, c, at + 4 * L);
    FloatVector c05 = FloatVector.fromArray(Simd.F, c, at + 5 * L);
    FloatVector c10 = FloatVector.fromArray(Simd.F, c, at + 6 * L);
    FloatVector c11 = FloatVector.fromArray(Simd.F, c, at + 7 * L);
    FloatVector c12 = FloatVector.fromArray(Simd.F, c, at + 8 * L);
    FloatVector c13 = FloatVector.fromArray(Simd.F, c, at + 9 * L);
    FloatVector c14 = FloatVector.fromArray(Simd.F, c, at + 10 * L);
    FloatVector c15 = FloatVector.fromArray(Simd.F, c, at + 11 * L);
    for (int p = 0; p < length; p += L) {
      FloatVector y0 = FloatVector.fromArray(Simd.F, dy, d + p);
      FloatVector y1 = FloatVector.fromArray(Simd.F, dy, d1 + p);
      FloatVector v;
      v = FloatVector.fromArray(Simd.F, x, x0 + p);
      c00 = y0.fma(v, c00);
      c10 = y1.fma(v, c10);
      v = FloatVector.fromArray(Simd.F, x, x1 + p);
      c01 = y0.fma(v, c01);
      c11 = y1.fma(v, c11);
      v = FloatVector.fromArray(Simd.F, x, x2 + p);
      c02 = y0.fma(v, c02);
      c12 = y1.fma(v, c12);
      v = FloatVector.fromArray(Simd.F, x, x3 + p);
      c03 = y0.fma(v, c03);
      c13 = y1.fma(v, c13);
      v = FloatVector.fromArray(Simd.F, x, x4 + p);
      c04 = y0.fma(v, c04);
      c14 = y1.fma(v, c14);
      v = FloatVector.fromArray(Simd.F, x, x5 + p);
      c05 = y0.fma(v, c05);
      c15 = y1.fma(v, c15);
    }
    c00.intoArray(c, at);
    c01.intoArray(c, at + L);
    c02.intoArray(c, at + 2 * L);
    c03.intoArray(c, at + 3 * L);
    c04.intoArray(c, at + 4 * L);
    c05.intoArray(c, at + 5 * L);
    c10.intoArray(c, at + 6 * L);
    c11.intoArray(c, at + 7 * L);
    c12.intoArray(c, at + 8 * L);
    c13.intoArray(c, at + 9 * L);
    c14.intoArray(c, at + 10 * L);
    c15.intoArray(c, at + 11 * L);
  }
}
