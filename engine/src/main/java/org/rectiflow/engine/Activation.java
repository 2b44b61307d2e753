package org.rectiflow.engine;

/**
 * Element-wise non-linearities of SD3's parts. Evaluated here in double; the definition of each.
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
  },
  /** The tanh approximation of GELU: MMDiT's MLPs and, as {@code gelu_new}, T5's gate. */
  GELU_TANH {
    @Override
    public double apply(double x) {
      return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
    }
  },
  /** x * Phi(x) with the exact normal distribution function: CLIP-G. */
  GELU_ERF {
    @Override
    public double apply(double x) {
      return 0.5 * x * Erf.erfc(-x / Math.sqrt(2));
    }
  },
  /** x * sigmoid(1.702 x): CLIP-L. */
  QUICK_GELU {
    @Override
    public double apply(double x) {
      return x / (1 + Math.exp(-1.702 * x));
    }
  };

  /** The value at {@code x}. */
  public abstract double apply(double x);
}
