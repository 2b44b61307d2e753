package org.rectiflow.mmdit;

import java.util.List;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Graph.Qkv;
import org.rectiflow.engine.Graph.Scope;
import org.rectiflow.engine.Params;
import org.rectiflow.engine.Value;
import org.rectiflow.mmdit.BlockParts.Modulation;
import org.rectiflow.mmdit.BlockParts.QkvNames;

/**
 * One MM-DiT block, the paper's Figure 2(b): two streams, text (c) and image (x), with weights of
 * their own for everything but the attention, in which every token sees every other.
 *
 * <p>In the last block the text stream only lends its keys and values ("pre-only"). An MMDiT-X
 * block has a second attention over the image tokens alone.
 */
final class MmditBlock {
  private static final QkvNames IMAGE = new QkvNames("to_q", "to_k", "to_v", "norm_q", "norm_k");
  private static final QkvNames TEXT =
      new QkvNames("add_q_proj", "add_k_proj", "add_v_proj", "norm_added_q", "norm_added_k");

  private final MmditConfig config;
  private final Params params;
  private final BlockParts parts;
  private final boolean textPreOnly;
  private final boolean dualAttention;

  MmditBlock(MmditConfig config, Params params, boolean textPreOnly, boolean dualAttention) {
    this.config = config;
    this.params = params;
    this.parts = new BlockParts(config, params);
    this.textPreOnly = textPreOnly;
    this.dualAttention = dualAttention;
  }

  /** The text tokens c [B, L, width] and the image tokens x [B, N, width]. */
  record Streams(Value text, Value image) {}

  /**
   * @param y the conditioning after SiLU, [B, width]
   * @return both streams after the block; the text of a pre-only block is returned unchanged
   */
  Streams forward(Streams in, Value y) {
    Graph g = params.graph();
    List<Value> image = parts.chunks("norm1.linear", y, dualAttention ? 9 : 6);
    Modulation imageAttention = Modulation.of(image, 0);
    Value modulatedX = parts.modulated(in.image(), imageAttention.shift(), imageAttention.scale());

    List<Value> text = parts.chunks("norm1_context.linear", y, textPreOnly ? 2 : 6);
    // The pre-only block's pair is stored as (scale, shift), the block's six as (shift, scale,
    // gate).
    Value shift = text.get(textPreOnly ? 1 : 0);
    Value scale = text.get(textPreOnly ? 0 : 1);
    Value modulatedC = parts.modulated(in.text(), shift, scale);

    List<Value> attended;
    try (Scope _ = g.scope("attn")) {
      Params attn = params.in("attn");
      Qkv qkvX = parts.qkv(attn, modulatedX, IMAGE);
      Qkv qkvC = parts.qkv(attn, modulatedC, TEXT);
      // diffusers' order, image before text: it decides only the order of summation.
      attended = g.jointAttention(config.heads(), List.of(qkvX, qkvC));
    }
    Value newX =
        g.gatedAdd(
            in.image(),
            imageAttention.gate(),
            params.linear("attn.to_out.0", attended.get(0), config.width()));
    if (dualAttention) {
      newX = secondAttention(newX, in.image(), Modulation.of(image, 6));
    }
    newX = parts.mlp("ff", newX, Modulation.of(image, 3));
    if (textPreOnly) {
      return new Streams(in.text(), newX);
    }
    Value newC =
        g.gatedAdd(
            in.text(),
            text.get(2),
            params.linear("attn.to_add_out", attended.get(1), config.width()));
    return new Streams(parts.mlp("ff_context", newC, Modulation.of(text, 3)), newX);
  }

  /**
   * MMDiT-X: attention over the image tokens alone. It reads the block's input through the same
   * norm as the joint attention, and adds to what that attention made.
   */
  private Value secondAttention(Value x, Value input, Modulation m) {
    try (Scope _ = params.graph().scope("attn2")) {
      Params attn = params.in("attn2");
      Value modulated = parts.modulated(input, m.shift(), m.scale());
      Qkv qkv = parts.qkv(attn, modulated, IMAGE);
      Value attended = params.graph().jointAttention(config.heads(), List.of(qkv)).getFirst();
      Value out = attn.linear("to_out.0", attended, config.width());
      return params.graph().gatedAdd(x, m.gate(), out);
    }
  }
}
