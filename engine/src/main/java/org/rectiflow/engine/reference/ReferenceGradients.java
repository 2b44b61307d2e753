package org.rectiflow.engine.reference;

import java.util.Arrays;
import org.rectiflow.engine.Activation;
import org.rectiflow.engine.Op;
import org.rectiflow.engine.Shape;

/** The definition of the ops that are derivatives of others: plain loops in double precision. */
final class ReferenceGradients {
  private ReferenceGradients() {}

  static void activate(Activation function, double[] x, double[] dy, double[] dx) {
    for (int i = 0; i < dx.length; i++) {
      dx[i] = dy[i] * function.derivative(x[i]);
    }
  }

  static void clamp(double[] x, double min, double max, double[] dy, double[] dx) {
    for (int i = 0; i < dx.length; i++) {
      dx[i] = x[i] >= min && x[i] <= max ? dy[i] : 0;
    }
  }

  /**
   * Layer norm over rows of the last axis, or group norm over groups of channels: both normalise
   * runs of elements that lie side by side.
   *
   * @param run elements normalised together
   * @param channels of the weight
   * @param pixels neighbours that share an element of the weight
   * @param weight or null
   * @param dw derivatives by weight and bias, or null
   */
  static void norm(
      double[] x,
      double[] weight,
      double[] dy,
      int run,
      int channels,
      int pixels,
      double eps,
      double[] dx,
      double[] dw,
      double[] db) {
    for (int from = 0; from < x.length; from += run) {
      double[] moments = ReferenceOps.moments(x, from, run);
      double inverse = 1 / Math.sqrt(moments[1] + eps);
      double mean = 0;
      double slope = 0;
      for (int i = from; i < from + run; i++) {
        double normed = (x[i] - moments[0]) * inverse;
        int c = i / pixels % channels;
        double d = weight == null ? dy[i] : dy[i] * weight[c];
        mean += d / run;
        slope += d * normed / run;
        if (weight != null) {
          dw[c] += dy[i] * normed;
          db[c] += dy[i];
        }
      }
      for (int i = from; i < from + run; i++) {
        double normed = (x[i] - moments[0]) * inverse;
        double d = weight == null ? dy[i] : dy[i] * weight[i / pixels % channels];
        dx[i] = inverse * (d - mean - normed * slope);
      }
    }
  }

  /** Layer norm with weights 1 + scale and biases of each sample. */
  static void modulatedNorm(
      Reals x,
      Reals scale,
      double[] dy,
      double eps,
      double[] dx,
      double[] dShift,
      double[] dScale) {
    int c = x.shape().dim(2);
    int run = x.shape().dim(1) * c;
    for (int b = 0; b < x.shape().dim(0); b++) {
      double[] weight = Arrays.copyOfRange(scale.data(), b * c, (b + 1) * c);
      for (int i = 0; i < c; i++) {
        weight[i] += 1;
      }
      double[] own = Arrays.copyOfRange(x.data(), b * run, (b + 1) * run);
      double[] ownDy = Arrays.copyOfRange(dy, b * run, (b + 1) * run);
      double[] ownDx = new double[run];
      double[] dw = new double[c];
      double[] db = new double[c];
      norm(own, weight, ownDy, c, c, 1, eps, ownDx, dw, db);
      System.arraycopy(ownDx, 0, dx, b * run, run);
      System.arraycopy(db, 0, dShift, b * c, c);
      System.arraycopy(dw, 0, dScale, b * c, c);
    }
  }

  static void rmsNorm(Reals x, double[] weight, double[] dy, double eps, double[] dx, double[] dw) {
    int c = x.shape().dim(-1);
    for (int from = 0; from < dx.length; from += c) {
      double squares = 0;
      for (int i = 0; i < c; i++) {
        squares += x.data()[from + i] * x.data()[from + i];
      }
      double inverse = 1 / Math.sqrt(squares / c + eps);
      double slope = 0;
      for (int i = 0; i < c; i++) {
        double normed = x.data()[from + i] * inverse;
        slope += dy[from + i] * weight[i] * normed / c;
        dw[i] += dy[from + i] * normed;
      }
      for (int i = 0; i < c; i++) {
        double normed = x.data()[from + i] * inverse;
        dx[from + i] = inverse * (dy[from + i] * weight[i] - normed * slope);
      }
    }
  }

