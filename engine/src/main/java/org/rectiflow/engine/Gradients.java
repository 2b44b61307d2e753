package org.rectiflow.engine;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.rectiflow.engine.Graph.Scope;

/**
 * Reverse-mode differentiation: the backward pass is recorded as more ops of the same graph, so
 * that whatever holds for a graph (memory plan, profile, NaN guard, backends) holds for it too.
 *
 * <p>Only what lies between the values asked for and the loss is differentiated.
 */
public final class Gradients {
  private final Graph graph;
  private final OpGradients rules;

  /** Values that depend on one of those asked for. */
  private final Set<Value> active = new HashSet<>();

  /** What is known of derivatives, added up as it comes, by the value they belong to. */
  private final Map<Value, Value> sums = new HashMap<>();

  /** Derivatives of slices of a value, joined when all are known. */
  private final Map<Value, List<SlicePart>> slices = new HashMap<>();

  private final Recompute recompute;

  /** The parts of the model that are computed again, and their results by those of before. */
  private final Set<String> recorded = new HashSet<>();

  private final Map<Value, Value> again = new HashMap<>();

  /** The results of before by those of parts computed again. */
  private final Map<Value, Value> before = new HashMap<>();

  /** The derivative {@code dy} of a slice of another value. */
  record SlicePart(Op.Slice slice, Value dy) {}

  private Gradients(Graph graph, Recompute recompute) {
    this.graph = graph;
    this.recompute = recompute;
    this.rules = new OpGradients(graph, this);
  }

  /** As {@link #of(Graph, Value, List, Recompute)}, nothing computed again. */
  public static List<Value> of(Graph graph, Value loss, List<Value> wrt) {
    return of(graph, loss, wrt, Recompute.NONE);
  }

  /**
   * Records the derivatives of {@code loss}.
   *
   * @param loss one element
   * @param wrt values of any kind but integers: inputs, parameters, results
   * @return for each of {@code wrt} the derivative, of its shape
   * @throws IllegalArgumentException if the loss has several elements or does not depend on a value
   * @throws UnsupportedOperationException if an op on the way is itself a derivative that has none
   */
  public static List<Value> of(Graph graph, Value loss, List<Value> wrt, Recompute recompute) {
    if (loss.shape().count() != 1) {
      throw new IllegalArgumentException(
          "the loss must be one number, got a tensor of shape " + loss.shape());
    }
    return new Gradients(graph, recompute).differentiate(loss, wrt);
  }

  private List<Value> differentiate(Value loss, List<Value> wrt) {
    active.addAll(wrt);
    List<Node> forward = List.copyOf(graph.nodes().subList(0, loss.node() + 1));
    for (Node node : forward) {
      if (node.inputs().stream().anyMatch(active::contains)) {
        node.outputs().stream().filter(v -> v.type() == ElementType.F32).forEach(active::add);
      }
    }
    for (Value value : wrt) {
      if (value.type() != ElementType.F32) {
        throw new IllegalArgumentException("no derivative by the integers " + value);
      }
    }
    Tensor one = Tensor.zeros(loss.shape());
    one.data()[0] = 1;
    contribute(loss, graph.constant(one));
    Map<Value, Value> found = new HashMap<>();
    Set<Value> asked = Set.copyOf(wrt);
    for (Node node : forward.reversed()) {
      if (node.outputs().stream().noneMatch(active::contains)) {
        continue;
      }
      enter(recompute.part(node), forward);
      Node rule = again(node);
      try (Scope _ = graph.scope("backward");
          Scope _ = node.scope().isEmpty() ? () -> {} : graph.scope(node.scope())) {
        List<Value> dys = new ArrayList<>();
        for (Value out : node.outputs()) {
          Value dy = total(out);
          dys.add(dy);
          if (dy != null && asked.contains(out)) {
            found.put(out, dy);
          }
        }
        boolean reached = dys.stream().anyMatch(dy -> dy != null);
        if (reached && rule.inputs().stream().anyMatch(active::contains)) {
          rules.record(rule, dys);
        }
      }
    }
    List<Value> results = new ArrayList<>();
    for (Value value : wrt) {
      if (!found.containsKey(value)) {
        throw new IllegalArgumentException(
            "the loss does not depend on %s, %s"
                .formatted(value, graph.nodes().get(value.node()).describe()));
      }
      results.add(found.get(value));
    }
    return results;
  }

  /** Records the ops of a part once more when the backward pass comes to it. */
  private void enter(String name, List<Node> forward) {
    if (name.isEmpty() || !recorded.add(name)) {
      return;
    }
    try (Scope _ = graph.scope("again")) {
      for (Node node : forward) {
        if (!recompute.part(node).equals(name)) {
          continue;
        }
        try (Scope _ = graph.scope(node.scope())) {
          List<Value> inputs =
              node.inputs().stream().map(in -> again.getOrDefault(in, in)).toList();
          List<Value> outputs = graph.recordAll(node.op(), inputs);
          for (int i = 0; i < outputs.size(); i++) {
            again.put(node.outputs().get(i), outputs.get(i));
            before.put(outputs.get(i), node.outputs().get(i));
            if (active.contains(node.outputs().get(i))) {
              active.add(outputs.get(i));
            }
          }
        }
      }
    }
  }

  /** What stands for {@code node} in the backward pass. */
  private Node again(Node node) {
    Value value = node.outputs().isEmpty() ? null : again.get(node.output());
    return value == null ? graph.nodes().get(node.index()) : graph.nodes().get(value.node());
  }

  /** Whether the derivative by {@code value} is wanted. */
  boolean wants(Value value) {
    return active.contains(value);
  }

  /** Adds {@code dx} to the derivative by {@code x}, if that is wanted. */
  void contribute(Value x, Value dx) {
    if (wants(x)) {
      sums.merge(before.getOrDefault(x, x), dx, graph::add);
    }
  }

  /** Adds {@code dy} to the derivative by a slice of {@code x}, if that is wanted. */
  void contribute(Value x, Op.Slice slice, Value dy) {
    if (wants(x)) {
      slices
          .computeIfAbsent(before.getOrDefault(x, x), _ -> new ArrayList<>())
          .add(new SlicePart(slice, dy));
    }
  }

  /** The whole derivative by {@code x}, or null if the loss does not depend on it. */
  private Value total(Value x) {
    List<Value> all = new ArrayList<>();
    Value sum = sums.remove(x);
    if (sum != null) {
      all.add(sum);
    }
    List<SlicePart> pieces = slices.remove(x);
    if (pieces != null) {
      all.addAll(SliceJoin.join(graph, x.shape(), pieces));
    }
    return all.stream().reduce(graph::add).orElse(null);
  }
}
