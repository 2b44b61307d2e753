package org.rectiflow.engine.cpu.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import org.rectiflow.safetensors.DType;

/** LayerNorm with modulation, RMSNorm over groups of a row, and GroupNorm with an activation. */
public final class Norms {
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT.withOrder(Simd.LE);

  /** Elements of a task, roughly. */
  private static final int TASK = 1 << 15;

  private static final int CHUNK = 4096;

  private Norms() {}

  /**
   * What a LayerNorm does after normalising: {@code y = (xhat * weight + bias) * (1 + scale) +
   * shift}. Null parts are left out.
   *
   * @param weight elements of a row, or null
   * @param bias elements of a row, or null
   * @param scale float32, one row for every {@code rowsPerModulation} rows, or null
   * @param shift likewise, or null
   * @param rowsPerModulation rows that share a modulation, usually the tokens of a batch item
   */
  public record Affine(
      StoredVector weight,
      StoredVector bias,
      MatrixView scale,
      MatrixView shift,
      int rowsPerModulation) {
    /** Bare normalisation. */
    public static final Affine NONE = new Affine(null, null, null, null, 1);

    /** Checks types. */
    public Affine {
      if (rowsPerModulation < 1) {
        throw new IllegalArgumentException(
            "rowsPerModulation must be at least 1, found " + rowsPerModulation);
      }
      for (MatrixView m : new MatrixView[] {scale, shift}) {
        if (m != null && (m.dtype() != DType.F32 || m.columnStride() != 1)) {
          throw new IllegalArgumentException("modulation must be F32 with contiguous rows");
        }
      }
    }
  }

  /**
   * LayerNorm over the rows of a matrix: mean and biased variance of each row.
   *
   * @param rows number of rows
   * @param n elements of a row
   * @param x float32 with contiguous rows
   * @param out float32 with contiguous rows; may be {@code x}
   */
  public static void layerNorm(
      Workers workers, int rows, int n, MatrixView x, double eps, Affine affine, MatrixView out) {
    layerNorm(workers, rows, n, x, eps, affine, null, out);
  }

  /**
   * The same.
   *
   * @param normed float32 with contiguous rows, where rows are stored before scale and shift too,
   *     or null
   */
  public static void layerNorm(
      Workers workers,
      int rows,
      int n,
      MatrixView x,
      double eps,
      Affine affine,
      MatrixView normed,
      MatrixView out) {
    requireRows(x, out);
    int perTask = Math.max(1, TASK / n);
    int padded = pad(n);
    workers.parallelFor(
        MatMul.ceilDiv(rows, perTask),
        (t, scratch) -> {
          float[] row = scratch.floats(0, padded);
          float[] sums = scratch.floats(5, 2);
          float[] weight = affine.weight() == null ? null : widen(affine.weight(), n, 1, scratch);
          float[] bias = affine.bias() == null ? null : widen(affine.bias(), n, 2, scratch);
          float[] scale = affine.scale() == null ? null : scratch.floats(3, padded);
          float[] shift = affine.shift() == null ? null : scratch.floats(4, padded);
          int group = -1;
          int end = Math.min(rows, (t + 1) * perTask);
          for (int r = t * perTask; r < end; r++) {
            if (r / affine.rowsPerModulation() != group) {
              group = r / affine.rowsPerModulation();
              if (scale != null) {
                read(affine.scale(), group, n, scale);
                plus(scale, n, 1f);
              }
              if (shift != null) {
                read(affine.shift(), group, n, shift);
              }
            }
            Copies.read(x.segment(), x.at(r, 0), row, 0, n);
            Arrays.fill(row, n, padded, 0f);
            float mean = total(row, padded) / n;
            Arrays.fill(row, n, padded, mean);
            moments(row, padded, mean, sums);
            // What rounding the mean left over is removed from the mean and from the variance.
            double rest = sums[0] / n;
            double variance = sums[1] / n - rest * rest;
            double inverse = 1 / Math.sqrt(variance + eps);
            scaleAndShift(row, n, (float) inverse, (float) (-rest * inverse));
            if (weight != null) {
              times(row, n, weight);
            }
            if (bias != null) {
              plus(row, n, bias);
            }
            if (normed != null) {
              Copies.write(row, 0, normed.segment(), normed.at(r, 0), n);
            }
            if (scale != null) {
              times(row, n, scale);
            }
            if (shift != null) {
              plus(row, n, shift);
            }
            Copies.write(row, 0, out.segment(), out.at(r, 0), n);
          }
        });
  }

  private static float total(float[] x, int n) {
    FloatVector sum = FloatVector.zero(Simd.F);
    for (int i = 0; i < n; i += Simd.LANES) {
      sum = sum.add(FloatVector.fromArray(Simd.F, x, i));
    }
    return Sums.total(sum);
  }

