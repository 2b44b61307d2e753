package org.rectiflow.mmdit;

import java.util.List;
import java.util.Set;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Graph.Scope;
import org.rectiflow.engine.Params;
import org.rectiflow.engine.Value;
import org.rectiflow.engine.WeightSource;

/**
 * What the paper's Figure 2(a) has around its blocks, which all backbones share: the inputs, their
 * embeddings, and the way from image tokens back to a velocity.
 */
public final class Frame {
  /** Epsilon of every layer and RMS norm. */
  public static final float EPS = 1e-6f;

  private final MmditConfig config;
  private final Graph graph = new Graph();
  private final Params params;
  private final PatchEmbedding patches;
  private final Value latent;
  private final Value timestep;
  private final Value context;
  private final Value pooled;

  /**
   * Declares the four inputs of {@link VelocityModel#graph}.
   *
   * @throws IllegalArgumentException if the latent does not divide into patches or exceeds the
   *     position table
   */
  public Frame(
      MmditConfig config,
      WeightSource weights,
      int batch,
      int height,
      int width,
      int contextTokens) {
    this.config = config;
    params = new Params(graph, weights);
    latent = graph.input("latent", batch, config.latentChannels(), height, width);
    timestep = graph.input("timestep", batch);
    context = graph.input("context", batch, contextTokens, config.contextWidth());
    pooled = graph.input("pooled", batch, config.pooledWidth());
    patches = new PatchEmbedding(config, height, width);
  }

  public Graph graph() {
    return graph;
  }

  public Params params() {
    return params;
  }

  /** The noised latent [B, C, height, width]. */
  public Value latent() {
    return latent;
  }

  /**
   * y = MLP(sinusoidal(t)) + MLP(c_vec), through SiLU once: every modulation begins with it.
   *
   * @return [B, width]
   */
  public Value conditioning() {
    try (Scope _ = graph.scope("embed")) {
      Params p = params.in("time_text_embed");
      Value features = graph.timestepFeatures(timestep, MmditConfig.TIMESTEP_FEATURES);
      Value t = mlp(p.in("timestep_embedder"), features);
      return graph.silu(graph.add(t, mlp(p.in("text_embedder"), pooled)));
    }
  }

  private Value mlp(Params p, Value x) {
    Value hidden = graph.silu(p.linear("linear_1", x, config.width()));
    return p.linear("linear_2", hidden, config.width());
  }

  /** The image tokens x: patches through a linear layer, plus positions; [B, tokens, width]. */
  public Value imageTokens() {
    try (Scope _ = graph.scope("embed")) {
      return patches.embed(params.in("pos_embed"), latent);
    }
  }

  /** The positions of the image tokens, the centre of the stored table: [tokens, width]. */
  public Value positions() {
    return patches.positions(params.in("pos_embed"));
  }

  /** The text tokens c = Linear(context): [B, L, width]. */
  public Value textTokens() {
    try (Scope _ = graph.scope("embed")) {
      return params.linear("context_embedder", context, config.width());
    }
  }

  /**
   * Modulation, Linear, Unpatching: the top of Figure 2(a).
   *
   * @param x the image tokens after the last block
   * @param y of {@link #conditioning}
   */
  public void finish(Value x, Value y) {
    try (Scope _ = graph.scope("final")) {
      // diffusers stores (scale, shift) here, unlike in the blocks.
      List<Value> modulation =
          graph.chunk(params.linear("norm_out.linear", y, 2 * config.width()), 1, 2);
      Value normed = graph.modulate(graph.layerNorm(x, EPS), modulation.get(1), modulation.get(0));
      finish(patches.unpatchify(graph, params.linear("proj_out", normed, config.patchValues())));
    }
  }

  /** Makes {@code velocity} the output and checks that every tensor was used. */
  public void finish(Value velocity) {
    graph.output("velocity", velocity);
    params.requireAllUsed(Set.of());
  }
}
