package org.rectiflow.engine;

import java.util.List;

/**
 * One recorded op.
 *
 * @param index position in {@link Graph#nodes()}; inputs come from smaller indices
 * @param op what is computed
 * @param inputs operands in the order the op's Javadoc names them
 * @param outputs results
 * @param scope the named layer it belongs to, such as {@code block3.attn}; empty outside any
 */
public record Node(int index, Op op, List<Value> inputs, List<Value> outputs, String scope) {
  public Node {
    inputs = List.copyOf(inputs);
    outputs = List.copyOf(outputs);
  }

  /** The first, usually only, result. */
  public Value output() {
    return outputs.getFirst();
  }

  /** For messages: {@code Linear in block3.attn, inputs [2, 64, 192] [192, 192]}. */
  public String describe() {
    StringBuilder text = new StringBuilder(op.name());
    if (!scope.isEmpty()) {
      text.append(" in ").append(scope);
    }
    if (!inputs.isEmpty()) {
      text.append(", inputs");
      inputs.forEach(v -> text.append(' ').append(v.shape()));
    }
    return text.toString();
  }
}