  /** Takes the mean off and sums what is left, and its squares. */
  private static void moments(float[] x, int n, float mean, float[] sums) {
    FloatVector first = FloatVector.zero(Simd.F);
    FloatVector second = FloatVector.zero(Simd.F);
    for (int i = 0; i < n; i += Simd.LANES) {
      FloatVector c = FloatVector.fromArray(Simd.F, x, i).sub(mean);
      c.intoArray(x, i);
      first = first.add(c);
      second = c.fma(c, second);
    }
    sums[0] = Sums.total(first);
    sums[1] = Sums.total(second);
  }

  /**
   * RMSNorm of each of {@code groups} adjacent pieces of {@code dim} elements in each row: {@code x
   * / sqrt(mean(x^2) + eps) * weight}. QK-norm has one group a head, T5 one group a row.
   *
   * @param weight {@code dim} elements shared by all groups, or null
   * @param out float32 with contiguous rows; may be {@code x}
   */
  public static void rmsNorm(
      Workers workers,
      int rows,
      int groups,
      int dim,
      MatrixView x,
      double eps,
      StoredVector weight,
      MatrixView out) {
    requireRows(x, out);
    int n = groups * dim;
    int perTask = Math.max(1, TASK / n);
    workers.parallelFor(
        MatMul.ceilDiv(rows, perTask),
        (t, scratch) -> {
          float[] row = scratch.floats(0, n + Simd.LANES);
          float[] w = scratch.floats(1, pad(dim));
          if (weight == null) {
            Arrays.fill(w, 0, pad(dim), 1f);
          } else {
            w = widen(weight, dim, 1, scratch);
          }
          int end = Math.min(rows, (t + 1) * perTask);
          for (int r = t * perTask; r < end; r++) {
            if (groups == 1 && dim % Simd.LANES == 0) {
              rms(x.segment(), x.at(r, 0), dim, eps, w, out.segment(), out.at(r, 0));
              continue;
            }
            Copies.read(x.segment(), x.at(r, 0), row, 0, n);
            for (int g = 0; g < groups; g++) {
              double mean = squares(row, g * dim, dim) / dim;
              rms(row, g * dim, dim, (float) (1 / Math.sqrt(mean + eps)), w);
            }
            Copies.write(row, 0, out.segment(), out.at(r, 0), n);
          }
        });
  }

  /** A row of whole vectors, where it lies: rows of a head are too short for several passes. */
  private static void rms(
      MemorySegment x, long at, int n, double eps, float[] w, MemorySegment out, long to) {
    FloatVector sum = FloatVector.zero(Simd.F);
    for (int i = 0; i < n; i += Simd.LANES) {
      FloatVector v = FloatVector.fromMemorySegment(Simd.F, x, at + 4L * i, Simd.LE);
      sum = v.fma(v, sum);
    }
    float factor = (float) (1 / Math.sqrt((double) Sums.total(sum) / n + eps));
    for (int i = 0; i < n; i += Simd.LANES) {
      FloatVector.fromMemorySegment(Simd.F, x, at + 4L * i, Simd.LE)
          .mul(factor)
          .mul(FloatVector.fromArray(Simd.F, w, i))
          .intoMemorySegment(out, to + 4L * i, Simd.LE);
    }
  }

  private static double squares(float[] x, int from, int n) {
    FloatVector sum = FloatVector.zero(Simd.F);
    int i = 0;
    for (; i <= n - Simd.LANES; i += Simd.LANES) {
      FloatVector v = FloatVector.fromArray(Simd.F, x, from + i);
      sum = v.fma(v, sum);
    }
    double total = Sums.total(sum);
    for (; i < n; i++) {
      total += (double) x[from + i] * x[from + i];
    }
    return total;
  }

  /**
   * GroupNorm of NCHW activations followed by an activation: mean and biased variance over each
   * group's channels and pixels.
   *
   * @param batch N
   * @param channels C, a multiple of {@code groups}
   * @param pixels H * W
   * @param x float32 [N, C, H, W], contiguous
   * @param weight C elements, or null
   * @param bias C elements, or null
   * @param out float32 like x; may be {@code x}
   */
  public static void groupNorm(
      Workers workers,
      int batch,
      int channels,
      int pixels,
      int groups,
      StoredVector x,
      double eps,
      StoredVector weight,
      StoredVector bias,
      Activation activation,
      StoredVector out) {
    if (groups < 1 || channels % groups != 0) {
      throw new IllegalArgumentException(
          "GroupNorm needs a number of channels that is a multiple of the groups, found "
              + channels
              + " channels and "
              + groups
              + " groups");
    }
    int size = channels / groups;
    workers.parallelFor(
        batch * groups,
        (t, scratch) -> {
          long first = (long) t * size * pixels;
          float[] chunk = scratch.floats(0, CHUNK + Simd.LANES);
          double[] moments =
              moments(x, first, (long) size * pixels, chunk, scratch.floats(5, Simd.LANES));
          double inverse = 1 / Math.sqrt(moments[1] + eps);
          int channel = t % groups * size;
          for (int c = 0; c < size; c++) {
            double w = weight == null ? 1 : element(weight, channel + c, scratch);
            double b = bias == null ? 0 : element(bias, channel + c, scratch);
            float mean = (float) moments[0];
            float factor = (float) (w * inverse);
            float shift = (float) (b - (moments[0] - mean) * inverse * w);
            normalise(
                x, out, first + (long) c * pixels, pixels, mean, factor, shift, activation, chunk);
          }
        });
  }

