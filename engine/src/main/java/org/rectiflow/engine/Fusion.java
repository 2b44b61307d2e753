package org.rectiflow.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiPredicate;

/**
 * Which nodes of a graph run together as one kernel. A group is a chain: each node's result is used
 * by the next one alone, and only the last node's result is kept in memory.
 */
public final class Fusion {
  private final List<List<Node>> groups;
  private final int[] runsAt;

  private Fusion(List<List<Node>> groups, int[] runsAt) {
    this.groups = groups;
    this.runsAt = runsAt;
  }

  /** Every node by itself. */
  public static Fusion none(Graph graph) {
    return of(graph, (chain, next) -> false);
  }

  /**
   * Chains nodes greedily in graph order.
   *
   * @param extend whether a kernel exists for the chain with the node added; the node's inputs
   *     include the chain's result exactly once
   */
  public static Fusion of(Graph graph, BiPredicate<List<Node>, Node> extend) {
    int n = graph.nodes().size();
    int[] uses = new int[n];
    for (Node node : graph.nodes()) {
      node.inputs().forEach(v -> uses[v.node()]++);
    }
    graph.outputs().values().forEach(v -> uses[v.node()] += 2);
    List<List<Node>> chainOf = new ArrayList<>();
    int[] runsAt = new int[n];
    for (Node node : graph.nodes()) {
      runsAt[node.index()] = node.index();
      List<Node> own = new ArrayList<>(List.of(node));
      for (Value in : node.inputs()) {
        List<Node> chain = chainOf.get(in.node());
        boolean ends = chain != null && chain.getLast().index() == in.node();
        if (ends && uses[in.node()] == 1 && extend.test(List.copyOf(chain), node)) {
          chain.forEach(part -> chainOf.set(part.index(), null));
          own.addAll(0, chain);
          break;
        }
      }
      chainOf.add(own);
      own.forEach(part -> runsAt[part.index()] = node.index());
    }
    List<List<Node>> groups =
        chainOf.stream().filter(chain -> chain != null).map(List::copyOf).toList();
    return new Fusion(groups, runsAt);
  }

  /** The groups in execution order. */
  public List<List<Node>> groups() {
    return groups;
  }

  /** Index of the node whose turn {@code node} runs in. */
  int runsAt(Node node) {
    return runsAt[node.index()];
  }

  /** Whether the node's result is never in memory. */
  boolean isAbsorbed(Node node) {
    return runsAt(node) != node.index();
  }
}
