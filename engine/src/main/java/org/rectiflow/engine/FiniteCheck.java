package org.rectiflow.engine;

/** The NaN guard: finds values that are not finite and names the op that made them. */
public final class FiniteCheck {
  private FiniteCheck() {}

  /**
   * Checks a node's result.
   *
   * @throws NonFiniteException naming the op, its layer and the first bad element
   */
  public static void require(float[] values, Node node) {
    for (int i = 0; i < values.length; i++) {
      if (!Float.isFinite(values[i])) {
        throw failure(node, values[i], i);
      }
    }
  }

  /** The exception for element {@code index} of {@code node}'s result. */
  public static NonFiniteException failure(Node node, float value, long index) {
    String cause =
        node.op() instanceof Op.Parameter(Weight weight)
            ? "the weight " + weight.name() + " has"
            : node.describe() + " made";
    return new NonFiniteException(
        "%s a value of %s (element %d). Weights stored in a narrow type may overflow, or the file is"
                .formatted(cause, value, index)
            + " damaged: compare `rectiflow inspect` with the publisher's hashes.");
  }
}
