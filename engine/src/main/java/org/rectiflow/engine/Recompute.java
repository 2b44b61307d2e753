package org.rectiflow.engine;

/**
 * What the backward pass keeps of the forward pass, and what it computes again from what it kept
 * (gradient checkpointing; Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016).
 * Derivatives are the same to the bit either way.
 */
public enum Recompute {
  /** Every result that a derivative needs is kept: the most memory and the least work. */
  NONE,

  /**
   * Of each numbered part of a model, such as a transformer's blocks, only what it begins with is
   * kept; the backward pass computes the part once more before it goes through it. That costs one
   * more forward pass, about a third of a step without.
   */
  BLOCKS;

  /**
   * The part of the model that {@code node} is computed again with: its scope up to the first name
   * that ends in a digit, as {@code block3}. Empty if its result is kept.
   */
  String part(Node node) {
    boolean source =
        switch (node.op()) {
          case Op.Input _, Op.Parameter _, Op.Constant _, Op.IntConstant _ -> true;
          default -> false;
        };
    if (this == NONE || source) {
      return "";
    }
    String scope = node.scope();
    for (int i = 0; i < scope.length(); i++) {
      boolean ends = i + 1 == scope.length() || scope.charAt(i + 1) == '.';
      if (ends && Character.isDigit(scope.charAt(i))) {
        return scope.substring(0, i + 1);
      }
    }
    return "";
  }
}
