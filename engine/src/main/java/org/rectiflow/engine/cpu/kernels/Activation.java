package org.rectiflow.engine.cpu.kernels;

/** Pointwise functions a kernel can apply to its result. */
public enum Activation {
  /** y = x. */
  NONE,
  /** y = x * sigmoid(x). */
  SILU,
  /** y = x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3))). */
  GELU_TANH,
  /** y = x/2 * (1 + erf(x / sqrt(2))). */
  GELU_ERF,
  /** y = x * sigmoid(1.702 x), as in CLIP-L. */
  QUICK_GELU,
  /** y = max(x, 0). */
  RELU,
  /** y = 1 / (1 + exp(-x)). */
  SIGMOID,
  /** y = tanh(x). */
  TANH,
  /** y = erf(x). */
  ERF,
  /** y = exp(x). */
  EXP,
  /** y = |x|. */
  ABS
}
