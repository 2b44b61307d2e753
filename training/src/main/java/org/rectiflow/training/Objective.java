package org.rectiflow.training;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Executable;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Recompute;
import org.rectiflow.engine.Tensor;

/**
 * A loss and its derivative by every trained tensor, in one graph.
 *
 * @param graph has an input for each trained tensor, by its name, beside those of the data; outputs
 *     {@value #LOSS} and {@code grad.NAME} for each trained tensor
 * @param parameters the trained tensors by name, with their values at the start; {@link AdamW}
 *     changes them in place
 */
public record Objective(Graph graph, Map<String, Tensor> parameters) {
  /** The output with the loss, a scalar. */
  public static final String LOSS = "loss";

  /** What the names of the outputs with derivatives begin with. */
  public static final String GRADIENT = "grad.";

  /**
   * One run's results.
   *
   * @param loss the loss
   * @param gradients its derivative by each trained tensor, by name
   * @param others the graph's other outputs
   */
  public record Result(double loss, Map<String, Tensor> gradients, Map<String, Tensor> others) {}

  /**
   * The objective that computes nothing again if its memory fits, else the one that computes blocks
   * again.
   *
   * @param bytes most memory of a step's graph, {@link Backend#arenaBytes}
   * @param build makes the objective
   * @throws IllegalArgumentException if both need more
   */
  public static Objective within(
      long bytes, Backend backend, Function<Recompute, Objective> build) {
    long least = Long.MAX_VALUE;
    for (Recompute recompute : Recompute.values()) {
      Objective objective = build.apply(recompute);
      long needed = backend.arenaBytes(objective.graph);
      if (needed <= bytes) {
        return objective;
      }
      least = Math.min(least, needed);
    }
    throw new IllegalArgumentException(
        "a training step needs %d MiB, with blocks computed again, and may take %d MiB; a smaller batch needs less"
            .formatted(least >> 20, bytes >> 20));
  }

  /**
   * Computes loss and derivatives at the present {@link #parameters}.
   *
   * @param executable the compiled {@link #graph}
   * @param data the inputs that are not trained
   */
  public Result evaluate(Executable executable, Map<String, Tensor> data) {
    Map<String, Feed> feeds = new HashMap<>();
    data.forEach((name, tensor) -> feeds.put(name, Feed.of(tensor)));
    return evaluateFeeds(executable, feeds);
  }

  /** As {@link #evaluate}, for data of which some are integers, such as tokens. */
  public Result evaluateFeeds(Executable executable, Map<String, Feed> data) {
    Map<String, Feed> feeds = new HashMap<>(data);
    parameters.forEach((name, tensor) -> feeds.put(name, Feed.of(tensor)));
    Map<String, Tensor> others = new LinkedHashMap<>(executable.run(feeds));
    Map<String, Tensor> gradients = new LinkedHashMap<>();
    parameters.keySet().forEach(name -> gradients.put(name, others.remove(GRADIENT + name)));
    return new Result(others.remove(LOSS).data()[0], gradients, others);
  }
}
