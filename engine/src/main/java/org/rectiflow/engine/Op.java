package org.rectiflow.engine;

import java.util.List;

/**
 * The language models are written in. An op is a pure function of dense row-major float32 tensors
 * (token ids are int32); it carries its attributes, never data or sizes of its operands.
 *
 * <p>The interface is sealed so that a new op makes the compiler point at every place that has to
 * know it: {@link ShapeRules}, {@link Cost}, the reference backend and each other backend. What
 * each op computes is said here and defined by {@code org.rectiflow.engine.reference.ReferenceOps}.
 *
 * <p>Letters: B batch, T tokens, C channels, H heads, D channels of a head.
 */
public sealed interface Op {

  // ---- Sources ------------------------------------------------------------------------------

  /** A tensor given anew at every run. */
  record Input(String name, Shape shape, ElementType type) implements Op {}

  /** A weight in its stored type, usually a view of a memory-mapped file. */
  record Parameter(Weight weight) implements Op {}

  /** Float values fixed when the graph is built, such as zeros in place of an absent encoder. */
  record Constant(Tensor value) implements Op {}

  /** Integer values fixed when the graph is built, such as T5's relative position buckets. */
  record IntConstant(IntTensor value) implements Op {}

  // ---- Linear algebra -----------------------------------------------------------------------

  /** {@code y = x W^T + b}: x [..., K], W [N, K], b [N] if {@code bias}; y [..., N]. */
  record Linear(boolean bias) implements Op {}

  /** {@code a b} of two matrices, each transposed first if so marked: [M, K] by [K, N]. */
  record MatMul(boolean transposeA, boolean transposeB) implements Op {}

  /**
   * Softmax attention over the concatenation, along the tokens, of {@code streams} sequences (one
   * for self-attention, two for the joint attention of the paper's Figure 2b). Inputs q, k, v of
   * each stream, [B, T_s, H D] each; then an additive bias [H, T, T] if {@code bias}. One output
   * [B, T_s, H D] per stream. With {@code causal} a query sees keys up to its own position. With
   * {@code logSumExp} one more output [B, H, T], the logarithm of each query's sum of exponentials:
   * {@link Gradients} asks for it where a backward pass needs it.
   */
  record Attention(
      int streams, int heads, float scale, boolean causal, boolean bias, boolean logSumExp)
      implements Op {}

  /**
   * Cross-correlation of x [B, C, H, W] with w [O, C, kh, kw], plus b [O] if {@code bias}, after
   * padding with zeros.
   */
  record Conv2d(int stride, Padding padding, boolean bias) implements Op {}

  // ---- Normalisation and modulation ---------------------------------------------------------

  /** Layer norm over the last axis; inputs x and, if {@code affine}, weight and bias [C]. */
  record LayerNorm(float eps, boolean affine) implements Op {}

  /** {@code x / sqrt(mean(x^2) + eps) * weight} over the last axis; inputs x, weight [C]. */
  record RmsNorm(float eps) implements Op {}

  /** Group norm of x [B, C, H, W] over groups of C / {@code groups} channels; weight, bias [C]. */
  record GroupNorm(int groups, float eps) implements Op {}

  /**
   * {@code x (1 + scale) + shift}: x [B, T, C], shift and scale [B, C]. The code's form of adaLN.
   */
  record Modulate() implements Op {}

  /** {@code x + gate * y}: x and y [B, T, C], gate [B, C]. */
  record GatedAdd() implements Op {}

  // ---- Element-wise -------------------------------------------------------------------------

  /** {@code a + b}; b's shape equals a's or is a suffix of it (leading ones ignored). */
  record Add() implements Op {}

  /** {@code a * b}; shapes as for {@link Add}. */
  record Mul() implements Op {}

  /** {@code factor * x + offset}. */
  record Affine(float factor, float offset) implements Op {}

  /** {@link Activation} of each element. */
  record Activate(Activation function) implements Op {}

  /** The nearest value from {@code min} to {@code max}. */
  record Clamp(float min, float max) implements Op {}

  // ---- Sums and repetitions -----------------------------------------------------------------

  /** Sum over {@code axis}, which disappears. */
  record Sum(int axis) implements Op {}

