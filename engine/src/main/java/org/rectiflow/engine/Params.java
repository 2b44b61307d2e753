package org.rectiflow.engine;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * The parameters of one model while it is recorded into a graph: looks tensors up under a prefix,
 * checks their shapes, records each once, and remembers which were used.
 */
public final class Params {
  private final Graph graph;
  private final WeightSource source;
  private final String prefix;
  private final Map<String, Value> recorded;

  public Params(Graph graph, WeightSource source) {
    this(graph, source, "", new HashMap<>());
  }

  private Params(Graph graph, WeightSource source, String prefix, Map<String, Value> recorded) {
    this.graph = graph;
    this.source = source;
    this.prefix = prefix;
    this.recorded = recorded;
  }

  /** The parameters whose names begin with {@code name} and a dot. */
  public Params in(String name) {
    return new Params(graph, source, prefix + name + ".", recorded);
  }

  public Graph graph() {
    return graph;
  }

  /** Whether the checkpoint has the tensor. */
  public boolean has(String name) {
    return source.has(prefix + name);
  }

  /**
   * The parameter of that name and shape.
   *
   * @throws CheckpointException if the checkpoint lacks it or has it in another shape
   */
  public Value get(String name, int... dims) {
    return recorded.computeIfAbsent(
        prefix + name, full -> graph.parameter(source.require(full, dims)));
  }

  /** As {@link #get}, then viewed under another shape. */
  public Value getAs(String name, int[] stored, int... dims) {
    return recorded.computeIfAbsent(
        prefix + name, full -> graph.parameter(source.require(full, stored).reshape(dims)));
  }

  /** {@code x W^T + b} with the tensors {@code NAME.weight} [n, K] and {@code NAME.bias} [n]. */
  public Value linear(String name, Value x, int n) {
    return graph.linear(x, get(name + ".weight", n, x.shape().dim(-1)), get(name + ".bias", n));
  }

  /** {@code x W^T} with the tensor {@code NAME.weight} [n, K]. */
  public Value linearNoBias(String name, Value x, int n) {
    return graph.linear(x, get(name + ".weight", n, x.shape().dim(-1)));
  }

  /**
   * Checks that every tensor of the source was used.
   *
   * @param ignored tensors that may be there without use, such as stored position ids
   * @throws CheckpointException naming what was left over
   */
  public void requireAllUsed(Set<String> ignored) {
    Set<String> rest = new TreeSet<>(source.names());
    rest.removeAll(recorded.keySet());
    rest.removeAll(ignored);
    if (!rest.isEmpty()) {
      Optional<String> first = rest.stream().findFirst();
      throw new CheckpointException(
          "%s has %d tensors this model does not know, the first is %s. The file holds another model or a newer form of this one."
              .formatted(source.origin(), rest.size(), first.get()));
    }
  }
}
