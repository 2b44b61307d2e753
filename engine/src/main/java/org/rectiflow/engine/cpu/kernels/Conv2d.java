package org.rectiflow.engine.cpu.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import org.rectiflow.safetensors.DType;

/**
 * Two-dimensional convolution (cross-correlation, as everywhere in deep learning) of NCHW
 * activations by implicit matrix multiplication: nothing of the size of the picture is rearranged.
 *
 * <p>A task takes a small rectangle of the output. The input it needs is copied with its zero
 * padding into a buffer, split by the stride into planes so that every tap of the kernel reads
 * consecutive elements. Output positions, counted along the padded rows of that buffer, are the
 * vector lanes; a tap is then a mere offset, and the weights [O, I, kh, kw] are broadcast in their
 * stored order. Results at positions in the padding are dropped.
 */
public final class Conv2d {
  /**
   * Sizes of a convolution.
   *
   * @param batch N
   * @param inChannels I
   * @param height rows of the input as stored
   * @param width columns of the input as stored
   * @param outChannels O
   * @param kernelHeight kh
   * @param kernelWidth kw
   * @param stride step between outputs in both directions
   * @param padTop rows of zeros above
   * @param padLeft columns of zeros to the left
   * @param padBottom rows of zeros below
   * @param padRight columns of zeros to the right
   * @param upsample 1, or 2 to double the input first (nearest neighbour)
   */
  public record Shape(
      int batch,
      int inChannels,
      int height,
      int width,
      int outChannels,
      int kernelHeight,
      int kernelWidth,
      int stride,
      int padTop,
      int padLeft,
      int padBottom,
      int padRight,
      int upsample) {
    /** Checks the sizes. */
    public Shape {
      if (batch < 1
          || inChannels < 1
          || height < 1
          || width < 1
          || outChannels < 1
          || kernelHeight < 1
          || kernelWidth < 1
          || stride < 1
          || padTop < 0
          || padLeft < 0
          || padBottom < 0
          || padRight < 0
          || upsample < 1) {
        throw new IllegalArgumentException(
            "convolution needs sizes, stride and upsampling of at least 1 and padding of at least 0, found batch "
                + batch
                + ", channels "
                + inChannels
                + " -> "
                + outChannels
                + ", input "
                + height
                + "x"
                + width
                + ", kernel "
                + kernelHeight
                + "x"
                + kernelWidth
                + ", stride "
                + stride
                + ", padding "
                + padTop
                + ","
                + padLeft
                + ","
                + padBottom
                + ","
                + padRight
                + ", upsample "
                + upsample);
      }
      if (height * upsample + padTop + padBottom < kernelHeight
          || width * upsample + padLeft + padRight < kernelWidth) {
        throw new IllegalArgumentException(
            "convolution kernel "
                + kernelHeight
                + "x"
                + kernelWidth
                + " is larger than the padded input "
                + (height * upsample + padTop + padBottom)
                + "x"
                + (width * upsample + padLeft + padRight));
      }
    }

    /** A convolution with the same padding on all sides. */
    public static Shape of(
        int batch,
        int inChannels,
        int height,
        int width,
        int outChannels,
        int kernel,
        int stride,
        int pad) {
      return new Shape(
          batch,
          inChannels,
          height,
          width,
          outChannels,
          kernel,
          kernel,
          stride,
          pad,
          pad,
          pad,
          pad,
          1);
    }

    /** The same after doubling the input. */
    public Shape upsampled(int factor) {
      return new Shape(
          batch,
          inChannels,
          height,
          width,
          outChannels,
          kernelHeight,
          kernelWidth,
          stride,
          padTop,
          padLeft,
          padBottom,
          padRight,
          factor);
    }

    /** Rows of the output. */
    public int outHeight() {
      return (height * upsample + padTop + padBottom - kernelHeight) / stride + 1;
    }

    /** Columns of the output. */
    public int outWidth() {
      return (width * upsample + padLeft + padRight - kernelWidth) / stride + 1;
    }
  }

  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT.withOrder(Simd.LE);

