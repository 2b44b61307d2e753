package org.rectiflow.encoders;

import java.util.Set;
import org.rectiflow.engine.Activation;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Graph.Qkv;
import org.rectiflow.engine.Graph.Scope;
import org.rectiflow.engine.Params;
import org.rectiflow.engine.Value;
import org.rectiflow.engine.WeightSource;

/**
 * The encoder of T5 1.1 as SD3 uses it: its last hidden states, after the final norm. Padding is
 * not masked: pad tokens take part in the attention, in diffusers and the reference code alike, so
 * the padded length changes the result.
 *
 * <p>The tensors have the names of transformers' T5EncoderModel.
 */
public final class T5Encoder {
  private static final String SHARED = "shared.weight";
  private static final String EMBED_TOKENS = "encoder.embed_tokens.weight";

  private final T5Config config;
  private final WeightSource weights;

  public T5Encoder(T5Config config, WeightSource weights) {
    this.config = config;
    this.weights = weights;
  }

  public T5Config config() {
    return config;
  }

  /** The name of the embedding table: most files have it twice, some under the second name only. */
  static String tokenTable(WeightSource weights) {
    return weights.has(SHARED) || !weights.has(EMBED_TOKENS) ? SHARED : EMBED_TOKENS;
  }

  /**
   * The graph of one call. Input: {@code ids} [B, T] int32. Output: {@code last} [B, T, width].
   *
   * @throws org.rectiflow.engine.CheckpointException if a tensor is missing, misshaped or left over
   */
  public Graph graph(int batch, int tokens) {
    Graph g = new Graph();
    Params params = new Params(g, weights);
    Value ids = g.intInput("ids", batch, tokens);
    Value x;
    Value bias;
    try (Scope _ = g.scope("embed")) {
      x = g.gather(params.get(tokenTable(weights), config.vocabulary(), config.width()), ids);
      bias = relativeBias(params, tokens);
    }
    for (int i = 0; i < config.blocks(); i++) {
      Params block = params.in("encoder.block." + i);
      try (Scope _ = g.scope("block" + i)) {
        x = g.add(x, attention(block.in("layer.0"), x, bias));
        x = g.add(x, feedForward(block.in("layer.1"), x));
      }
    }
    g.output("last", norm(params.in("encoder"), "final_layer_norm", x));
    params.requireAllUsed(Set.of(SHARED, EMBED_TOKENS));
    return g;
  }

  /** What block 0 learned about relative positions, shared by all blocks: [heads, T, T]. */
  private Value relativeBias(Params p, int tokens) {
    Graph g = p.graph();
    Value table =
        p.get(
            "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight",
            config.buckets(),
            config.heads());
    Value buckets =
        g.constant(RelativePositions.table(tokens, config.buckets(), config.maxDistance()));
    return g.permute(g.gather(table, buckets), 2, 0, 1);
  }

  /** Attention without biases in the projections and without 1/sqrt(d). */
  private Value attention(Params p, Value x, Value bias) {
    Value normed = norm(p, "layer_norm", x);
    Params attention = p.in("SelfAttention");
    int inner = config.heads() * config.headSize();
    Qkv qkv =
        new Qkv(
            attention.linearNoBias("q", normed, inner),
            attention.linearNoBias("k", normed, inner),
            attention.linearNoBias("v", normed, inner));
    Value seen = p.graph().selfAttention(config.heads(), qkv, 1, false, bias);
    return attention.linearNoBias("o", seen, config.width());
  }

  private Value feedForward(Params p, Value x) {
    Graph g = p.graph();
    Value normed = norm(p, "layer_norm", x);
    Params dense = p.in("DenseReluDense");
    Value gate =
        g.activate(Activation.GELU_TANH, dense.linearNoBias("wi_0", normed, config.mlpWidth()));
    Value hidden = g.mul(gate, dense.linearNoBias("wi_1", normed, config.mlpWidth()));
    return dense.linearNoBias("wo", hidden, config.width());
  }

  private Value norm(Params p, String name, Value x) {
    return p.graph().rmsNorm(x, p.get(name + ".weight", config.width()), config.eps());
  }
}
