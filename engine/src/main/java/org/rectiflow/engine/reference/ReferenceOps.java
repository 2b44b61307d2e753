package org.rectiflow.engine.reference;

import org.rectiflow.engine.Activation;
import org.rectiflow.engine.Op;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;

/**
 * The definition of every op: plain loops, sums in double, results rounded to float once. Slow on
 * purpose; other backends are compared with it.
 */
final class ReferenceOps {
  private ReferenceOps() {}

  static void linear(Tensor x, Tensor w, float[] bias, float[] y) {
    int n = w.shape().dim(0);
    int k = w.shape().dim(1);
    int rows = x.shape().rows();
    for (int row = 0; row < rows; row++) {
      for (int col = 0; col < n; col++) {
        double sum = bias == null ? 0 : bias[col];
        for (int i = 0; i < k; i++) {
          sum += (double) x.data()[row * k + i] * w.data()[col * k + i];
        }
        y[row * n + col] = (float) sum;
      }
    }
  }

  /** Softmax(scale q k^T + bias) v over all streams' tokens; see {@link Op.Attention}. */
  static void attention(Op.Attention op, Tensor[] in, float[][] out) {
    Shape first = in[0].shape();
    int width = first.dim(2);
    int d = width / op.heads();
    int tokens = 0;
    for (int s = 0; s < op.streams(); s++) {
      tokens += in[3 * s].shape().dim(1);
    }
    float[] bias = op.bias() ? in[in.length - 1].data() : null;
    double[] p = new double[tokens];
    double[] sum = new double[d];
    for (int b = 0; b < first.dim(0); b++) {
      for (int h = 0; h < op.heads(); h++) {
        int query = 0;
        for (int s = 0; s < op.streams(); s++) {
          int own = in[3 * s].shape().dim(1);
          for (int t = 0; t < own; t++, query++) {
            int q = (b * own + t) * width + h * d;
            int visible = op.causal() ? query + 1 : tokens;
            scores(op, in, b, h, q, in[3 * s].data(), bias, query, tokens, p);
            softmax(p, visible);
            java.util.Arrays.fill(sum, 0);
            int key = 0;
            for (int u = 0; u < op.streams(); u++) {
              Tensor v = in[3 * u + 2];
              int keys = v.shape().dim(1);
              for (int j = 0; j < keys && key < visible; j++, key++) {
                int at = (b * keys + j) * width + h * d;
                for (int i = 0; i < d; i++) {
                  sum[i] += p[key] * v.data()[at + i];
                }
              }
            }
            for (int i = 0; i < d; i++) {
              out[s][q + i] = (float) sum[i];
            }
          }
        }
      }
    }
  }

  private static void scores(
      Op.Attention op,
      Tensor[] in,
      int b,
      int h,
      int q,
      float[] queries,
      float[] bias,
      int query,
      int tokens,
      double[] p) {
    int width = in[0].shape().dim(2);
    int d = width / op.heads();
    int key = 0;
    for (int u = 0; u < op.streams(); u++) {
      Tensor k = in[3 * u + 1];
      int keys = k.shape().dim(1);
      for (int j = 0; j < keys; j++, key++) {
        int at = (b * keys + j) * width + h * d;
        double dot = 0;
        for (int i = 0; i < d; i++) {
          dot += (double) queries[q + i] * k.data()[at + i];
        }
        double add = bias == null ? 0 : bias[(h * tokens + query) * tokens + key];
        p[key] = op.scale() * dot + add;
      }
    }
  }

  private static void softmax(double[] p, int n) {
    double max = Double.NEGATIVE_INFINITY;
    for (int i = 0; i < n; i++) {
      max = Math.max(max, p[i]);
    }
    double sum = 0;
    for (int i = 0; i < n; i++) {
      p[i] = Math.exp(p[i] - max);
      sum += p[i];
    }
    for (int i = 0; i < n; i++) {
      p[i] /= sum;
    }
  }