  /** {@code log(sum(exp(x)))} over the last axis, which disappears: what a softmax divides by. */
  record LogSumExp() implements Op {}

  /** The tensor {@code count} times along a new axis {@code axis}: what {@link Sum} undoes. */
  record Repeat(int axis, int count) implements Op {}

  // ---- Lookups and features -----------------------------------------------------------------

  /** Rows of table [V, C] by ids [...] (int32): [..., C]. */
  record Gather() implements Op {}

  /**
   * Sinusoidal features of t [B]: {@code [cos(t f_i), sin(t f_i)]} with {@code f_i = exp(-ln(10000)
   * i / (dim/2))}, cosines first as in the released models: [B, dim].
   */
  record TimestepFeatures(int dim) implements Op {}

  // ---- Layout -------------------------------------------------------------------------------

  /** Every pixel doubled in both directions: [B, C, H, W] to [B, C, 2H, 2W]. */
  record UpsampleNearest2x() implements Op {}

  /** The same elements under another shape. Never costs anything. */
  record Reshape(Shape shape) implements Op {}

  /** {@code length} entries of {@code axis} from {@code start}. */
  record Slice(int axis, int start, int length) implements Op {}

  /** Inputs joined along {@code axis}. */
  record Concat(int axis) implements Op {}

  /** Axis {@code i} of the result is axis {@code axes[i]} of the input. */
  record Permute(List<Integer> axes) implements Op {
    public Permute {
      axes = List.copyOf(axes);
    }
  }

  // ---- Derivatives: what Gradients cannot say with the ops above ----------------------------
  // dy is the derivative of a number by an op's result, dx that by its operand x.

  /** {@code dy f'(x)}; inputs x, dy. At the corner of {@link Activation#ABS} f' is 0. */
  record ActivateGrad(Activation function) implements Op {}

  /** dy where {@code min <= x <= max}, 0 elsewhere; inputs x, dy. */
  record ClampGrad(float min, float max) implements Op {}

  /**
   * Of {@link LayerNorm}: inputs x, weight if {@code affine}, dy; outputs dx and, if {@code
   * affine}, those of weight and bias.
   */
  record LayerNormGrad(float eps, boolean affine) implements Op {}

  /**
   * Of {@link Modulate} of {@link LayerNorm} without weights: inputs x [B, T, C], scale [B, C], dy;
   * outputs dx and those of shift and scale. The norm's result is not needed: it is computed again.
   */
  record ModulatedNormGrad(float eps) implements Op {}

  /** Of {@link RmsNorm}: inputs x, weight, dy; outputs dx and that of the weight. */
  record RmsNormGrad(float eps) implements Op {}

  /** Of {@link GroupNorm}: inputs x, weight, dy; outputs dx and those of weight and bias. */
  record GroupNormGrad(int groups, float eps) implements Op {}

  /**
   * Of {@link Attention}, whose probabilities are computed anew from the log-sum-exp (Dao et al.,
   * "FlashAttention", 2022, Appendix B). Inputs q, k, v of each stream; the bias if there is one;
   * each stream's result; the log-sum-exp; each stream's dy. Outputs dq, dk, dv of each stream; the
   * derivative by the bias if there is one.
   */
  record AttentionGrad(Attention attention) implements Op {}

  /** Of {@link Conv2d} by x, whose shape is {@code input}; inputs w, dy. */
  record Conv2dInputGrad(int stride, Padding padding, Shape input) implements Op {}

  /** Of {@link Conv2d} by w [O, C, {@code height}, {@code width}]; inputs x, dy. */
  record Conv2dWeightGrad(int stride, Padding padding, int height, int width) implements Op {}

  /**
   * Of {@link Gather} by a table of {@code rows} rows: rows of dy added up by id; inputs dy, ids.
   */
  record ScatterAdd(int rows) implements Op {}

  /** Zero padding of a convolution, in pixels. */
  record Padding(int top, int bottom, int left, int right) {
    /** The same padding on all sides. */
    public static Padding all(int pixels) {
      return new Padding(pixels, pixels, pixels, pixels);
    }
  }

  /** The op's name as profiles and errors print it. */
  default String name() {
    return getClass().getSimpleName();
  }
}