  /** Output positions of a task, roughly: enough to amortise widening the weights. */
  private static final int TASK_POSITIONS = 512;

  private static final int TASK_WIDTH = 128;

  private Conv2d() {}

  /**
   * Computes {@code out = activation(conv(x, w) + bias) + residual}.
   *
   * @param x float32 [N, I, H, W], contiguous, at a byte offset
   * @param w weights [O, I, kh, kw] in F32, F16, BF16, F8_E4M3 or F8_E5M2
   * @param bias O elements, or null
   * @param residual float32 with the shape of the result, or null; may be the memory of {@code out}
   * @param out float32 [N, O, outHeight, outWidth], not overlapping {@code x}
   */
  public static void run(
      Workers workers,
      Shape shape,
      StoredVector x,
      StoredVector w,
      StoredVector bias,
      Activation activation,
      StoredVector residual,
      StoredVector out) {
    Widen.check(w.dtype());
    if (bias != null) {
      Widen.check(bias.dtype());
    }
    if (x.dtype() != DType.F32
        || out.dtype() != DType.F32
        || (residual != null && residual.dtype() != DType.F32)) {
      throw new IllegalArgumentException("convolution needs F32 activations");
    }
    new Call(shape, x, w, bias, activation, residual, out).run(workers);
  }

  private static final class Call {
    private final Shape s;
    private final StoredVector x;
    private final StoredVector w;
    private final StoredVector bias;
    private final Activation activation;
    private final StoredVector residual;
    private final StoredVector out;
    private final int outHeight;
    private final int outWidth;
    private final int taskHeight;
    private final int taskWidth;
    private final int tilesY;
    private final int tilesX;

    /** Columns of a plane, the distance between rows of output positions. */
    private final int planeWidth;

    private final int planeHeight;
    private final int planes;

    /** Elements of one input channel in the buffer. */
    private final int channelSize;

    private final int taps;
    private final int channelStep;
    private final int groupTiles;
    private final int channelGroups;

    Call(
        Shape s,
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
      outHeight = s.outHeight();
      outWidth = s.outWidth();
      tilesX = MatMul.ceilDiv(outWidth, TASK_WIDTH);
      taskWidth = MatMul.ceilDiv(outWidth, tilesX);
      int rows = Math.clamp(TASK_POSITIONS / taskWidth, 1, outHeight);
      tilesY = MatMul.ceilDiv(outHeight, rows);
      taskHeight = MatMul.ceilDiv(outHeight, tilesY);
      planeWidth = taskWidth + (s.kernelWidth() - 1) / s.stride();
      planeHeight = taskHeight + (s.kernelHeight() - 1) / s.stride();
      planes = s.stride() * s.stride();
      channelSize = planes * planeHeight * planeWidth;
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
      int blocks = MatMul.ceilDiv(s.inChannels(), Tile.K_MAX / taps);
      channelStep = MatMul.ceilDiv(s.inChannels(), blocks);
      int tiles = MatMul.ceilDiv(s.outChannels(), Tile.ROWS);
      int groups = 1;
      while (s.batch() * tilesY * tilesX * groups < 16 && MatMul.ceilDiv(tiles, groups) > 4) {
        groups++;
      }
      groupTiles = MatMul.ceilDiv(tiles, groups);
      channelGroups = MatMul.ceilDiv(tiles, groupTiles);
    }

    void run(Workers workers) {
      int rectangles = tilesY * tilesX;
      workers.parallelFor(
          s.batch() * rectangles * channelGroups,
          (t, scratch) -> {
            int group = t % channelGroups;
            int rectangle = t / channelGroups;
            task(
                rectangle / rectangles,
                (rectangle % rectangles) / tilesX * taskHeight,
                rectangle % tilesX * taskWidth,
                group * groupTiles * Tile.ROWS,
                scratch);
          });
    }

