package org.rectiflow.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.reference.ReferenceBackend;

/** Models joined into one graph, their parameters turned into inputs. */
class GraphIncludeTest {
  private static final Weight WEIGHT = Weight.of("w", Tensor.of(new float[] {1, 2, 3, 4}, 2, 2));

  /** y = x W^T. */
  private static Graph layer() {
    Graph g = new Graph();
    try (Graph.Scope _ = g.scope("layer")) {
      g.output("y", g.linear(g.input("x", 1, 2), g.parameter(WEIGHT)));
    }
    return g;
  }

  @Test
  void twoModelsInARowWithAnInputForAWeight() {
    Graph g = new Graph();
    Value w = g.input("w", 2, 2);
    Value first;
    try (Graph.Scope _ = g.scope("first")) {
      first = g.include(layer(), Map.of(), _ -> w).get("y");
    }
    g.output("y", g.include(layer(), Map.of("x", first), g::parameter).get("y"));

    assertThat(g.nodes().get(first.node()).scope()).isEqualTo("first.layer");
    try (Backend backend = new ReferenceBackend();
        Executable executable = backend.compile("test", g)) {
      Tensor doubling = Tensor.of(new float[] {2, 0, 0, 2}, 2, 2);
      Tensor x = Tensor.of(new float[] {1, 1}, 1, 2);
      Map<String, Tensor> results = executable.run(Map.of("w", Feed.of(doubling), "x", Feed.of(x)));
      assertThat(results.get("y").data()).containsExactly(6, 14);
    }
  }

  @Test
  void whatDoesNotFitIsRefused() {
    Graph g = new Graph();
    Value small = g.input("small", 1, 1);

    assertThatThrownBy(() -> g.include(layer(), Map.of("x", small), g::parameter))
        .hasMessage("input x is F32 [1, 2], it cannot be replaced by F32 [1, 1]");
    assertThatThrownBy(() -> g.include(layer(), Map.of(), _ -> small))
        .hasMessage("w is F32 [2, 2], it cannot be replaced by F32 [1, 1]");
    assertThatThrownBy(() -> g.include(layer(), Map.of("z", small), g::parameter))
        .hasMessage("the part has no inputs named [z]");
  }
}
