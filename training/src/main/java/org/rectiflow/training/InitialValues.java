package org.rectiflow.training;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.rectiflow.engine.CheckpointException;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.Weight;
import org.rectiflow.engine.WeightSource;

/**
 * The tensors of a model that begins from nothing: each comes into being, in float32, when the
 * model first asks for it by name and shape. Its values depend on the seed, its name and its shape
 * alone, not on what was asked for before.
 */
public final class InitialValues implements WeightSource {
  private final InitialRule rule;
  private final long seed;
  private final Map<String, Weight> made = new LinkedHashMap<>();

  /**
   * @param rule what values are drawn
   * @param seed of all of them
   * @param given tensors that are not drawn, such as a table of positions
   */
  public InitialValues(InitialRule rule, long seed, Map<String, Tensor> given) {
    this.rule = rule;
    this.seed = seed;
    given.forEach((name, tensor) -> made.put(name, Weight.of(name, tensor)));
  }

  /** Tensors that are all there; nothing else is ever made. */
  public static InitialValues given(String origin, Map<String, Tensor> tensors) {
    InitialRule nothingElse =
        (name, _, _, _, _) -> {
          throw new CheckpointException("%s has no tensor %s".formatted(origin, name));
        };
    return new InitialValues(nothingElse, 0, tensors);
  }

  /**
   * The tensors of a checkpoint, on the heap and in float32, so that its file can be closed, and
   * later be replaced. Nothing else is ever made.
   */
  public static InitialValues copyOf(WeightSource stored) {
    Map<String, Tensor> values = new TreeMap<>();
    for (String name : stored.names()) {
      Weight weight = stored.require(name);
      values.put(name, new Tensor(weight.shape(), weight.toFloats()));
    }
    return given(stored.origin(), values);
  }

  @Override
  public Optional<Weight> find(String name) {
    return Optional.ofNullable(made.get(name));
  }

  /** Names of the tensors that were given or asked for by now. */
  @Override
  public Set<String> names() {
    return Collections.unmodifiableSet(made.keySet());
  }

  @Override
  public String origin() {
    return "the initial values of seed " + seed;
  }

  @Override
  public Weight require(String name, int... dims) {
    if (!made.containsKey(name)) {
      Tensor tensor = Tensor.zeros(Shape.of(dims));
      SplittableRandom random = new SplittableRandom(seed * 0x9E3779B97F4A7C15L + name.hashCode());
      rule.fill(name, tensor.shape(), this, tensor.data(), random);
      made.put(name, Weight.of(name, tensor));
    }
    return WeightSource.super.require(name, dims);
  }
}
