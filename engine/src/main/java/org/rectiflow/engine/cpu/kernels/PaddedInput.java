package org.rectiflow.engine.cpu.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShuffle;

/**
 * The part of a picture that some outputs of a convolution need: doubled if the convolution reads a
 * doubled picture, with zeros where it lies outside, and split into {@code step * step} planes, so
 * that outputs {@code step} pixels apart read consecutive elements.
 *
 * <p>Element (y, x) of a channel, counted from the part's upper left corner, lies in plane {@code
 * (y % step) * step + x % step} at row {@code y / step} and column {@code x / step}.
 *
 * @param step distance of neighbouring outputs in the (doubled) picture
 * @param planeHeight rows of a plane
 * @param planeWidth columns of a plane
 */
record PaddedInput(Conv2d.Shape shape, int step, int planeHeight, int planeWidth) {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(Simd.LE);
  private static final VectorShuffle<Float> EVEN =
      VectorShuffle.fromOp(Simd.F, i -> i < Simd.LANES / 2 ? 2 * i : 2 * i - 2 * Simd.LANES);
  private static final VectorShuffle<Float> ODD =
      VectorShuffle.fromOp(
          Simd.F, i -> i < Simd.LANES / 2 ? 2 * i + 1 : 2 * i + 1 - 2 * Simd.LANES);

  /** Elements of a channel. */
  int channelSize() {
    return step * step * planeHeight * planeWidth;
  }

  /** Offset of element (y, x) in its channel. */
  int offset(int y, int x) {
    int plane = y % step * step + x % step;
    return (plane * planeHeight + y / step) * planeWidth + x / step;
  }

  /**
   * Fills {@code to[channel][plane][row][column]} as far as its rows are wanted.
   *
   * @param x float32 [N, I, H, W]
   * @param b picture of the batch
   * @param c0 first channel
   * @param count number of channels
   * @param top row of the doubled picture at which the part begins, may be negative
   * @param left column at which it begins, may be negative
   * @param rows of the doubled picture; what comes after them is left as it was
   */
  void load(
      StoredVector x,
      int b,
      int c0,
      int count,
      int top,
      int left,
      int rows,
      float[] to,
      Scratch scratch) {
    int wide = planeWidth * step;
    int factor = shape.upsample();
    int height = shape.height() * factor;
    int width = shape.width() * factor;
    int from = Math.clamp(-(long) left, 0, wide);
    int end = Math.clamp((long) width - left, from, wide);
    float[] line = scratch.floats(3, 2 * wide);
    float[] stored = scratch.floats(4, shape.width());
    for (int ch = 0; ch < count; ch++) {
      long channel = ((long) b * shape.inChannels() + c0 + ch) * shape.height();
      for (int i = 0; i < rows; i++) {
        int at = ch * channelSize() + offset(i, 0);
        int y = top + i;
        if (y < 0 || y >= height || end == from) {
          for (int px = 0; px < step; px++) {
            int plane = at + px * planeHeight * planeWidth;
            Arrays.fill(to, plane, plane + planeWidth, 0f);
          }
          continue;
        }
        long source = x.byteOffset() + 4 * (channel + y / factor) * shape.width();
        if (step == factor) {
          for (int px = 0; px < step; px++) {
            int plane = at + px * planeHeight * planeWidth;
            copy(x.segment(), source, Math.floorDiv(left + px, factor), to, plane);
          }
          continue;
        }
        float[] row = step == 1 ? to : line;
        int start = step == 1 ? at : 0;
        Arrays.fill(row, start, start + from, 0f);
        Arrays.fill(row, start + end, start + wide, 0f);
        if (factor == 1) {
          MemorySegment.copy(
              x.segment(), FLOAT, source + 4L * (left + from), row, start + from, end - from);
        } else {
          int first = (left + from) / factor;
          int last = (left + end - 1) / factor;
          MemorySegment.copy(x.segment(), FLOAT, source + 4L * first, stored, 0, last - first + 1);
          spread(stored, factor, (left + from) % factor, row, start + from, end - from);
        }
        if (step == 2) {
          halve(line, 0, planeWidth, to, at, at + planeHeight * planeWidth);
        } else if (step == 4) {
          quarter(line, wide, to, at);
        } else if (step > 2) {
          split(line, to, at);
        }
      }
    }
  }

  /** One row of a plane whose neighbours are neighbours in the picture too. */
  private void copy(MemorySegment picture, long row, int first, float[] to, int at) {
    int from = Math.clamp(-(long) first, 0, planeWidth);
    int end = Math.clamp((long) shape.width() - first, from, planeWidth);
    Arrays.fill(to, at, at + from, 0f);
    Arrays.fill(to, at + end, at + planeWidth, 0f);
    if (end > from) {
      MemorySegment.copy(picture, FLOAT, row + 4L * (first + from), to, at + from, end - from);
    }
  }

  private static void spread(float[] from, int factor, int phase, float[] to, int at, int count) {
    int i = 0;
    for (int source = 0; i < count; source++) {
      float value = from[source];
      for (; phase < factor && i < count; phase++) {
        to[at + i++] = value;
      }
      phase = 0;
    }
  }

  /** Every fourth element of a line, which has room for as much again behind it. */
  private void quarter(float[] line, int wide, float[] to, int at) {
    int plane = planeHeight * planeWidth;
    halve(line, 0, 2 * planeWidth, line, wide, wide + 2 * planeWidth);
    halve(line, wide, planeWidth, to, at, at + 2 * plane);
    halve(line, wide + 2 * planeWidth, planeWidth, to, at + plane, at + 3 * plane);
  }

  /** Even and odd elements. */
  private static void halve(float[] line, int from, int count, float[] to, int even, int odd) {
    int i = 0;
    for (; i <= count - Simd.LANES; i += Simd.LANES) {
      FloatVector a = FloatVector.fromArray(Simd.F, line, from + 2 * i);
      FloatVector b = FloatVector.fromArray(Simd.F, line, from + 2 * i + Simd.LANES);
      a.rearrange(EVEN, b).intoArray(to, even + i);
      a.rearrange(ODD, b).intoArray(to, odd + i);
    }
    for (; i < count; i++) {
      to[even + i] = line[from + 2 * i];
      to[odd + i] = line[from + 2 * i + 1];
    }
  }

  private void split(float[] line, float[] to, int at) {
    for (int px = 0; px < step; px++) {
      int plane = at + px * planeHeight * planeWidth;
      for (int i = 0; i < planeWidth; i++) {
        to[plane + i] = line[i * step + px];
      }
    }
  }
}
