package org.rectiflow.engine;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Makes a {@link Fusion}: chains first, then chains side by side. */
final class FusionBuilder {
  private final Graph graph;
  private final Fusion.Rules rules;
  private final boolean[] needed;

  /** Needed nodes that use a result of a node, by its index; one entry for each use. */
  private final List<List<Node>> users = new ArrayList<>();

  /** The chain that ends with a node, or null. */
  private final List<List<Node>> chainOf = new ArrayList<>();

  private final int[] runsAt;
  private final Set<Value> absorbed = new HashSet<>();

  /** Chains that run in the turn of node {@code at}. */
  private static final class Group {
    final List<Node> nodes;
    int at;

    Group(List<Node> chain) {
      nodes = new ArrayList<>(chain);
      at = chain.getLast().index();
    }
  }

  FusionBuilder(Graph graph, Fusion.Rules rules) {
    this.graph = graph;
    this.rules = rules;
    this.needed = needed(graph);
    this.runsAt = new int[graph.nodes().size()];
    for (Node node : graph.nodes()) {
      users.add(new ArrayList<>());
      if (needed[node.index()]) {
        node.inputs().forEach(v -> users.get(v.node()).add(node));
      }
    }
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

  private Node node(Value value) {
    return graph.nodes().get(value.node());
  }

  Fusion build() {
    for (Node node : graph.nodes()) {
      runsAt[node.index()] = node.index();
      chainOf.add(needed[node.index()] ? chain(node) : null);
    }
    List<List<Node>> groups =
        groups().stream()
            .sorted(Comparator.comparingInt(group -> group.at))
            .map(group -> List.copyOf(group.nodes))
            .toList();
    return new Fusion(groups, runsAt, absorbed, needed);
  }

  /** The node with what can be computed in its turn. */
  private List<Node> chain(Node node) {
    List<Node> own = new ArrayList<>(List.of(node));
    // The latest operand first: a chain's operands must wait for its last node.
    List<Value> operands = new ArrayList<>(node.inputs());
    operands.sort(Comparator.comparingInt(Value::node).reversed());
    for (Value in : operands) {
      List<Node> chain = chainOf.get(in.node());
      if (chain == null) {
        continue;
      }
      boolean alone = isAlone(in);
      boolean first = own.size() == 1;
      boolean once = Collections.frequency(node.inputs(), in) == 1;
      boolean keeps = first && once && !alone && rules.keeps(chain, node);
      boolean fits =
          first
              ? (alone || keeps) && rules.extend(chain, node)
              : alone && rules.joins(List.copyOf(own), chain);
      if (fits && canWait(chain, node, keeps ? null : in)) {
        if (!keeps) {
          absorbed.add(in);
        }
        chainOf.set(in.node(), null);
        own.addAll(0, chain);
      }
    }
    own.forEach(part -> runsAt[part.index()] = node.index());
    return List.copyOf(own);
  }

  /** Whether the value has one use. */
  private boolean isAlone(Value value) {
    return !graph.outputs().containsValue(value) && users(value).size() == 1;
  }

  /** Whether those who use the results that a chain keeps come after {@code next}. */
  private boolean canWait(List<Node> chain, Node next, Value passedOn) {
    return chain.stream()
        .flatMap(node -> node.outputs().stream())
        .filter(value -> value != passedOn && !absorbed.contains(value))
        .flatMap(value -> users(value).stream())
        .allMatch(user -> user.index() >= next.index() || chain.contains(user));
  }

  private List<Node> users(Value value) {
    return users.get(value.node()).stream().filter(n -> n.inputs().contains(value)).toList();
  }

  private List<Group> groups() {
    List<Group> groups = new ArrayList<>();
    Map<String, List<Group>> byScope = new HashMap<>();
    for (List<Node> chain : chainOf) {
      if (chain == null) {
        continue;
      }
      List<Group> near = byScope.computeIfAbsent(chain.getLast().scope(), _ -> new ArrayList<>());
      if (near.stream().noneMatch(group -> join(group, chain))) {
        Group group = new Group(chain);
        groups.add(group);
        near.add(group);
      }
    }
    return groups;
  }

  /** Adds the chain to the group if there is a turn in which both can run. */
  private boolean join(Group group, List<Node> chain) {
    if (!rules.beside(List.copyOf(group.nodes), chain)) {
      return false;
    }
    int turn = chain.getLast().index();
    if (!nobodyWaits(group, turn)) {
      turn = group.at;
      if (!isReady(chain, turn)) {
        return false;
      }
    }
    group.nodes.addAll(chain);
    group.at = turn;
    group.nodes.forEach(node -> runsAt[node.index()] = group.at);
    return true;
  }

  /** Whether nobody uses the group's results before or in {@code turn}. */
  private boolean nobodyWaits(Group group, int turn) {
    return group.nodes.stream()
        .flatMap(node -> node.outputs().stream())
        .filter(value -> !absorbed.contains(value))
        .flatMap(value -> users(value).stream())
        .allMatch(user -> runsAt[user.index()] > turn || group.nodes.contains(user));
  }

  /** Whether all that the chain needs is there before {@code turn}. */
  private boolean isReady(List<Node> chain, int turn) {
    return chain.stream()
        .flatMap(node -> node.inputs().stream())
        .map(this::node)
        .filter(source -> !chain.contains(source))
        .allMatch(source -> isGiven(source) || runsAt[source.index()] < turn);
  }

  private static boolean isGiven(Node node) {
    return switch (node.op()) {
      case Op.Input _, Op.Parameter _, Op.IntConstant _ -> true;
      default -> false;
    };
  }
}
