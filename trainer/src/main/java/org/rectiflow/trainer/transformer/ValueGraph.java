package org.rectiflow.trainer.transformer;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.Value;

/**
 * A model's graph whose trained tensors are inputs, so that it runs with any values.
 *
 * @param graph the model's outputs and, as inputs beside the model's own, the trained tensors
 */
public record ValueGraph(Graph graph) {

  /**
   * @param model the graph with parameters
   * @param trained which of them become inputs, by name
   */
  public static ValueGraph of(Graph model, Map<String, Tensor> trained) {
    Graph g = new Graph();
    Map<String, Value> inputs = new HashMap<>();
    Map<String, Value> outputs =
        g.include(
            model,
            Map.of(),
            weight ->
                trained.containsKey(weight.name())
                    ? inputs.computeIfAbsent(
                        weight.name(), name -> g.input(name, weight.shape().dims()))
                    : g.parameter(weight));
    outputs.forEach(g::output);
    return new ValueGraph(g);
  }

  /** What to run it with. */
  public static Map<String, Feed> feeds(Map<String, Feed> data, Map<String, Tensor> values) {
    Map<String, Feed> feeds = new LinkedHashMap<>(data);
    values.forEach((name, value) -> feeds.put(name, Feed.of(value)));
    return feeds;
  }
}
