package org.rectiflow.pipeline;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Executable;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Tensor;

/**
 * What a transformer computes from timestep and prompt alone: the modulations of all blocks, a
 * third of SD3-medium's weights. For one timestep that takes as long as reading these weights, and
 * for several hardly longer. So the timesteps of a run are computed together, as many as {@link
 * #BYTES} of results allow.
 */
final class Conditioning {
  /** Bytes of results that are kept at a time. */
  private static final long BYTES = 64L << 20;

  private final Backend backend;
  private final IntFunction<Graph> stage;
  private final List<Map<String, Feed>> prompts;
  private final int most;
  private float[] expected = new float[0];
  private List<Float> timesteps = List.of();
  private Map<String, Tensor> results = Map.of();

  /**
   * @param stage the stage's graph for a batch of a given size
   * @param prompts for each prompt the inputs of the stage other than {@code timestep}, for a batch
   *     of one
   */
  Conditioning(Backend backend, IntFunction<Graph> stage, List<Map<String, Feed>> prompts) {
    this.backend = backend;
    this.stage = stage;
    this.prompts = prompts;
    this.most = together(stage.apply(1), prompts.size());
  }

  /**
   * How many timesteps are computed together at most.
   *
   * @param stage for a batch of one
   */
  static int together(Graph stage, int prompts) {
    long one = Math.max(1, CallStages.outputBytes(stage) * prompts);
    return (int) Math.max(1, Math.min(BYTES / one, 1000));
  }

  /** The timesteps that {@link #at} will be asked for, in order; others are computed singly. */
  void expect(float[] timesteps) {
    expected = timesteps.clone();
  }

  /** The stage's results for a prompt, for a batch of one, by name. */
  Map<String, Feed> at(float timestep, int prompt) {
    if (!timesteps.contains(timestep)) {
      compute(next(timestep));
    }
    int row = timesteps.indexOf(timestep) * prompts.size() + prompt;
    Map<String, Feed> one = new HashMap<>();
    results.forEach((name, all) -> one.put(name, Feed.of(all.row(row))));
    return one;
  }

  /** The timestep and those that follow it: an even share of what is left. */
  private List<Float> next(float timestep) {
    List<Float> left = new ArrayList<>(List.of(timestep));
    boolean met = false;
    for (float t : expected) {
      met |= t == timestep;
      if (met && !left.contains(t)) {
        left.add(t);
      }
    }
    int shares = Math.ceilDiv(left.size(), most);
    return List.copyOf(left.subList(0, Math.ceilDiv(left.size(), shares)));
  }

  /** One batch: timesteps outside, prompts inside. */
  private void compute(List<Float> wanted) {
    int batch = wanted.size() * prompts.size();
    Graph graph = stage.apply(batch);
    List<Map<String, Feed>> rows = new ArrayList<>();
    for (float t : wanted) {
      for (Map<String, Feed> prompt : prompts) {
        Map<String, Feed> values = new HashMap<>(prompt);
        values.put("timestep", Feed.of(Tensor.of(new float[] {t}, 1)));
        rows.add(CallStages.feeds(graph, values));
      }
    }
    Map<String, Feed> feeds = new HashMap<>();
    for (String name : rows.getFirst().keySet()) {
      feeds.put(name, Feed.of(stack(rows.stream().map(row -> row.get(name)).toList())));
    }
    results = Map.of(); // the old ones must go before the new ones come
    timesteps = List.of();
    try (Executable executable = backend.compile("mmdit-conditioning", graph)) {
      results = executable.run(feeds);
    }
    timesteps = wanted;
  }

  private static Tensor stack(List<Feed> rows) {
    Tensor all = Tensor.zeros(rows.getFirst().shape().with(0, rows.size()));
    int at = 0;
    for (Feed row : rows) {
      float[] data = ((Feed.Floats) row).tensor().data();
      System.arraycopy(data, 0, all.data(), at, data.length);
      at += data.length;
    }
    return all;
  }
}
