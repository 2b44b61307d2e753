package org.rectiflow.engine;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Which nodes of a graph run together as one kernel. A group is a chain, each node's result used by
 * the next one alone and only the last node's result kept in memory; or several of them that read
 * the same operand.
 */
public final class Fusion {
  private final List<List<Node>> groups;
  private final int[] runsAt;
  private final Set<Value> absorbed;
  private final boolean[] needed;

  Fusion(List<List<Node>> groups, int[] runsAt, Set<Value> absorbed, boolean[] needed) {
    this.groups = groups;
    this.runsAt = runsAt;
    this.absorbed = absorbed;
    this.needed = needed;
  }

  /** Which kernels a backend has for several nodes. */
  @FunctionalInterface
  public interface Rules {
    /**
     * Whether a kernel exists for the chain with the node added; the node's inputs include the
     * chain's result exactly once.
     */
    boolean extend(List<Node> chain, Node next);

    /** Whether the kernel of {@link #extend} stores the chain's own result too, for others. */
    default boolean keeps(List<Node> chain, Node next) {
      return false;
    }

    /** Whether the chain's kernel makes an operand of its last node too, which nobody else uses. */
    default boolean joins(List<Node> chain, List<Node> operand) {
      return false;
    }

    /**
     * Whether one kernel computes what a group and a chain of the same scope compute, of which
     * neither needs the other.
     */
    default boolean beside(List<Node> group, List<Node> chain) {
      return false;
    }
  }

  /** Every node by itself, needed or not. */
  public static Fusion none(Graph graph) {
    int n = graph.nodes().size();
    boolean[] all = new boolean[n];
    Arrays.fill(all, true);
    List<List<Node>> groups = graph.nodes().stream().map(List::of).toList();
    return new Fusion(groups, IntStream.range(0, n).toArray(), Set.of(), all);
  }

  /** Groups nodes greedily in graph order; nodes that no output depends on are left out. */
  public static Fusion of(Graph graph, Rules rules) {
    return new FusionBuilder(graph, rules).build();
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

  /** Whether the value is never in memory. */
  public boolean isAbsorbed(Value value) {
    return absorbed.contains(value);
  }
}