  static void conv2d(Op.Conv2d op, Tensor x, Tensor w, float[] bias, Shape shape, float[] y) {
    int channels = x.shape().dim(1);
    int height = x.shape().dim(2);
    int width = x.shape().dim(3);
    int kh = w.shape().dim(2);
    int kw = w.shape().dim(3);
    int at = 0;
    for (int b = 0; b < shape.dim(0); b++) {
      for (int o = 0; o < shape.dim(1); o++) {
        for (int row = 0; row < shape.dim(2); row++) {
          for (int col = 0; col < shape.dim(3); col++, at++) {
            double sum = bias == null ? 0 : bias[o];
            for (int c = 0; c < channels; c++) {
              for (int i = 0; i < kh; i++) {
                int r = row * op.stride() + i - op.padding().top();
                for (int j = 0; j < kw && r >= 0 && r < height; j++) {
                  int q = col * op.stride() + j - op.padding().left();
                  if (q >= 0 && q < width) {
                    double pixel = x.data()[((b * channels + c) * height + r) * width + q];
                    sum += pixel * w.data()[((o * channels + c) * kh + i) * kw + j];
                  }
                }
              }
            }
            y[at] = (float) sum;
          }
        }
      }
    }
  }

  /** {@code weight} and {@code bias} may be null. */
  static void layerNorm(Tensor x, float[] weight, float[] bias, double eps, float[] y) {
    int c = x.shape().dim(-1);
    for (int row = 0; row < x.shape().rows(); row++) {
      double[] moments = moments(x.data(), row * c, c);
      double scale = 1 / Math.sqrt(moments[1] + eps);
      for (int i = 0; i < c; i++) {
        double normed = (x.data()[row * c + i] - moments[0]) * scale;
        y[row * c + i] = (float) (weight == null ? normed : normed * weight[i] + bias[i]);
      }
    }
  }

  static void rmsNorm(Tensor x, float[] weight, double eps, float[] y) {
    int c = x.shape().dim(-1);
    for (int row = 0; row < x.shape().rows(); row++) {
      double squares = 0;
      for (int i = 0; i < c; i++) {
        squares += (double) x.data()[row * c + i] * x.data()[row * c + i];
      }
      double scale = 1 / Math.sqrt(squares / c + eps);
      for (int i = 0; i < c; i++) {
        y[row * c + i] = (float) (x.data()[row * c + i] * scale * weight[i]);
      }
    }
  }

  static void groupNorm(Tensor x, float[] weight, float[] bias, int groups, double eps, float[] y) {
    int channels = x.shape().dim(1);
    int pixels = x.shape().dim(2) * x.shape().dim(3);
    int perGroup = channels / groups;
    int size = perGroup * pixels;
    for (int g = 0; g < x.shape().dim(0) * groups; g++) {
      double[] moments = moments(x.data(), g * size, size);
      double scale = 1 / Math.sqrt(moments[1] + eps);
      for (int i = 0; i < size; i++) {
        int c = g % groups * perGroup + i / pixels;
        double normed = (x.data()[g * size + i] - moments[0]) * scale;
        y[g * size + i] = (float) (normed * weight[c] + bias[c]);
      }
    }
  }

  /** Mean and (biased) variance of {@code n} values. */
  private static double[] moments(float[] x, int from, int n) {
    double mean = 0;
    for (int i = 0; i < n; i++) {
      mean += x[from + i];
    }
    mean /= n;
    double variance = 0;
    for (int i = 0; i < n; i++) {
      variance += (x[from + i] - mean) * (x[from + i] - mean);
    }
    return new double[] {mean, variance / n};
  }

  static void modulate(Tensor x, float[] shift, float[] scale, float[] y) {
    int perSample = x.shape().dim(1) * x.shape().dim(2);
    int c = x.shape().dim(2);
    for (int i = 0; i < y.length; i++) {
      int m = i / perSample * c + i % c;
      y[i] = (float) (x.data()[i] * (1.0 + scale[m]) + shift[m]);
    }
  }

