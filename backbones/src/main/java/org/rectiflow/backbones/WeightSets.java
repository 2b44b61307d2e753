package org.rectiflow.backbones;

import java.util.ArrayList;
import java.util.List;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Graph.Scope;
import org.rectiflow.engine.Value;
import org.rectiflow.engine.WeightSource;
import org.rectiflow.mmdit.Frame;
import org.rectiflow.mmdit.MmditConfig;
import org.rectiflow.mmdit.VelocityModel;

/**
 * Transformers in which all tokens attend to all tokens, and that differ in how many sets of
 * weights they have (paper, Section 5.2.3): 1, for all tokens (DiT); 2, for image and text tokens
 * (MM-DiT); 3, for image, CLIP and T5 tokens. The embedding of the context is one linear layer in
 * all of them.
 */
final class WeightSets implements VelocityModel {
  private final MmditConfig config;
  private final int sets;
  private final int clipTokens;
  private final WeightSource weights;

  WeightSets(MmditConfig config, int sets, int clipTokens, WeightSource weights) {
    this.config = config;
    this.sets = sets;
    this.clipTokens = clipTokens;
    this.weights = weights;
  }

  @Override
  public MmditConfig config() {
    return config;
  }

  @Override
  public Graph graph(int batch, int height, int width, int contextTokens, boolean taps) {
    Frame frame = new Frame(config, weights, batch, height, width, contextTokens);
    Graph g = frame.graph();
    Value y = frame.conditioning();
    Value x = frame.imageTokens();
    int imageTokens = x.shape().dim(1);
    List<Value> streams = streams(g, x, frame.textTokens());
    for (int i = 0; i < config.depth(); i++) {
      boolean last = i == config.depth() - 1;
      try (Scope _ = g.scope("block" + i)) {
        var params = frame.params().in("transformer_blocks." + i);
        streams = new WeightSetsBlock(config, params, imageTokens, last).forward(streams, y);
      }
      if (taps) {
        g.output("block" + i + ".image", g.slice(streams.getFirst(), 1, 0, imageTokens));
        if (!last) {
          g.output("block" + i + ".text", text(g, streams, imageTokens));
        }
      }
    }
    frame.finish(streams.getFirst(), y);
    return g;
  }

  /** One sequence for each set of weights, image tokens first. */
  private List<Value> streams(Graph g, Value x, Value c) {
    if (sets == 1) {
      return List.of(g.concat(1, List.of(x, c)));
    }
    if (sets == 2) {
      return List.of(x, c);
    }
    int tokens = c.shape().dim(1);
    if (tokens <= clipTokens) {
      throw new IllegalArgumentException(
          "a context of %d tokens has no T5 tokens after the %d of CLIP: mmdit-3 needs both"
              .formatted(tokens, clipTokens));
    }
    return List.of(x, g.slice(c, 1, 0, clipTokens), g.slice(c, 1, clipTokens, tokens - clipTokens));
  }

  private Value text(Graph g, List<Value> streams, int imageTokens) {
    if (sets == 1) {
      Value all = streams.getFirst();
      return g.slice(all, 1, imageTokens, all.shape().dim(1) - imageTokens);
    }
    return g.concat(1, new ArrayList<>(streams.subList(1, sets)));
  }
}
