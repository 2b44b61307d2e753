package org.rectiflow.encoders;

import java.util.Set;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Graph.Scope;
import org.rectiflow.engine.Params;
import org.rectiflow.engine.Value;
import org.rectiflow.engine.WeightSource;

/**
 * CLIP's text model as SD3 uses it (paper, Appendix B.2): the penultimate layer's hidden states for
 * the context, and the pooled output for the modulation. Pre-norm transformer with a causal mask.
 *
 * <p>The tensors have the names of transformers' CLIPTextModelWithProjection.
 */
public final class ClipTextModel {
  /** Tensors some files carry and nothing here needs. */
  private static final Set<String> UNUSED =
      Set.of("text_model.embeddings.position_ids", "logit_scale");

  private final ClipConfig config;
  private final ClipLayers layers;
  private final WeightSource weights;

  public ClipTextModel(ClipConfig config, WeightSource weights) {
    this.config = config;
    this.layers =
        new ClipLayers(
            config.width(), config.heads(), config.mlpWidth(), config.activation(), config.eps());
    this.weights = weights;
  }

  public ClipConfig config() {
    return config;
  }

  /**
   * The graph of one call.
   *
   * <p>Inputs: {@code ids} [B, T] int32; {@code end} [B] int32, for each prompt the row of its
   * first end-of-text token among all B T tokens. Outputs: {@code penultimate} [B, T, width], what
   * the last layer but one puts out, without the final norm (hidden_states[-2]); {@code pooled} [B,
   * pooledWidth], the last layer's output at the end-of-text token, normed and projected.
   *
   * @throws IllegalArgumentException if {@code tokens} exceeds the position table
   * @throws org.rectiflow.engine.CheckpointException if a tensor is missing, misshaped or left over
   */
  public Graph graph(int batch, int tokens) {
    if (tokens < 1 || tokens > config.positions()) {
      throw new IllegalArgumentException(
          "a prompt of %d tokens for a CLIP of %d positions".formatted(tokens, config.positions()));
    }
    Graph g = new Graph();
    Params params = new Params(g, weights);
    Params model = params.in("text_model");
    Value ids = g.intInput("ids", batch, tokens);
    Value end = g.intInput("end", batch);
    Value x;
    try (Scope _ = g.scope("embed")) {
      x = embed(model.in("embeddings"), ids, tokens);
    }
    for (int i = 0; i < config.layers(); i++) {
      if (i == config.layers() - 1) {
        g.output("penultimate", x);
      }
      try (Scope _ = g.scope("layer" + i)) {
        x = layers.layer(model.in("encoder.layers." + i), x, true);
      }
    }
    try (Scope _ = g.scope("pool")) {
      // The norm works row by row, so the end-of-text rows alone need it.
      Value last = g.gather(g.reshape(x, batch * tokens, config.width()), end);
      Value pooled = layers.norm(model, "final_layer_norm", last);
      g.output(
          "pooled",
          config.projected()
              ? params.linearNoBias("text_projection", pooled, config.pooledWidth())
              : pooled);
    }
    params.requireAllUsed(UNUSED);
    return g;
  }

  private Value embed(Params p, Value ids, int tokens) {
    Graph g = p.graph();
    Value table = p.get("token_embedding.weight", config.vocabulary(), config.width());
    Value positions = p.get("position_embedding.weight", config.positions(), config.width());
    return g.add(g.gather(table, ids), g.slice(positions, 0, 0, tokens));
  }
}
