package org.rectiflow.mmdit;

import java.util.Set;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Graph.Scope;
import org.rectiflow.engine.Params;
import org.rectiflow.engine.Value;
import org.rectiflow.engine.WeightSource;

/**
 * The multimodal diffusion transformer of the paper's Figure 2(a): the velocity v_Theta(z_t, t)
 * given a prompt.
 *
 * <p>The tensors have diffusers' names ({@code SD3Transformer2DModel}); checkpoints in the original
 * layout are adapted before they come here.
 */
public final class Mmdit {
  /** Epsilon of every layer and RMS norm. */
  static final float EPS = 1e-6f;

  private final MmditConfig config;
  private final WeightSource weights;

  public Mmdit(MmditConfig config, WeightSource weights) {
    this.config = config;
    this.weights = weights;
  }

  public MmditConfig config() {
    return config;
  }

  /**
   * The graph of one call.
   *
   * <p>Inputs: {@code latent} [B, C, height, width]; {@code timestep} [B], which is 1000 sigma, not
   * rounded; {@code context} [B, L, contextWidth], the prompt embedding; {@code pooled} [B,
   * pooledWidth]. Output: {@code velocity}, shaped as the latent.
   *
   * @param batch B
   * @param height rows of the latent, a multiple of the patch size; the picture has 8 times as many
   * @param width columns of the latent
   * @param contextTokens L
   * @param taps also return {@code blockN.image} [B, tokens, width] and {@code blockN.text} [B, L,
   *     width], what each block puts out
   * @throws IllegalArgumentException if the size does not fit the patches or the position table
   * @throws org.rectiflow.engine.CheckpointException if a tensor is missing, misshaped or left over
   */
  public Graph graph(int batch, int height, int width, int contextTokens, boolean taps) {
    Graph g = new Graph();
    Params params = new Params(g, weights);
    Value latent = g.input("latent", batch, config.latentChannels(), height, width);
    Value timestep = g.input("timestep", batch);
    Value prompt = g.input("context", batch, contextTokens, config.contextWidth());
    Value pooled = g.input("pooled", batch, config.pooledWidth());

    Value y;
    try (Scope _ = g.scope("embed")) {
      y = conditioning(params.in("time_text_embed"), timestep, pooled);
    }
    Value x;
    Value c;
    PatchEmbedding patches = new PatchEmbedding(config, height, width);
    try (Scope _ = g.scope("embed")) {
      x = patches.embed(params.in("pos_embed"), latent);
      c = params.linear("context_embedder", prompt, config.width());
    }

    MmditBlock.Streams streams = new MmditBlock.Streams(c, x);
    for (int i = 0; i < config.depth(); i++) {
      boolean last = i == config.depth() - 1;
      boolean dual = config.dualAttentionBlocks().contains(i);
      try (Scope _ = g.scope("block" + i)) {
        MmditBlock block = new MmditBlock(config, params.in("transformer_blocks." + i), last, dual);
        streams = block.forward(streams, y);
      }
      if (taps) {
        g.output("block" + i + ".image", streams.image());
        if (!last) {
          g.output("block" + i + ".text", streams.text());
        }
      }
    }
    try (Scope _ = g.scope("final")) {
      g.output("velocity", finalLayer(params, patches, streams.image(), y));
    }
    params.requireAllUsed(Set.of());
    return g;
  }

  /**
   * y = MLP(sinusoidal(t)) + MLP(c_vec), through SiLU once: every modulation begins with it.
   *
   * @return [B, width]
   */
  private Value conditioning(Params p, Value timestep, Value pooled) {
    Graph g = p.graph();
    Value features = g.timestepFeatures(timestep, MmditConfig.TIMESTEP_FEATURES);
    Value t = mlp(p.in("timestep_embedder"), features);
    return g.silu(g.add(t, mlp(p.in("text_embedder"), pooled)));
  }

  private Value mlp(Params p, Value x) {
    Value hidden = p.graph().silu(p.linear("linear_1", x, config.width()));
    return p.linear("linear_2", hidden, config.width());
  }

  /** Modulation, Linear, Unpatching: the top of Figure 2(a). */
  private Value finalLayer(Params p, PatchEmbedding patches, Value x, Value y) {
    Graph g = p.graph();
    // diffusers stores (scale, shift) here, unlike in the blocks.
    var modulation = g.chunk(p.linear("norm_out.linear", y, 2 * config.width()), 1, 2);
    Value normed = g.modulate(g.layerNorm(x, EPS), modulation.get(1), modulation.get(0));
    return patches.unpatchify(g, p.linear("proj_out", normed, config.patchValues()));
  }
}
