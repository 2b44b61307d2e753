package org.rectiflow.engine.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.rectiflow.engine.Executable;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Tensor;

class WarmUpTest {

  /** It ends, and leaves no trace in results and profile. */
  @Test
  void leavesNoTrace() {
    Graph graph = new Graph();
    graph.output("y", graph.silu(graph.input("x", 3)));
    try (CpuBackend backend = new CpuBackend(2)) {
      backend.warmUp();
      backend.warmUp();
      try (Executable executable = backend.compile("test", graph)) {
        assertThat(Thread.getAllStackTraces().keySet())
            .noneMatch(thread -> thread.getName().equals("rectiflow-warm-up"));
        Tensor x = Tensor.of(new float[] {0, 0, 0}, 3);
        assertThat(executable.run(Map.of("x", Feed.of(x))).get("y").data())
            .containsExactly(0, 0, 0);
        assertThat(backend.profile().entries())
            .singleElement()
            .satisfies(e -> {
              assertThat(e.layer()).isEqualTo("test");
              assertThat(e.runs()).isEqualTo(1);
            });
      }
    }
  }
}
