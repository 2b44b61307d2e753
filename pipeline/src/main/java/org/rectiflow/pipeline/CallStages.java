package org.rectiflow.pipeline;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Op;
import org.rectiflow.engine.Stages;
import org.rectiflow.mmdit.VelocityModel;

/**
 * A transformer's call, cut by what its parts depend on.
 *
 * @param prompt what depends on {@code context} and {@code pooled} alone: the embedded text tokens
 * @param conditioning what depends on {@code timestep} and the prompt: the modulations
 * @param step the rest, which gives {@code velocity}
 */
record CallStages(Graph prompt, Graph conditioning, Graph step) {
  private static final List<Set<String>> INPUTS =
      List.of(Set.of("context", "pooled"), Set.of("timestep"), Set.of("latent"));

  /** Of the model's graph of these sizes. */
  static CallStages of(VelocityModel model, int batch, int height, int width, int tokens) {
    List<Graph> stages = Stages.cut(model.graph(batch, height, width, tokens, false), INPUTS);
    return new CallStages(stages.get(0), stages.get(1), stages.get(2));
  }

  /** Those of the values that are inputs of a stage. */
  static Map<String, Feed> feeds(Graph stage, Map<String, Feed> values) {
    Map<String, Feed> feeds = new HashMap<>();
    for (var node : stage.nodes()) {
      if (node.op() instanceof Op.Input(String name, _, _)) {
        feeds.put(name, values.get(name));
      }
    }
    return feeds;
  }

  /** Bytes of a stage's outputs. */
  static long outputBytes(Graph stage) {
    return stage.outputs().values().stream().mapToLong(v -> Float.BYTES * v.shape().count()).sum();
  }
}
