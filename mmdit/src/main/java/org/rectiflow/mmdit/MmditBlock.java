package org.rectiflow.mmdit;

import static org.rectiflow.mmdit.Mmdit.EPS;
import static org.rectiflow.mmdit.MmditConfig.HEAD_SIZE;

import java.util.List;
import org.rectiflow.engine.Activation;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Graph.Qkv;
import org.rectiflow.engine.Graph.Scope;
import org.rectiflow.engine.Params;
import org.rectiflow.engine.Value;

/**
 * One MM-DiT block, the paper's Figure 2(b): two streams, text (c) and image (x), with weights of
 * their own for everything but the attention, in which every token sees every other.
 *
 * <p>In the last block the text stream only lends its keys and values ("pre-only"). An MMDiT-X
 * block has a second attention over the image tokens alone.
 */
final class MmditBlock {
  private final MmditConfig config;
  private final Params params;
  private final boolean textPreOnly;
  private final boolean dualAttention;

  MmditBlock(MmditConfig config, Params params, boolean textPreOnly, boolean dualAttention) {
    this.config = config;
    this.params = params;
    this.textPreOnly = textPreOnly;
    this.dualAttention = dualAttention;
  }

  /** The text tokens c [B, L, width] and the image tokens x [B, N, width]. */
  record Streams(Value text, Value image) {}

  /** One residual branch's modulation: beta, alpha and gamma of Figure 2(b), [B, width] each. */
  private record Modulation(Value shift, Value scale, Value gate) {}

  /**
   * @param y the conditioning after SiLU, [B, width]
   * @return both streams after the block; the text of a pre-only block is returned unchanged
   */
  Streams forward(Streams in, Value y) {
    Graph g = params.graph();
    List<Value> image = chunks("norm1.linear", y, dualAttention ? 9 : 6);
    Modulation imageAttention = modulation(image, 0);
    Value modulatedX = modulated(in.image(), imageAttention.shift(), imageAttention.scale());

    List<Value> text = chunks("norm1_context.linear", y, textPreOnly ? 2 : 6);
    // The pre-only block's pair is stored as (scale, shift), the block's six as (shift, scale,
    // gate).
    Value shift = text.get(textPreOnly ? 1 : 0);
    Value scale = text.get(textPreOnly ? 0 : 1);
    Value modulatedC = modulated(in.text(), shift, scale);

    List<Value> attended;
    try (Scope _ = g.scope("attn")) {
      Params attn = params.in("attn");
      Qkv qkvX = qkv(attn, modulatedX, "to_q", "to_k", "to_v", "norm_q", "norm_k");
      Qkv qkvC =
          qkv(
              attn,
              modulatedC,
              "add_q_proj",
              "add_k_proj",
              "add_v_proj",
              "norm_added_q",
              "norm_added_k");
      // diffusers' order, image before text: it decides only the order of summation.
      attended = g.jointAttention(config.heads(), List.of(qkvX, qkvC));
    }
    Value newX =
        g.gatedAdd(
            in.image(),
            imageAttention.gate(),
            params.linear("attn.to_out.0", attended.get(0), config.width()));
    if (dualAttention) {
      newX = secondAttention(newX, in.image(), modulation(image, 6));
    }
    newX = mlp("ff", newX, modulation(image, 3));
    if (textPreOnly) {
      return new Streams(in.text(), newX);
    }
    Value newC =
        g.gatedAdd(
            in.text(),
            text.get(2),
            params.linear("attn.to_add_out", attended.get(1), config.width()));
    return new Streams(mlp("ff_context", newC, modulation(text, 3)), newX);
  }

  /** Linear(SiLU(y)), cut into {@code n} vectors [B, width]. */
  private List<Value> chunks(String name, Value y, int n) {
    Value all = params.linear(name, y, n * config.width());
    return params.graph().chunk(all, 1, n);
  }

  private static Modulation modulation(List<Value> chunks, int from) {
    return new Modulation(chunks.get(from), chunks.get(from + 1), chunks.get(from + 2));
  }

  private Qkv qkv(Params p, Value x, String q, String k, String v, String normQ, String normK) {
    return new Qkv(
        norm(p, normQ, p.linear(q, x, config.width())),
        norm(p, normK, p.linear(k, x, config.width())),
        p.linear(v, x, config.width()));
  }

  /** RMS norm with a learnt scale over each head's channels, where the model has it. */
  private Value norm(Params p, String name, Value x) {
    if (!config.qkNorm()) {
      return x;
    }
    Graph g = p.graph();
    int b = x.shape().dim(0);
    int t = x.shape().dim(1);
    Value heads = g.reshape(x, b, t, config.heads(), HEAD_SIZE);
    Value normed = g.rmsNorm(heads, p.get(name + ".weight", HEAD_SIZE), EPS);
    return g.reshape(normed, b, t, config.width());
  }

  /**
   * MMDiT-X: attention over the image tokens alone. It reads the block's input through the same
   * norm as the joint attention, and adds to what that attention made.
   */
  private Value secondAttention(Value x, Value input, Modulation m) {
    try (Scope _ = params.graph().scope("attn2")) {
      Params attn = params.in("attn2");
      Value modulated = modulated(input, m.shift(), m.scale());
      Qkv qkv = qkv(attn, modulated, "to_q", "to_k", "to_v", "norm_q", "norm_k");
      Value attended = params.graph().jointAttention(config.heads(), List.of(qkv)).getFirst();
      Value out = attn.linear("to_out.0", attended, config.width());
      return params.graph().gatedAdd(x, m.gate(), out);
    }
  }

  /** LN(x) (1 + scale) + shift. */
  private Value modulated(Value x, Value shift, Value scale) {
    Graph g = params.graph();
    return g.modulate(g.layerNorm(x, EPS), shift, scale);
  }

  /** x + zeta * MLP(delta-epsilon-modulated LN(x)), four times as wide inside, tanh GELU. */
  private Value mlp(String name, Value x, Modulation m) {
    Graph g = params.graph();
    try (Scope _ = g.scope(name)) {
      Value modulated = modulated(x, m.shift(), m.scale());
      Value hidden = params.linear(name + ".net.0.proj", modulated, 4 * config.width());
      Value out =
          params.linear(name + ".net.2", g.activate(Activation.GELU_TANH, hidden), config.width());
      return g.gatedAdd(x, m.gate(), out);
    }
  }
}
