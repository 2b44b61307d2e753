package org.rectiflow.trainer.transformer;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.Weight;
import org.rectiflow.engine.WeightSource;

/**
 * A model's tensors with trained values in place of some, in the shapes that the model was made
 * from.
 */
public final class ValueWeights implements WeightSource {
  private final WeightSource base;
  private final Map<String, Weight> weights = new LinkedHashMap<>();

  /**
   * @param base all tensors; those that are not trained stay
   * @param values of the trained ones, in any view of their shape; copied
   */
  public ValueWeights(WeightSource base, Map<String, Tensor> values) {
    this.base = base;
    for (String name : base.names()) {
      Weight old = base.require(name);
      Tensor value = values.get(name);
      weights.put(name, value == null ? old : Weight.of(name, value.reshape(old.shape().dims())));
    }
  }

  @Override
  public Optional<Weight> find(String name) {
    return Optional.ofNullable(weights.get(name));
  }

  @Override
  public Set<String> names() {
    return base.names();
  }

  @Override
  public String origin() {
    return base.origin();
  }
}
