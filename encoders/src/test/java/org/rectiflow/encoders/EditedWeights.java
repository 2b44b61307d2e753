package org.rectiflow.encoders;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.Weight;
import org.rectiflow.engine.WeightSource;

/** A checkpoint with changes, for tests of what happens then. */
record EditedWeights(Map<String, Weight> weights) implements WeightSource {

  static EditedWeights of(WeightSource source) {
    Map<String, Weight> weights = new LinkedHashMap<>();
    source.names().forEach(name -> weights.put(name, source.require(name)));
    return new EditedWeights(weights);
  }

  EditedWeights without(String name) {
    weights.remove(name);
    return this;
  }

  EditedWeights with(String name, Weight weight) {
    weights.put(name, weight);
    return this;
  }

  EditedWeights renamed(String from, String to) {
    return with(to, weights.get(from)).without(from);
  }

  /** Every value rounded to float16, as in the single files. */
  EditedWeights halved() {
    UnaryOperator<Weight> half =
        weight -> {
          float[] values = weight.toFloats();
          for (int i = 0; i < values.length; i++) {
            values[i] = Float.float16ToFloat(Float.floatToFloat16(values[i]));
          }
          return Weight.of(weight.name(), new Tensor(weight.shape(), values));
        };
    weights.replaceAll((name, weight) -> half.apply(weight));
    return this;
  }

  @Override
  public Optional<Weight> find(String name) {
    return Optional.ofNullable(weights.get(name));
  }

  @Override
  public Set<String> names() {
    return weights.keySet();
  }

  @Override
  public String origin() {
    return "edited.safetensors";
  }
}
