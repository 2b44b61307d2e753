package org.rectiflow.engine.cpu.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/**
 * Derivatives of {@link Norms}. With n = (x - mean) / deviation and d = dy weight: dx = (d -
 * mean(d) - n mean(d n)) / deviation, where RMS norm has no means to take off; dweight sums dy n
 * and dbias sums dy. Tensors are float32 and contiguous.
 */
public final class NormGrads {
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT.withOrder(Simd.LE);
  private static final int TASK = 1 << 15;
  private static final int CHUNK = 4096;

  private NormGrads() {}

  /**
   * Of LayerNorm over rows of {@code n} elements.
   *
   * @param weight n elements, or null
   * @param dWeight n elements that are written, null if the weight is
   * @param dBias likewise
   * @param more n elements for each row that are added to dx, or null
   */
  public static void layerNorm(
      Workers workers,
      int rows,
      int n,
      double eps,
      StoredVector x,
      StoredVector weight,
      StoredVector dy,
      StoredVector dx,
      StoredVector dWeight,
      StoredVector dBias,
      StoredVector more) {
    new Rows(1, rows, n, eps, true, x, weight, null, dy, dx, more).run(workers, dWeight, dBias);
  }

  /**
   * Of LayerNorm that is modulated with 1 plus {@code scale}, and a shift.
   *
   * @param rows of each sample
   * @param scale float32 [samples, n]
   * @param dShift the same, written
   * @param dScale the same, written
   * @param more n elements for each row that are added to dx, or null
   */
  public static void modulatedNorm(
      Workers workers,
      int samples,
      int rows,
      int n,
      double eps,
      StoredVector x,
      StoredVector scale,
      StoredVector dy,
      StoredVector dx,
      StoredVector dShift,
      StoredVector dScale,
      StoredVector more) {
    new Rows(samples, rows, n, eps, true, x, null, scale, dy, dx, more)
        .run(workers, dScale, dShift);
  }

  /** Of RMSNorm over rows of {@code n} elements. */
  public static void rmsNorm(
      Workers workers,
      int rows,
      int n,
      double eps,
      StoredVector x,
      StoredVector weight,
      StoredVector dy,
      StoredVector dx,
      StoredVector dWeight) {
    new Rows(1, rows, n, eps, false, x, weight, null, dy, dx, null).run(workers, dWeight, null);
  }