    private void task(int b, int y0, int x0, int o0, Scratch scratch) {
      int rows = Math.min(taskHeight, outHeight - y0);
      int columns = Math.min(taskWidth, outWidth - x0);
      int positions = (rows - 1) * planeWidth + columns;
      int panels = Panels.count(positions);
      int channels = Math.min(groupTiles * Tile.ROWS, s.outChannels() - o0);
      int tiles = MatMul.ceilDiv(channels, Tile.ROWS);
      int panelSize = tiles * Tile.ROWS * Tile.WIDTH;
      float[] c = scratch.floats(1, panels * panelSize);
      float[] weights = scratch.floats(0, Tile.ROWS * Tile.ROW_STRIDE);
      // Lanes beyond the last position read past the buffer's used part.
      MemorySegment input = scratch.segment(0, 4L * (channelStep * channelSize + 2 * Tile.WIDTH));
      int[] offsets = scratch.ints(channelStep * taps);
      tapOffsets(offsets);
      for (int c0 = 0; c0 < s.inChannels(); c0 += channelStep) {
        int count = Math.min(channelStep, s.inChannels() - c0);
        load(b, c0, count, y0, x0, input, scratch);
        int kc = count * taps;
        for (int t = 0; t < tiles; t++) {
          widen(
              o0 + t * Tile.ROWS,
              Math.min(Tile.ROWS, channels - t * Tile.ROWS),
              c0,
              kc,
              weights,
              scratch);
          for (int p = 0; p < panels; p++) {
            int vectors = Panels.vectors(p, positions);
            Tile.taps(
                vectors,
                weights,
                0,
                kc,
                input,
                4L * p * Tile.WIDTH,
                offsets,
                c0 == 0 ? Tile.ZEROS : c,
                c0 == 0 ? 0 : p * panelSize + t * Tile.ROWS * vectors * Simd.LANES,
                c,
                p * panelSize + t * Tile.ROWS * vectors * Simd.LANES);
          }
        }
      }
      store(b, y0, x0, o0, rows, columns, positions, channels, panelSize, c, scratch);
    }

    private void tapOffsets(int[] offsets) {
      int i = 0;
      for (int ch = 0; ch < channelStep; ch++) {
        for (int ky = 0; ky < s.kernelHeight(); ky++) {
          for (int kx = 0; kx < s.kernelWidth(); kx++) {
            int plane = (ky % s.stride()) * s.stride() + kx % s.stride();
            offsets[i++] =
                ch * channelSize
                    + (plane * planeHeight + ky / s.stride()) * planeWidth
                    + kx / s.stride();
          }
        }
      }
    }

    private void widen(int o, int rows, int c0, int kc, float[] to, Scratch scratch) {
      int bytes = w.dtype().bits() / 8;
      for (int r = 0; r < rows; r++) {
        long at = ((long) (o + r) * s.inChannels() + c0) * taps;
        Widen.run(
            w.segment(),
            w.byteOffset() + at * bytes,
            w.dtype(),
            kc,
            to,
            r * Tile.ROW_STRIDE,
            scratch);
      }
      for (int r = rows; r < Tile.ROWS; r++) {
        Arrays.fill(to, r * Tile.ROW_STRIDE, r * Tile.ROW_STRIDE + kc, 0f);
      }
    }

    /**
     * Copies the input a rectangle of the output needs, with padding, upsampling and the split by
     * stride.
     */
    private void load(int b, int c0, int count, int y0, int x0, MemorySegment to, Scratch scratch) {
      int wide = planeWidth * s.stride();
      float[] line = scratch.floats(2, wide + s.width());
      int height = s.height() * s.upsample();
      for (int ch = 0; ch < count; ch++) {
        long channel = ((long) b * s.inChannels() + c0 + ch) * s.height();
        for (int i = 0; i < planeHeight * s.stride(); i++) {
          int y = y0 * s.stride() + i - s.padTop();
          boolean inside = y >= 0 && y < height;
          int py = i % s.stride();
          long at =
              ((long) ch * channelSize
                      + ((long) py * s.stride() * planeHeight + i / s.stride()) * planeWidth)
                  * 4;
          int left = x0 * s.stride() - s.padLeft();
          if (inside) {
            line((channel + y / s.upsample()) * s.width(), left, wide, line);
          } else {
            Arrays.fill(line, 0, wide, 0f);
          }
          split(line, to, at);
        }
      }
    }

