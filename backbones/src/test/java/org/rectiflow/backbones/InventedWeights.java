package org.rectiflow.backbones;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.Weight;
import org.rectiflow.engine.WeightSource;

/** Random tensors of whatever names and shapes a model asks for. */
final class InventedWeights implements WeightSource {
  private final Map<String, Weight> made = new LinkedHashMap<>();

  @Override
  public Optional<Weight> find(String name) {
    return Optional.ofNullable(made.get(name));
  }

  @Override
  public Set<String> names() {
    return Collections.unmodifiableSet(made.keySet());
  }

  @Override
  public String origin() {
    return "invented weights";
  }

  @Override
  public Weight require(String name, int... dims) {
    Weight weight = made.computeIfAbsent(name, _ -> Weight.of(name, tensor(name, dims)));
    assertSame(weight, dims);
    return weight;
  }

  private static void assertSame(Weight weight, int... dims) {
    if (!weight.shape().equals(Shape.of(dims))) {
      throw new AssertionError(weight + " was asked for as " + Shape.of(dims));
    }
  }

  private static Tensor tensor(String name, int... dims) {
    Random random = new Random(name.hashCode());
    Tensor tensor = Tensor.zeros(Shape.of(dims));
    long inputs = Math.max(1, tensor.shape().count() / tensor.shape().dim(0));
    boolean norm = dims.length == 1 && name.endsWith(".weight");
    for (int i = 0; i < tensor.data().length; i++) {
      double value = random.nextGaussian() * (dims.length == 1 ? 0.1 : 1 / Math.sqrt(inputs));
      tensor.data()[i] = (float) (norm ? 1 + value : value);
    }
    return tensor;
  }

  /** Elements of all tensors but the table of positions. */
  long parameters() {
    return made.entrySet().stream()
        .filter(e -> !e.getKey().equals("pos_embed.pos_embed"))
        .mapToLong(e -> e.getValue().shape().count())
        .sum();
  }
}