  /** Groups of {@code rows} rows, each with a scale and derivatives of its own. */
  private record Rows(
      int groups,
      int rows,
      int n,
      double eps,
      boolean centred,
      StoredVector x,
      StoredVector weight,
      StoredVector scale,
      StoredVector dy,
      StoredVector dx,
      StoredVector more) {

    void run(Workers workers, StoredVector dWeight, StoredVector dBias) {
      int perTask = Math.max(1, TASK / n);
      int pieces = MatMul.ceilDiv(rows, perTask);
      int padded = pad(n);
      MemorySegment shares = workers.shared().segment(3, 8L * groups * pieces * n);
      workers.parallelFor(
          groups * pieces,
          (t, scratch) -> {
            int group = t / pieces;
            float[] w = weights(group, scratch);
            float[] byWeight = scratch.floats(3, padded);
            float[] byBias = scratch.floats(4, padded);
            Arrays.fill(byWeight, 0, padded, 0f);
            Arrays.fill(byBias, 0, padded, 0f);
            int first = t % pieces * perTask;
            for (int r = first; r < Math.min(rows, first + perTask); r++) {
              row(group * rows + r, w, byWeight, byBias, scratch);
            }
            if (dWeight != null) {
              Copies.write(byWeight, 0, shares, 8L * t * n, n);
              Copies.write(byBias, 0, shares, 8L * t * n + 4L * n, n);
            }
          });
      if (dWeight != null) {
        add(workers, shares, 0, groups, pieces, n, dWeight);
      }
      if (dBias != null) {
        add(workers, shares, n, groups, pieces, n, dBias);
      }
    }

    private float[] weights(int group, Scratch scratch) {
      int padded = pad(n);
      float[] w = scratch.floats(2, padded);
      Arrays.fill(w, 0, padded, 1f);
      if (weight != null) {
        Widen.run(weight.segment(), weight.byteOffset(), weight.dtype(), n, w, 0, scratch);
      }
      if (scale != null) {
        Copies.read(scale.segment(), scale.byteOffset() + 4L * group * n, w, 0, n);
        plus(w, padded, 1);
      }
      return w;
    }

    private void row(int r, float[] w, float[] byWeight, float[] byBias, Scratch scratch) {
      int padded = pad(n);
      long at = 4L * r * n;
      if (!centred && padded == n) {
        rms(at, w, byWeight, scratch.floats(5, 4));
        return;
      }
      float[] v = scratch.floats(0, padded);
      float[] d = scratch.floats(1, padded);
      Copies.read(x.segment(), x.byteOffset() + at, v, 0, n);
      Copies.read(dy.segment(), dy.byteOffset() + at, d, 0, n);
      float mean = 0;
      Arrays.fill(d, n, padded, 0f);
      if (centred) {
        Arrays.fill(v, n, padded, 0f);
        mean = total(v, padded) / n;
      }
      Arrays.fill(v, n, padded, mean);
      float[] sums = scratch.floats(5, 4);
      sums(v, d, w, mean, padded, sums);
      // What rounding the mean left over.
      float rest = centred ? sums[0] / n : 0;
      float inverse = (float) (1 / Math.sqrt(sums[1] / n - rest * rest + eps));
      float meanSlope = centred ? sums[2] / n : 0;
      float slope = (sums[3] - rest * sums[2]) * inverse / n;
      slopes(v, d, w, mean, rest, inverse, meanSlope, slope, byWeight, byBias, padded);
      if (more != null) {
        Copies.read(more.segment(), more.byteOffset() + at, v, 0, n);
        plus(d, padded, v);
      }
      Copies.write(d, 0, dx.segment(), dx.byteOffset() + at, n);
    }

    /** RMS norm of a row of whole vectors, where it lies: a head's row is too short for passes. */
    private void rms(long at, float[] w, float[] byWeight, float[] sums) {
      MemorySegment xs = x.segment();
      MemorySegment dys = dy.segment();
      MemorySegment dxs = dx.segment();
      long xAt = x.byteOffset() + at;
      long dyAt = dy.byteOffset() + at;
      long dxAt = dx.byteOffset() + at;
      rmsSums(xs, xAt, dys, dyAt, w, n, sums);
      float inverse = (float) (1 / Math.sqrt(sums[0] / n + eps));
      float slope = sums[1] * inverse / n;
      rmsSlopes(xs, xAt, dys, dyAt, w, n, inverse, slope, byWeight, dxs, dxAt);
    }
  }

  /** With e = dy w, the sums of x^2 and e x. */
  private static void rmsSums(
      MemorySegment x, long xAt, MemorySegment dy, long dyAt, float[] w, int n, float[] to) {
    FloatVector c2 = FloatVector.zero(Simd.F);
    FloatVector ec = FloatVector.zero(Simd.F);
    for (int i = 0; i < n; i += Simd.LANES) {
      FloatVector c = load(x, xAt + 4L * i);
      c2 = c.fma(c, c2);
      ec = load(dy, dyAt + 4L * i).mul(load(w, i)).fma(c, ec);
    }
    to[0] = Sums.total(c2);
    to[1] = Sums.total(ec);
  }

  private static void rmsSlopes(
      MemorySegment x,
      long xAt,
      MemorySegment dy,
      long dyAt,
      float[] w,
      int n,
      float inverse,
      float slope,
      float[] byWeight,
      MemorySegment dx,
      long dxAt) {
    FloatVector minus = FloatVector.broadcast(Simd.F, -slope);
    for (int i = 0; i < n; i += Simd.LANES) {
      FloatVector normed = load(x, xAt + 4L * i).mul(inverse);
      FloatVector d = load(dy, dyAt + 4L * i);
      normed.fma(d, load(byWeight, i)).intoArray(byWeight, i);
      normed
          .fma(minus, d.mul(load(w, i)))
          .mul(inverse)
          .intoMemorySegment(dx, dxAt + 4L * i, Simd.LE);
    }
  }

