package org.rectiflow.engine;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.rectiflow.engine.Graph.Scope;

/**
 * Cuts a graph by how often its inputs change. Of a denoising network the prompt changes least, the
 * timestep with every step, the latent with every call; what depends on the prompt alone then runs
 * once, although the network is recorded as one graph.
 *
 * <p>Each op goes to the stage of the latest input it depends on. The results that later stages
 * need are outputs of their stage, and inputs of those, under names that follow from their place in
 * the whole graph: two graphs recorded by the same code for other sizes are cut at the same places
 * under the same names. Parameters and constants are repeated where they are used, and so are
 * slices and reshapes, which cost less than passing on their results.
 */
public final class Stages {
  private final Graph whole;
  private final List<Set<String>> inputs;
  private final int[] stageOf;
  private final List<Stage> stages;

  /** A stage's graph, the values of the whole that it needs, and what they are in it. */
  private record Stage(Graph graph, Set<Value> needed, Map<Value, Value> here) {}

  private Stages(Graph whole, List<Set<String>> inputs) {
    this.whole = whole;
    this.inputs = inputs;
    this.stageOf = new int[whole.nodes().size()];
    this.stages =
        inputs.stream().map(_ -> new Stage(new Graph(), new HashSet<>(), new HashMap<>())).toList();
  }

  /**
   * One graph for each stage. Run in order, each fed with its share of the whole graph's inputs and
   * with outputs of earlier ones, they compute the outputs of the whole graph; what no output needs
   * is left out.
   *
   * @param inputs the names of the whole graph's inputs, by stage
   * @throws IllegalArgumentException if an input of the graph is in no stage
   */
  public static List<Graph> cut(Graph whole, List<Set<String>> inputs) {
    Stages cut = new Stages(whole, inputs);
    whole.nodes().forEach(node -> cut.stageOf[node.index()] = cut.stage(node));
    whole.outputs().values().forEach(value -> cut.own(value).needed().add(value));
    whole.nodes().reversed().forEach(cut::need);
    whole.nodes().forEach(cut::record);
    whole
        .outputs()
        .forEach(
            (name, value) -> cut.own(value).graph().output(name, cut.own(value).here().get(value)));
    return cut.stages.stream().map(Stage::graph).toList();
  }

  private int stage(Node node) {
    if (node.op() instanceof Op.Input(String name, _, _)) {
      return IntStream.range(0, inputs.size())
          .filter(i -> inputs.get(i).contains(name))
          .findFirst()
          .orElseThrow(
              () -> new IllegalArgumentException("input " + name + " belongs to no stage"));
    }
    return node.inputs().stream().mapToInt(v -> stageOf[v.node()]).max().orElse(0);
  }

  private Stage own(Value value) {
    return stages.get(stageOf[value.node()]);
  }

  /** Whether a stage records the node itself instead of being handed its results. */
  private boolean records(int stage, Node node) {
    return stageOf[node.index()] == stage
        || switch (node.op()) {
          case Op.Input _,
              Op.Parameter _,
              Op.Constant _,
              Op.IntConstant _,
              Op.Slice _,
              Op.Reshape _ ->
              true;
          default -> false;
        };
  }

  /** Later nodes have said what they need of this one; now it says what it needs itself. */
  private void need(Node node) {
    for (int i = stages.size() - 1; i >= 0; i--) {
      Stage stage = stages.get(i);
      for (Value value : node.outputs()) {
        if (stage.needed().contains(value)) {
          if (records(i, node)) {
            stage.needed().addAll(node.inputs());
          } else {
            own(value).needed().add(value);
          }
        }
      }
    }
  }

  private void record(Node node) {
    for (int i = 0; i < stages.size(); i++) {
      Stage stage = stages.get(i);
      if (node.outputs().stream().noneMatch(stage.needed()::contains)) {
        continue;
      }
      if (!records(i, node)) {
        node.outputs().stream()
            .filter(stage.needed()::contains)
            .forEach(value -> handIn(value, stage));
        continue;
      }
      List<Value> operands = node.inputs().stream().map(stage.here()::get).toList();
      try (Scope _ = node.scope().isEmpty() ? () -> {} : stage.graph().scope(node.scope())) {
        List<Value> results = stage.graph().recordAll(node.op(), operands);
        for (int j = 0; j < results.size(); j++) {
          stage.here().put(node.outputs().get(j), results.get(j));
        }
      }
    }
  }

  /** Makes an earlier stage's value an output there and an input here. */
  private void handIn(Value value, Stage to) {
    Node node = whole.nodes().get(value.node());
    String scope = node.scope().isEmpty() ? "" : node.scope() + ".";
    String name = scope + node.op().name() + "#" + value.node() + "." + value.output();
    Stage from = own(value);
    if (!from.graph().outputs().containsKey(name)) {
      from.graph().output(name, from.here().get(value));
    }
    to.here().put(value, to.graph().input(name, value.shape().dims()));
  }
}
