package org.rectiflow.engine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.BiPredicate;
import java.util.stream.IntStream;

/**
 * Which nodes of a graph run together as one kernel. A group is a chain: each node's result is used
 * by the next one alone, and only the last node's result is kept in memory.
 */
public final class Fusion {
  private final List<List<Node>> groups;
  private final int[] runsAt;
  private final boolean[] needed;

  private Fusion(List<List<Node>> groups, int[] runsAt, boolean[] needed) {
    this.groups = groups;
    this.runsAt = runsAt;
    this.needed = needed;
  }

  /** Every node by itself, needed or not. */
  public static Fusion none(Graph graph) {
    int n = graph.nodes().size();
    boolean[] all = new boolean[n];
    Arrays.fill(all, true);
    List<List<Node>> groups = graph.nodes().stream().map(List::of).toList();
    return new Fusion(groups, IntStream.range(0, n).toArray(), all);
  }

  /**
   * Chains nodes greedily in graph order; nodes that no output depends on are left out.
   *
   * @param extend whether a kernel exists for the chain with the node added; the node's inputs
   *     include the chain's result exactly once
   */
  public static Fusion of(Graph graph, BiPredicate<List<Node>, Node> extend) {
    int n = graph.nodes().size();
    boolean[] needed = needed(graph);
    int[] uses = new int[n];
    for (Node node : graph.nodes()) {
      if (needed[node.index()]) {
        node.inputs().forEach(v -> uses[v.node()]++);
      }
    }
    graph.outputs().values().forEach(v -> uses[v.node()] += 2);
    List<List<Node>> chainOf = new ArrayList<>();
    int[] runsAt = new int[n];
    for (Node node : graph.nodes()) {
      runsAt[node.index()] = node.index();
      if (!needed[node.index()]) {
        chainOf.add(null);
        continue;
      }
      List<Node> own = new ArrayList<>(List.of(node));
      // The latest operand first: a chain's operands must wait for its last node.
      List<Value> operands = new ArrayList<>(node.inputs());
      operands.sort(Comparator.comparingInt(Value::node).reversed());
      for (Value in : operands) {
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
    return new Fusion(groups, runsAt, needed);
  }

  /** Which nodes the outputs depend on; inputs are given, so they all count. */
  private static boolean[] needed(Graph graph) {
    boolean[] needed = new boolean[graph.nodes().size()];
    graph.outputs().values().forEach(v -> needed[v.node()] = true);
    for (Node node : graph.nodes().reversed()) {
      if (node.op() instanceof Op.Input) {
        needed[node.index()] = true;
      }
      if (needed[node.index()]) {
        node.inputs().forEach(v -> needed[v.node()] = true);
      }
    }
    return needed;
  }

  /** Whether an output depends on {@code node}; if not, it never runs and has no memory. */
  public boolean isNeeded(Node node) {
    return needed[node.index()];
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
