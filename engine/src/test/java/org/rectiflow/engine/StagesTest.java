package org.rectiflow.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.reference.ReferenceBackend;

/** A graph cut by how often its inputs change computes what the whole one computes. */
class StagesTest {
  private static final Weight WEIGHT = Weight.of("w", Tensor.of(new float[] {1, 2, 3, 4}, 2, 2));
  private static final List<Set<String>> ORDER =
      List.of(Set.of("prompt", "unused"), Set.of("time"), Set.of("latent"));

  /**
   * The parameter is used by two stages; a chunk of the middle stage's result and an input of the
   * first are used by the last.
   */
  private static Graph whole() {
    Graph g = new Graph();
    Value prompt = g.input("prompt", 1, 2);
    g.input("unused", 3);
    Value time = g.input("time", 1, 2);
    Value latent = g.input("latent", 1, 1);
    Value w = g.parameter(WEIGHT);
    Value text = g.silu(g.linear(prompt, w));
    try (Graph.Scope _ = g.scope("modulation")) {
      Value y = g.add(text, g.linear(time, w));
      List<Value> chunks = g.chunk(y, 1, 2);
      g.output("early", g.silu(text));
      g.output("result", g.mul(g.add(latent, chunks.get(1)), g.slice(prompt, 1, 0, 1)));
    }
    return g;
  }

  @Test
  void theStagesComputeTheWhole() {
    Map<String, Feed> feeds =
        Map.of(
            "prompt", Feed.of(Tensor.of(new float[] {0.5f, -1}, 1, 2)),
            "unused", Feed.of(Tensor.of(new float[] {0, 0, 0}, 3)),
            "time", Feed.of(Tensor.of(new float[] {2, 3}, 1, 2)),
            "latent", Feed.of(Tensor.of(new float[] {7}, 1, 1)));
    Graph whole = whole();
    List<Graph> stages = Stages.cut(whole, ORDER);
    try (Backend backend = new ReferenceBackend()) {
      Map<String, Tensor> expected = run(backend, whole, feeds);
      Map<String, Feed> known = new HashMap<>(feeds);
      Map<String, Tensor> actual = new HashMap<>();
      for (Graph stage : stages) {
        Map<String, Feed> own = new HashMap<>(known);
        own.keySet().retainAll(inputs(stage));
        Map<String, Tensor> results = run(backend, stage, own);
        actual.putAll(results);
        results.forEach((name, tensor) -> known.put(name, Feed.of(tensor)));
      }
      assertThat(actual).containsAllEntriesOf(expected);
    }
  }

  private static Map<String, Tensor> run(Backend backend, Graph graph, Map<String, Feed> feeds) {
    try (Executable executable = backend.compile("test", graph)) {
      return executable.run(feeds);
    }
  }

  private static List<String> inputs(Graph graph) {
    return graph.nodes().stream()
        .flatMap(n -> n.op() instanceof Op.Input(String name, _, _) ? List.of(name).stream() : null)
        .toList();
  }

  @Test
  void eachOpRunsOnceAndViewsStayWithTheirUsers() {
    List<Graph> stages = Stages.cut(whole(), ORDER);
    assertThat(ops(stages.get(0)))
        .containsExactly("prompt", "Parameter", "Linear", "Activate", "Activate");
    assertThat(ops(stages.get(1)))
        .containsExactly("time", "Parameter", "Activate#6.0", "Linear", "Add");
    assertThat(ops(stages.get(2)))
        .containsExactly("prompt", "latent", "modulation.Add#8.0", "Slice", "Add", "Slice", "Mul");
  }

  private static List<String> ops(Graph graph) {
    return graph.nodes().stream().map(n -> n.op().name()).toList();
  }

  @Test
  void anInputWithoutStage() {
    assertThatThrownBy(() -> Stages.cut(whole(), ORDER.subList(0, 2)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("latent");
  }
}
