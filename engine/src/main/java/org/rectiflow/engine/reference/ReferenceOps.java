package org.rectiflow.engine.reference;

import org.rectiflow.engine.Activation;
import org.rectiflow.engine.Op;
import org.rectiflow.engine.Shape;

/**
 * The definition of every op: plain loops in double precision. Slow on purpose; other backends are
 * compared with it. {@link ReferenceGradients} has the derivatives.
 */
final class ReferenceOps {
  private ReferenceOps() {}

  static void linear(Reals x, Reals w, double[] bias, double[] y) {
    int n = w.shape().dim(0);
    int k = w.shape().dim(1);
    int rows = x.shape().rows();
    for (int row = 0; row < rows; row++) {
      for (int col = 0; col < n; col++) {
        double sum = bias == null ? 0 : bias[col];
        for (int i = 0; i < k; i++) {
          sum += x.data()[row * k + i] * w.data()[col * k + i];
        }
        y[row * n + col] = sum;
      }
    }
  }

  /** Softmax(scale q k^T + bias) v over all streams' tokens; see {@link Op.Attention}. */
  static void attention(Op.Attention op, Reals[] in, double[][] out) {
    Shape first = in[0].shape();
    int width = first.dim(2);
    int d = width / op.heads();
    int tokens = 0;
    for (int s = 0; s < op.streams(); s++) {
      tokens += in[3 * s].shape().dim(1);
    }
    double[] bias = op.bias() ? in[3 * op.streams()].data() : null;
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
            double logSumExp = softmax(p, visible);
            if (op.logSumExp()) {
              out[op.streams()][(b * op.heads() + h) * tokens + query] = logSumExp;
            }
            java.util.Arrays.fill(sum, 0);
            int key = 0;
            for (int u = 0; u < op.streams(); u++) {
              Reals v = in[3 * u + 2];
              int keys = v.shape().dim(1);
              for (int j = 0; j < keys && key < visible; j++, key++) {
                int at = (b * keys + j) * width + h * d;
                for (int i = 0; i < d; i++) {
                  sum[i] += p[key] * v.data()[at + i];
                }
              }
            }
            for (int i = 0; i < d; i++) {
              out[s][q + i] = sum[i];
            }
          }
        }
      }
    }
  }

  static void scores(
      Op.Attention op,
      Reals[] in,
      int b,
      int h,
      int q,
      double[] queries,
      double[] bias,
      int query,
      int tokens,
      double[] p) {
    int width = in[0].shape().dim(2);
    int d = width / op.heads();
    int key = 0;
    for (int u = 0; u < op.streams(); u++) {
      Reals k = in[3 * u + 1];
      int keys = k.shape().dim(1);
      for (int j = 0; j < keys; j++, key++) {
        int at = (b * keys + j) * width + h * d;
        double dot = 0;
        for (int i = 0; i < d; i++) {
          dot += queries[q + i] * k.data()[at + i];
        }
        double add = bias == null ? 0 : bias[(h * tokens + query) * tokens + key];
        p[key] = op.scale() * dot + add;
      }
    }
  }

  /** In place; returns the logarithm of the sum of the exponentials. */
  private static double softmax(double[] p, int n) {
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
    return max + Math.log(sum);
  }

  static void conv2d(Op.Conv2d op, Reals x, Reals w, double[] bias, Shape shape, double[] y) {
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
            y[at] = sum;
          }
        }
      }
    }
  }

  /** {@code weight} and {@code bias} may be null. */
  static void layerNorm(Reals x, double[] weight, double[] bias, double eps, double[] y) {
    int c = x.shape().dim(-1);
    for (int row = 0; row < x.shape().rows(); row++) {
      double[] moments = moments(x.data(), row * c, c);
      double scale = 1 / Math.sqrt(moments[1] + eps);
      for (int i = 0; i < c; i++) {
        double normed = (x.data()[row * c + i] - moments[0]) * scale;
        y[row * c + i] = weight == null ? normed : normed * weight[i] + bias[i];
      }
    }
  }

  static void rmsNorm(Reals x, double[] weight, double eps, double[] y) {
    int c = x.shape().dim(-1);
    for (int row = 0; row < x.shape().rows(); row++) {
      double squares = 0;
      for (int i = 0; i < c; i++) {
        squares += x.data()[row * c + i] * x.data()[row * c + i];
      }
      double scale = 1 / Math.sqrt(squares / c + eps);
      for (int i = 0; i < c; i++) {
        y[row * c + i] = x.data()[row * c + i] * scale * weight[i];
      }
    }
  }

  static void groupNorm(
      Reals x, double[] weight, double[] bias, int groups, double eps, double[] y) {
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
        y[g * size + i] = normed * weight[c] + bias[c];
      }
    }
  }

  /** Mean and (biased) variance of {@code n} values. */
  static double[] moments(double[] x, int from, int n) {
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

  static void modulate(Reals x, double[] shift, double[] scale, double[] y) {
    int perSample = x.shape().dim(1) * x.shape().dim(2);
    int c = x.shape().dim(2);
    for (int i = 0; i < y.length; i++) {
      int m = i / perSample * c + i % c;
      y[i] = x.data()[i] * (1.0 + scale[m]) + shift[m];
    }
  }

  static void gatedAdd(Reals x, double[] gate, double[] branch, double[] y) {
    int perSample = x.shape().dim(1) * x.shape().dim(2);
    int c = x.shape().dim(2);
    for (int i = 0; i < y.length; i++) {
      y[i] = x.data()[i] + gate[i / perSample * c + i % c] * branch[i];
    }
  }

  /** Repeats {@code b} along the leading axes. */
  static void add(double[] a, double[] b, double[] y) {
    for (int i = 0; i < y.length; i++) {
      y[i] = a[i] + b[i % b.length];
    }
  }

  /** Repeats {@code b} along the leading axes. */
  static void mul(double[] a, double[] b, double[] y) {
    for (int i = 0; i < y.length; i++) {
      y[i] = a[i] * b[i % b.length];
    }
  }

  static void affine(double[] x, double factor, double offset, double[] y) {
    for (int i = 0; i < y.length; i++) {
      y[i] = factor * x[i] + offset;
    }
  }

  static void activate(Activation function, double[] x, double[] y) {
    for (int i = 0; i < y.length; i++) {
      y[i] = function.apply(x[i]);
    }
  }

  static void clamp(double[] x, double min, double max, double[] y) {
    for (int i = 0; i < y.length; i++) {
      y[i] = Math.clamp(x[i], min, max);
    }
  }

  static void matMul(Op.MatMul op, Reals a, Reals b, Shape shape, double[] y) {
    int k = a.shape().dim(op.transposeA() ? 0 : 1);
    int m = shape.dim(0);
    int n = shape.dim(1);
    for (int row = 0; row < m; row++) {
      for (int col = 0; col < n; col++) {
        double sum = 0;
        for (int i = 0; i < k; i++) {
          double left = a.data()[op.transposeA() ? i * m + row : row * k + i];
          sum += left * b.data()[op.transposeB() ? col * k + i : i * n + col];
        }
        y[row * n + col] = sum;
      }
    }
  }

  static void sum(int axis, Reals x, double[] y) {
    int size = x.shape().dim(axis);
    int inner = Math.toIntExact(x.shape().product(axis + 1, x.shape().rank()));
    for (int i = 0; i < x.data().length; i++) {
      y[i / (size * inner) * inner + i % inner] += x.data()[i];
    }
  }

  static void logSumExp(Reals x, double[] y) {
    int size = x.shape().dim(-1);
    for (int row = 0; row < y.length; row++) {
      double max = Double.NEGATIVE_INFINITY;
      for (int i = 0; i < size; i++) {
        max = Math.max(max, x.data()[row * size + i]);
      }
      double sum = 0;
      for (int i = 0; i < size; i++) {
        sum += Math.exp(x.data()[row * size + i] - max);
      }
      y[row] = max + Math.log(sum);
    }
  }

  static void repeat(Op.Repeat op, Reals x, double[] y) {
    int inner = Math.toIntExact(x.shape().product(op.axis(), x.shape().rank()));
    for (int i = 0; i < y.length; i++) {
      y[i] = x.data()[i / (op.count() * inner) * inner + i % inner];
    }
  }

  static void gather(Reals table, int[] ids, double[] y) {
    int c = table.shape().dim(1);
    for (int i = 0; i < ids.length; i++) {
      if (ids[i] < 0 || ids[i] >= table.shape().dim(0)) {
        throw new IllegalArgumentException(
            "id " + ids[i] + " is outside the table's " + table.shape().dim(0) + " rows");
      }
      System.arraycopy(table.data(), ids[i] * c, y, i * c, c);
    }
  }

  static void timestepFeatures(double[] timestep, int dim, double[] y) {
    int half = dim / 2;
    for (int b = 0; b < timestep.length; b++) {
      for (int i = 0; i < half; i++) {
        double angle = timestep[b] * Math.exp(-Math.log(10000) * i / half);
        y[b * dim + i] = Math.cos(angle);
        y[b * dim + half + i] = Math.sin(angle);
      }
    }
  }

  static void upsampleNearest2x(Reals x, double[] y) {
    int width = x.shape().dim(3);
    int rows = x.shape().rows();
    for (int row = 0; row < rows; row++) {
      for (int i = 0; i < 4 * width; i++) {
        y[4 * row * width + i] = x.data()[row * width + i % (2 * width) / 2];
      }
    }
  }

  static void slice(Op.Slice op, Reals x, double[] y) {
    int inner = Math.toIntExact(x.shape().product(op.axis() + 1, x.shape().rank()));
    int outer = Math.toIntExact(x.shape().product(0, op.axis()));
    int from = x.shape().dim(op.axis()) * inner;
    int run = op.length() * inner;
    for (int i = 0; i < outer; i++) {
      System.arraycopy(x.data(), i * from + op.start() * inner, y, i * run, run);
    }
  }

  static void concat(Op.Concat op, Reals[] parts, Shape shape, double[] y) {
    int inner = Math.toIntExact(shape.product(op.axis() + 1, shape.rank()));
    int outer = Math.toIntExact(shape.product(0, op.axis()));
    int to = shape.dim(op.axis()) * inner;
    int start = 0;
    for (Reals part : parts) {
      int run = part.shape().dim(op.axis()) * inner;
      for (int i = 0; i < outer; i++) {
        System.arraycopy(part.data(), i * run, y, i * to + start, run);
      }
      start += run;
    }
  }

  static void permute(Op.Permute op, Reals x, Shape shape, double[] y) {
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