  private static void normalise(
      StoredVector x,
      StoredVector out,
      long first,
      int pixels,
      float mean,
      float factor,
      float shift,
      Activation f,
      float[] chunk) {
    for (int i = 0; i < pixels; i += CHUNK) {
      int count = Math.min(CHUNK, pixels - i);
      long at = 4 * (first + i);
      MemorySegment.copy(x.segment(), FLOAT, x.byteOffset() + at, chunk, 0, count);
      plus(chunk, count, -mean);
      scaleAndShift(chunk, count, factor, shift);
      VectorMath.apply(f, chunk, 0, pad(count));
      MemorySegment.copy(chunk, 0, out.segment(), FLOAT, out.byteOffset() + at, count);
    }
  }

  /**
   * Mean and biased variance by the pairwise update of Chan, Golub and LeVeque (1983) over chunks,
   * in double.
   */
  static double[] moments(StoredVector x, long first, long count, float[] chunk, float[] lanes) {
    double mean = 0;
    double m2 = 0;
    for (long i = 0; i < count; i += CHUNK) {
      int n = (int) Math.min(CHUNK, count - i);
      MemorySegment.copy(x.segment(), FLOAT, x.byteOffset() + 4 * (first + i), chunk, 0, n);
      float rough = (float) (Sums.sum(chunk, 0, n, lanes) / n);
      plus(chunk, n, -rough);
      double rest = Sums.sum(chunk, 0, n, lanes) / n;
      double squares = Sums.squares(chunk, 0, n, lanes) - n * rest * rest;
      double own = rough + rest;
      double delta = own - mean;
      double total = (double) i + n;
      mean += delta * n / total;
      m2 += squares + delta * delta * i * n / total;
    }
    return new double[] {mean, m2 / count};
  }

  private static double element(StoredVector v, int i, Scratch scratch) {
    float[] one = scratch.floats(4, 1);
    Widen.run(
        v.segment(),
        v.byteOffset() + (long) i * (v.dtype().bits() / 8),
        v.dtype(),
        1,
        one,
        0,
        scratch);
    return one[0];
  }

  private static void requireRows(MatrixView x, MatrixView out) {
    if (x.dtype() != DType.F32
        || x.columnStride() != 1
        || out.dtype() != DType.F32
        || out.columnStride() != 1) {
      throw new IllegalArgumentException("norms need F32 activations with contiguous rows");
    }
  }

  private static int pad(int n) {
    return MatMul.ceilDiv(n, Simd.LANES) * Simd.LANES;
  }

  private static float[] widen(StoredVector v, int n, int slot, Scratch scratch) {
    float[] to = scratch.floats(slot, pad(n));
    Widen.run(v.segment(), v.byteOffset(), v.dtype(), n, to, 0, scratch);
    return to;
  }

  private static void read(MatrixView m, int row, int n, float[] to) {
    MemorySegment.copy(m.segment(), FLOAT, m.at(row, 0), to, 0, n);
  }

  // The following work on whole vectors; arrays are padded.

  private static void plus(float[] x, int n, float a) {
    for (int i = 0; i < n; i += Simd.LANES) {
      FloatVector.fromArray(Simd.F, x, i).add(a).intoArray(x, i);
    }
  }

  private static void plus(float[] x, int n, float[] a) {
    for (int i = 0; i < n; i += Simd.LANES) {
      FloatVector.fromArray(Simd.F, x, i).add(FloatVector.fromArray(Simd.F, a, i)).intoArray(x, i);
    }
  }

  private static void times(float[] x, int n, float[] a) {
    for (int i = 0; i < n; i += Simd.LANES) {
      FloatVector.fromArray(Simd.F, x, i).mul(FloatVector.fromArray(Simd.F, a, i)).intoArray(x, i);
    }
  }

  private static void scaleAndShift(float[] x, int n, float a, float b) {
    FloatVector shift = FloatVector.broadcast(Simd.F, b);
    for (int i = 0; i < n; i += Simd.LANES) {
      FloatVector.fromArray(Simd.F, x, i)
          .fma(FloatVector.broadcast(Simd.F, a), shift)
          .intoArray(x, i);
    }
  }

  private static void rms(float[] x, int at, int n, float factor, float[] w) {
    int i = 0;
    for (; i <= n - Simd.LANES; i += Simd.LANES) {
      FloatVector.fromArray(Simd.F, x, at + i)
          .mul(factor)
          .mul(FloatVector.fromArray(Simd.F, w, i))
          .intoArray(x, at + i);
    }
    for (; i < n; i++) {
      x[at + i] = x[at + i] * factor * w[i];
    }
  }
}
