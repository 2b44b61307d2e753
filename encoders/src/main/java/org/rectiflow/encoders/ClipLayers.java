package org.rectiflow.encoders;

import org.rectiflow.engine.Activation;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Graph.Qkv;
import org.rectiflow.engine.Params;
import org.rectiflow.engine.Value;

/**
 * The pre-norm transformer layer that CLIP's text and image models share.
 *
 * @param width channels of the hidden states
 * @param heads attention heads
 * @param mlpWidth channels inside the MLP
 * @param activation of the MLP
 * @param eps of the layer norms
 */
record ClipLayers(int width, int heads, int mlpWidth, Activation activation, float eps) {

  /**
   * Attention and MLP, each with its norm before and its residual after.
   *
   * @param x [B, T, width]
   * @param causal whether a token sees only those before it
   */
  Value layer(Params p, Value x, boolean causal) {
    Graph g = p.graph();
    Value normed = norm(p, "layer_norm1", x);
    Params attention = p.in("self_attn");
    Qkv qkv =
        new Qkv(
            attention.linear("q_proj", normed, width),
            attention.linear("k_proj", normed, width),
            attention.linear("v_proj", normed, width));
    float scale = (float) (1 / Math.sqrt((double) width / heads));
    Value seen = g.selfAttention(heads, qkv, scale, causal, null);
    x = g.add(x, attention.linear("out_proj", seen, width));
    Value hidden = p.linear("mlp.fc1", norm(p, "layer_norm2", x), mlpWidth);
    return g.add(x, p.linear("mlp.fc2", g.activate(activation, hidden), width));
  }

  /** The layer norm whose tensors are {@code NAME.weight} and {@code NAME.bias}. */
  Value norm(Params p, String name, Value x) {
    return p.graph()
        .layerNorm(x, p.get(name + ".weight", width), p.get(name + ".bias", width), eps);
  }
}