    /**
     * Fills {@code line[0..wide)} with columns {@code left..} of the (upsampled) row that starts at
     * element {@code row}.
     */
    private void line(long row, int left, int wide, float[] line) {
      int width = s.width() * s.upsample();
      int from = Math.clamp(-(long) left, 0, wide);
      int end = Math.clamp((long) width - left, from, wide);
      Arrays.fill(line, 0, from, 0f);
      Arrays.fill(line, end, wide, 0f);
      if (end == from) {
        return;
      }
      if (s.upsample() == 1) {
        MemorySegment.copy(
            x.segment(), FLOAT, x.byteOffset() + 4 * (row + left + from), line, from, end - from);
        return;
      }
      int first = (left + from) / s.upsample();
      int last = (left + end - 1) / s.upsample();
      MemorySegment.copy(
          x.segment(), FLOAT, x.byteOffset() + 4 * (row + first), line, wide, last - first + 1);
      for (int i = from; i < end; i++) {
        line[i] = line[wide + (left + i) / s.upsample() - first];
      }
    }

    private void split(float[] line, MemorySegment to, long at) {
      if (s.stride() == 1) {
        MemorySegment.copy(line, 0, to, FLOAT, at, planeWidth);
        return;
      }
      for (int px = 0; px < s.stride(); px++) {
        long plane = at + 4L * px * planeHeight * planeWidth;
        for (int i = 0; i < planeWidth; i++) {
          to.set(FLOAT, plane + 4L * i, line[i * s.stride() + px]);
        }
      }
    }

    private void store(
        int b,
        int y0,
        int x0,
        int o0,
        int rows,
        int columns,
        int positions,
        int channels,
        int panelSize,
        float[] c,
        Scratch scratch) {
      int panels = Panels.count(positions);
      float[] y = scratch.floats(3, panels * Tile.WIDTH);
      float[] biases = scratch.floats(4, channels);
      float[] old = scratch.floats(5, columns);
      if (bias == null) {
        Arrays.fill(biases, 0, channels, 0f);
      } else {
        int bytes = bias.dtype().bits() / 8;
        Widen.run(
            bias.segment(),
            bias.byteOffset() + (long) o0 * bytes,
            bias.dtype(),
            channels,
            biases,
            0,
            scratch);
      }
      for (int o = 0; o < channels; o++) {
        for (int p = 0; p < panels; p++) {
          int width = Panels.vectors(p, positions) * Simd.LANES;
          addBias(c, p * panelSize + o * width, width, biases[o], y, p * Tile.WIDTH);
        }
        VectorMath.apply(activation, y, 0, panels * Tile.WIDTH);
        long at = ((long) b * s.outChannels() + o0 + o) * outHeight;
        for (int r = 0; r < rows; r++) {
          long to = 4 * ((at + y0 + r) * outWidth + x0);
          if (residual != null) {
            MemorySegment.copy(
                residual.segment(), FLOAT, residual.byteOffset() + to, old, 0, columns);
            for (int i = 0; i < columns; i++) {
              y[r * planeWidth + i] += old[i];
            }
          }
          MemorySegment.copy(
              y, r * planeWidth, out.segment(), FLOAT, out.byteOffset() + to, columns);
        }
      }
    }
  }

  private static void addBias(float[] c, int at, int width, float bias, float[] y, int to) {
    for (int i = 0; i < width; i += Simd.LANES) {
      FloatVector.fromArray(Simd.F, c, at + i).add(bias).intoArray(y, to + i);
    }
  }
}