  static void gatedAdd(Tensor x, float[] gate, float[] branch, float[] y) {
    int perSample = x.shape().dim(1) * x.shape().dim(2);
    int c = x.shape().dim(2);
    for (int i = 0; i < y.length; i++) {
      y[i] = (float) (x.data()[i] + (double) gate[i / perSample * c + i % c] * branch[i]);
    }
  }

  /** Repeats {@code b} along the leading axes. */
  static void add(float[] a, float[] b, float[] y) {
    for (int i = 0; i < y.length; i++) {
      y[i] = a[i] + b[i % b.length];
    }
  }

  /** Repeats {@code b} along the leading axes. */
  static void mul(float[] a, float[] b, float[] y) {
    for (int i = 0; i < y.length; i++) {
      y[i] = a[i] * b[i % b.length];
    }
  }

  static void affine(float[] x, double factor, double offset, float[] y) {
    for (int i = 0; i < y.length; i++) {
      y[i] = (float) (factor * x[i] + offset);
    }
  }

  static void activate(Activation function, float[] x, float[] y) {
    for (int i = 0; i < y.length; i++) {
      y[i] = (float) function.apply(x[i]);
    }
  }

  static void gather(Tensor table, int[] ids, float[] y) {
    int c = table.shape().dim(1);
    for (int i = 0; i < ids.length; i++) {
      if (ids[i] < 0 || ids[i] >= table.shape().dim(0)) {
        throw new IllegalArgumentException(
            "id " + ids[i] + " is outside the table's " + table.shape().dim(0) + " rows");
      }
      System.arraycopy(table.data(), ids[i] * c, y, i * c, c);
    }
  }

  static void timestepFeatures(float[] timestep, int dim, float[] y) {
    int half = dim / 2;
    for (int b = 0; b < timestep.length; b++) {
      for (int i = 0; i < half; i++) {
        double angle = timestep[b] * Math.exp(-Math.log(10000) * i / half);
        y[b * dim + i] = (float) Math.cos(angle);
        y[b * dim + half + i] = (float) Math.sin(angle);
      }
    }
  }

  static void upsampleNearest2x(Tensor x, float[] y) {
    int width = x.shape().dim(3);
    int rows = x.shape().rows();
    for (int row = 0; row < rows; row++) {
      for (int i = 0; i < 4 * width; i++) {
        y[4 * row * width + i] = x.data()[row * width + i % (2 * width) / 2];
      }
    }
  }

  static void slice(Op.Slice op, Tensor x, float[] y) {
    int inner = Math.toIntExact(x.shape().product(op.axis() + 1, x.shape().rank()));
    int outer = Math.toIntExact(x.shape().product(0, op.axis()));
    int from = x.shape().dim(op.axis()) * inner;
    int run = op.length() * inner;
    for (int i = 0; i < outer; i++) {
      System.arraycopy(x.data(), i * from + op.start() * inner, y, i * run, run);
    }
  }

  static void concat(Op.Concat op, Tensor[] parts, Shape shape, float[] y) {
    int inner = Math.toIntExact(shape.product(op.axis() + 1, shape.rank()));
    int outer = Math.toIntExact(shape.product(0, op.axis()));
    int to = shape.dim(op.axis()) * inner;
    int start = 0;
    for (Tensor part : parts) {
      int run = part.shape().dim(op.axis()) * inner;
      for (int i = 0; i < outer; i++) {
        System.arraycopy(part.data(), i * run, y, i * to + start, run);
      }
      start += run;
    }
  }

  static void permute(Op.Permute op, Tensor x, Shape shape, float[] y) {
    int rank = shape.rank();
    int[] strides = new int[rank];
    for (int i = 0; i < rank; i++) {
      int axis = op.axes().get(i);
      strides[i] = Math.toIntExact(x.shape().product(axis + 1, rank));
    }
    for (int i = 0; i < y.length; i++) {
      int rest = i;
      int from = 0;
      for (int axis = rank - 1; axis >= 0; axis--) {
        from += rest % shape.dim(axis) * strides[axis];
        rest /= shape.dim(axis);
      }
      y[i] = x.data()[from];
    }
  }
}