  private static FloatVector load(MemorySegment x, long at) {
    return FloatVector.fromMemorySegment(Simd.F, x, at, Simd.LE);
  }

  private static float total(float[] x, int n) {
    FloatVector sum = FloatVector.zero(Simd.F);
    for (int i = 0; i < n; i += Simd.LANES) {
      sum = sum.add(load(x, i));
    }
    return Sums.total(sum);
  }

  /** With c = v - mean and e = d w, the sums of c, c^2, e and e c. */
  private static void sums(float[] v, float[] d, float[] w, float mean, int n, float[] to) {
    FloatVector c1 = FloatVector.zero(Simd.F);
    FloatVector c2 = FloatVector.zero(Simd.F);
    FloatVector e1 = FloatVector.zero(Simd.F);
    FloatVector ec = FloatVector.zero(Simd.F);
    for (int i = 0; i < n; i += Simd.LANES) {
      FloatVector c = load(v, i).sub(mean);
      FloatVector e = load(d, i).mul(load(w, i));
      c1 = c1.add(c);
      c2 = c.fma(c, c2);
      e1 = e1.add(e);
      ec = e.fma(c, ec);
    }
    to[0] = Sums.total(c1);
    to[1] = Sums.total(c2);
    to[2] = Sums.total(e1);
    to[3] = Sums.total(ec);
  }

  /**
   * d becomes the derivative by the row v, and what the row adds to those by weight and bias is
   * added.
   */
  private static void slopes(
      float[] v,
      float[] d,
      float[] w,
      float mean,
      float rest,
      float inverse,
      float meanSlope,
      float slope,
      float[] byWeight,
      float[] byBias,
      int n) {
    FloatVector minus = FloatVector.broadcast(Simd.F, -slope);
    for (int i = 0; i < n; i += Simd.LANES) {
      FloatVector normed = load(v, i).sub(mean).sub(rest).mul(inverse);
      FloatVector dy = load(d, i);
      normed.fma(dy, load(byWeight, i)).intoArray(byWeight, i);
      load(byBias, i).add(dy).intoArray(byBias, i);
      FloatVector e = dy.mul(load(w, i)).sub(meanSlope);
      normed.fma(minus, e).mul(inverse).intoArray(d, i);
    }
  }

  private static void plus(float[] x, int n, float a) {
    for (int i = 0; i < n; i += Simd.LANES) {
      load(x, i).add(a).intoArray(x, i);
    }
  }

  private static void plus(float[] x, int n, float[] a) {
    for (int i = 0; i < n; i += Simd.LANES) {
      load(x, i).add(load(a, i)).intoArray(x, i);
    }
  }

  /** d = inverse (d - mean - v slope). */
  private static void finish(float[] v, float[] d, float inverse, float mean, float slope, int n) {
    FloatVector minus = FloatVector.broadcast(Simd.F, -slope);
    for (int i = 0; i < n; i += Simd.LANES) {
      load(v, i).fma(minus, load(d, i).sub(mean)).mul(inverse).intoArray(d, i);
    }
  }

  private static FloatVector load(float[] x, int at) {
    return FloatVector.fromArray(Simd.F, x, at);
  }

  private static int pad(int n) {
    return MatMul.ceilDiv(n, Simd.LANES) * Simd.LANES;
  }

  /**
   * Adds up shares in order, {@code pieces} for each group.
   *
   * @param shares rows of 2 n elements
   * @param first where the elements begin in a row
   */
  private static void add(
      Workers workers,
      MemorySegment shares,
      int first,
      int groups,
      int pieces,
      int n,
      StoredVector out) {
    int chunks = MatMul.ceilDiv(n, CHUNK);
    workers.parallelFor(
        groups * chunks,
        (t, _) -> {
          int group = t / chunks;
          int from = t % chunks * CHUNK;
          for (int i = from; i < Math.min(n, from + CHUNK); i++) {
            double sum = 0;
            for (int piece = 0; piece < pieces; piece++) {
              sum += shares.get(FLOAT, 4 * (first + (group * pieces + piece) * 2L * n + i));
            }
            out.segment().set(FLOAT, out.byteOffset() + 4 * ((long) group * n + i), (float) sum);
          }
        });
  }