  /**
   * With P the probabilities, o the result and dP = dy v^T: dS = P (dP - dy.o), and so dv = P^T dy,
   * dq = scale dS k, dk = scale dS^T q.
   */
  static void attention(Op.Attention op, Reals[] in, double[][] out) {
    int streams = op.streams();
    int width = in[0].shape().dim(2);
    int d = width / op.heads();
    int tokens = 0;
    for (int s = 0; s < streams; s++) {
      tokens += in[3 * s].shape().dim(1);
    }
    double[] bias = op.bias() ? in[3 * streams].data() : null;
    int results = 3 * streams + (op.bias() ? 1 : 0);
    double[] logSumExp = in[results + streams].data();
    double[] scores = new double[tokens];
    for (int b = 0; b < in[0].shape().dim(0); b++) {
      for (int h = 0; h < op.heads(); h++) {
        int query = 0;
        for (int s = 0; s < streams; s++) {
          double[] y = in[results + s].data();
          double[] dy = in[results + streams + 1 + s].data();
          int own = in[3 * s].shape().dim(1);
          for (int t = 0; t < own; t++, query++) {
            int q = (b * own + t) * width + h * d;
            ReferenceOps.scores(op, in, b, h, q, in[3 * s].data(), bias, query, tokens, scores);
            double norm = logSumExp[(b * op.heads() + h) * tokens + query];
            double dot = dot(dy, q, y, q, d);
            int key = 0;
            for (int u = 0; u < streams; u++) {
              double[] k = in[3 * u + 1].data();
              double[] v = in[3 * u + 2].data();
              int keys = in[3 * u].shape().dim(1);
              for (int j = 0; j < keys; j++, key++) {
                if (op.causal() && key > query) {
                  continue;
                }
                int at = (b * keys + j) * width + h * d;
                double p = Math.exp(scores[key] - norm);
                double ds = p * (dot(dy, q, v, at, d) - dot);
                for (int i = 0; i < d; i++) {
                  out[3 * s][q + i] += op.scale() * ds * k[at + i];
                  out[3 * u + 1][at + i] += op.scale() * ds * in[3 * s].data()[q + i];
                  out[3 * u + 2][at + i] += p * dy[q + i];
                }
                if (bias != null) {
                  out[3 * streams][(h * tokens + query) * tokens + key] += ds;
                }
              }
            }
          }
        }
      }
    }
  }

  private static double dot(double[] a, int i, double[] b, int j, int n) {
    double sum = 0;
    for (int k = 0; k < n; k++) {
      sum += a[i + k] * b[j + k];
    }
    return sum;
  }

  /** One multiply-add of a convolution: elements of x, w and y. */
  private interface Tap {
    void at(int x, int w, int y);
  }

  private static void convolve(
      Shape x, int height, int width, int stride, Op.Padding padding, Shape y, Tap tap) {
    int taps = height * width;
    for (int i = 0; i < y.count() * x.dim(1) * taps; i++) {
      int column = i % width;
      int row = i / width % height;
      int c = i / taps % x.dim(1);
      int out = i / taps / x.dim(1);
      int o = out / (y.dim(2) * y.dim(3)) % y.dim(1);
      int b = out / (y.dim(1) * y.dim(2) * y.dim(3));
      int r = out / y.dim(3) % y.dim(2) * stride + row - padding.top();
      int q = out % y.dim(3) * stride + column - padding.left();
      if (r >= 0 && r < x.dim(2) && q >= 0 && q < x.dim(3)) {
        tap.at(
            ((b * x.dim(1) + c) * x.dim(2) + r) * x.dim(3) + q,
            ((o * x.dim(1) + c) * height + row) * width + column,
            out);
      }
    }
  }

  static void conv2dInput(Op.Conv2dInputGrad op, Reals w, Reals dy, double[] dx) {
    convolve(
        op.input(),
        w.shape().dim(2),
        w.shape().dim(3),
        op.stride(),
        op.padding(),
        dy.shape(),
        (i, j, k) -> dx[i] += w.data()[j] * dy.data()[k]);
  }

  static void conv2dWeight(Op.Conv2dWeightGrad op, Reals x, Reals dy, double[] dw) {
    convolve(
        x.shape(),
        op.height(),
        op.width(),
        op.stride(),
        op.padding(),
        dy.shape(),
        (i, j, k) -> dw[j] += x.data()[i] * dy.data()[k]);
  }

  static void scatterAdd(Reals dy, int[] ids, double[] y) {
    int c = dy.shape().dim(-1);
    for (int i = 0; i < dy.data().length; i++) {
      y[ids[i / c] * c + i % c] += dy.data()[i];
    }
  }
}
