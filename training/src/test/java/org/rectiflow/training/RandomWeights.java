package org.rectiflow.training;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.Weight;
import org.rectiflow.engine.WeightSource;

/** Whatever a model asks for, filled with random numbers: vectors around 1, all else around 0. */
record RandomWeights(Random random, Map<String, Weight> made) implements WeightSource {
  RandomWeights(long seed) {
    this(new Random(seed), new HashMap<>());
  }

  @Override
  public Optional<Weight> find(String name) {
    return Optional.ofNullable(made.get(name));
  }

  @Override
  public Set<String> names() {
    return made.keySet();
  }

  @Override
  public String origin() {
    return "random weights";
  }

  @Override
  public Weight require(String name, int... dims) {
    return made.computeIfAbsent(name, _ -> Weight.of(name, values(dims)));
  }

  private Tensor values(int... dims) {
    Tensor tensor = Tensor.zeros(Shape.of(dims));
    for (int i = 0; i < tensor.data().length; i++) {
      tensor.data()[i] = (float) ((dims.length == 1 ? 1 : 0) + 0.3 * random.nextGaussian());
    }
    return tensor;
  }
}
