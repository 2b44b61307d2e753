package org.rectiflow.training;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.rectiflow.engine.Gradients;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Recompute;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.Value;
import org.rectiflow.engine.Weight;

/**
 * The tensors of a model that are trained. They are inputs of its graph, named as in the
 * checkpoint, so that their values can change from run to run; all other tensors stay parameters.
 *
 * <p>Values are in the shape the model asks for, which may be another view of the stored one.
 */
final class Trainables {
  private final Graph graph;
  private final Predicate<String> trained;
  private final Map<String, Tensor> initial = new LinkedHashMap<>();
  private final Map<String, Value> inputs = new LinkedHashMap<>();

  /**
   * @param trained whether the tensor of a name is trained
   */
  Trainables(Graph graph, Predicate<String> trained) {
    this.graph = graph;
    this.trained = trained;
  }

  /** What stands for {@code weight} in the graph; for {@link Graph#include}. */
  Value record(Weight weight) {
    if (!trained.test(weight.name())) {
      return graph.parameter(weight);
    }
    return inputs.computeIfAbsent(
        weight.name(),
        name -> {
          initial.put(name, new Tensor(weight.shape(), weight.toFloats()));
          return graph.input(name, weight.shape().dims());
        });
  }

  /** As {@link #record(Weight)}, under the name with {@code prefix} before it. */
  Value record(String prefix, Weight weight) {
    return record(
        new Weight(prefix + weight.name(), weight.dtype(), weight.shape(), weight.data()));
  }

  /** Makes {@code loss} an output, and {@code grad.NAME} its derivative by each trained tensor. */
  void differentiate(Value loss) {
    differentiate(loss, Recompute.NONE);
  }

  /** The same, with parts of the forward pass computed again instead of kept. */
  void differentiate(Value loss, Recompute recompute) {
    List<Value> gradients = Gradients.of(graph, loss, List.copyOf(inputs.values()), recompute);
    graph.output(Objective.LOSS, loss);
    int i = 0;
    for (String name : inputs.keySet()) {
      graph.output(Objective.GRADIENT + name, gradients.get(i++));
    }
  }

  /** The values at the start, by name; copies of the stored ones. */
  Map<String, Tensor> initial() {
    return Collections.unmodifiableMap(initial);
  }
}
