package org.rectiflow.engine;

/**
 * Element-wise functions of SD3's parts and of their losses. Evaluated here in double; the
 * definition of each.
 */
public enum Activation {
  /**
   * x * sigmoid(x): the embedders and adaLN of MMDiT, every convolution block of the autoencoder.
   */
  SILU {
    @Override
    public double apply(double x) {
      return x / (1 + Math.exp(-x));
    }

    @Override
    public double derivative(double x) {
      return sigmoidProduct(x, 1);
    }
  },
  /** The tanh approximation of GELU: MMDiT's MLPs and, as {@code gelu_new}, T5's gate. */
  GELU_TANH {
    @Override
    public double apply(double x) {
      return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
    }

    @Override
    public double derivative(double x) {
      double t = Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x));
      double inner = Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * x * x);
      return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * inner;
    }
  },
  /** x * Phi(x) with the exact normal distribution function: CLIP-G. */
  GELU_ERF {
    @Override
    public double apply(double x) {
      return 0.5 * x * Erf.erfc(-x / Math.sqrt(2));
    }

    @Override
    public double derivative(double x) {
      double density = Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
      return 0.5 * Erf.erfc(-x / Math.sqrt(2)) + x * density;
    }
  },
  /** x * sigmoid(1.702 x): CLIP-L. */
  QUICK_GELU {
    @Override
    public double apply(double x) {
      return x / (1 + Math.exp(-1.702 * x));
    }

    @Override
    public double derivative(double x) {
      return sigmoidProduct(x, 1.702);
    }
  },
  /** |x|: the autoencoder's reconstruction loss. */
  ABS {
    @Override
    public double apply(double x) {
      return Math.abs(x);
    }

    @Override
    public double derivative(double x) {
      return Math.signum(x);
    }
  },
  /** e^x: variances from their logarithms. */
  EXP {
    @Override
    public double apply(double x) {
      return Math.exp(x);
    }

    @Override
    public double derivative(double x) {
      return Math.exp(x);
    }
  };

  /** The derivative of x * sigmoid(a x). */
  private static double sigmoidProduct(double x, double a) {
    double s = 1 / (1 + Math.exp(-a * x));
    return s + a * x * s * (1 - s);
  }

  /** The value at {@code x}. */
  public abstract double apply(double x);

  /** The derivative at {@code x}. */
  public abstract double derivative(double x);
}