  /** Of GroupNorm; see {@link Norms#groupNorm}. */
  public static void groupNorm(
      Workers workers,
      int batch,
      int channels,
      int pixels,
      int groups,
      double eps,
      StoredVector x,
      StoredVector weight,
      StoredVector dy,
      StoredVector dx,
      StoredVector dWeight,
      StoredVector dBias) {
    int size = channels / groups;
    long run = (long) size * pixels;
    MemorySegment shares = workers.shared().segment(3, 8L * batch * channels);
    workers.parallelFor(
        batch * groups,
        (t, scratch) -> {
          float[] v = scratch.floats(0, CHUNK + Simd.LANES);
          float[] d = scratch.floats(1, CHUNK + Simd.LANES);
          float[] w = scratch.floats(2, size);
          float[] lanes = scratch.floats(5, Simd.LANES);
          int b = t / groups;
          int channel = t % groups * size;
          long stored = (long) channel * (weight.dtype().bits() / 8);
          Widen.run(
              weight.segment(), weight.byteOffset() + stored, weight.dtype(), size, w, 0, scratch);
          long first = (long) t * run;
          double[] moments = Norms.moments(x, first, run, v, lanes);
          float mean = (float) moments[0];
          float rest = (float) (moments[0] - mean);
          float inverse = (float) (1 / Math.sqrt(moments[1] + eps));
          double meanD = 0;
          double slope = 0;
          for (int c = 0; c < size; c++) {
            double byBias = 0;
            double byWeight = 0;
            for (int i = 0; i < pixels; i += CHUNK) {
              int n = Math.min(CHUNK, pixels - i);
              read(x, dy, first + (long) c * pixels + i, n, v, d);
              byBias += Sums.sum(d, 0, n, lanes);
              byWeight += product(v, d, mean, rest, inverse, pad(n), lanes);
            }
            long at = 8L * b * channels + 4L * (channel + c);
            shares.set(FLOAT, at, (float) byWeight);
            shares.set(FLOAT, at + 4L * channels, (float) byBias);
            meanD += w[c] * byBias / run;
            slope += w[c] * byWeight / run;
          }
          for (int c = 0; c < size; c++) {
            for (int i = 0; i < pixels; i += CHUNK) {
              int n = Math.min(CHUNK, pixels - i);
              long at = first + (long) c * pixels + i;
              read(x, dy, at, n, v, d);
              product(v, d, mean, rest, inverse, pad(n), lanes);
              times(d, w[c], pad(n));
              finish(v, d, inverse, (float) meanD, (float) slope, pad(n));
              MemorySegment.copy(d, 0, dx.segment(), FLOAT, dx.byteOffset() + 4 * at, n);
            }
          }
        });
    add(workers, shares, 0, 1, batch, channels, dWeight);
    add(workers, shares, channels, 1, batch, channels, dBias);
  }

  private static void read(
      StoredVector x, StoredVector dy, long element, int n, float[] v, float[] d) {
    MemorySegment.copy(x.segment(), FLOAT, x.byteOffset() + 4 * element, v, 0, n);
    MemorySegment.copy(dy.segment(), FLOAT, dy.byteOffset() + 4 * element, d, 0, n);
    Arrays.fill(v, n, pad(n), 0f);
    Arrays.fill(d, n, pad(n), 0f);
  }

  /** Normalises v; returns the product of v and d. */
  private static double product(
      float[] v, float[] d, float mean, float rest, float inverse, int n, float[] lanes) {
    FloatVector sum = FloatVector.zero(Simd.F);
    for (int i = 0; i < n; i += Simd.LANES) {
      FloatVector normed = load(v, i).sub(mean).sub(rest).mul(inverse);
      normed.intoArray(v, i);
      sum = normed.fma(load(d, i), sum);
    }
    sum.intoArray(lanes, 0);
    return Sums.lanes(lanes, 0);
  }

  private static void times(float[] x, float a, int n) {
    for (int i = 0; i < n; i += Simd.LANES) {
      load(x, i).mul(a).intoArray(x, i);
    }
  }
}
