package org.rectiflow.backbones;

import java.util.List;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Graph.Qkv;
import org.rectiflow.engine.Graph.Scope;
import org.rectiflow.engine.Params;
import org.rectiflow.engine.Value;
import org.rectiflow.mmdit.BlockParts;
import org.rectiflow.mmdit.BlockParts.Modulation;
import org.rectiflow.mmdit.BlockParts.QkvNames;
import org.rectiflow.mmdit.MmditConfig;

/**
 * A CrossDiT block, as drawn in the sources of the paper: gated and modulated self-attention of the
 * image tokens; cross-attention to the text tokens, whose queries come from the image tokens by a
 * plain linear layer and whose result is added without a gate; gated and modulated MLP. The text
 * tokens stay as they are.
 */
final class CrossDitBlock {
  private static final QkvNames SELF = new QkvNames("to_q", "to_k", "to_v", "norm_q", "norm_k");

  private final MmditConfig config;
  private final Params params;
  private final BlockParts parts;

  CrossDitBlock(MmditConfig config, Params params) {
    this.config = config;
    this.params = params;
    this.parts = new BlockParts(config, params);
  }

  /**
   * @param x the image tokens [B, N, width]
   * @param c the text tokens [B, L, width]
   * @param y the conditioning after SiLU, [B, width]
   * @return the image tokens after the block
   */
  Value forward(Value x, Value c, Value y) {
    Graph g = params.graph();
    List<Value> chunks = parts.chunks("norm1.linear", y, 6);
    Modulation self = Modulation.of(chunks, 0);
    Value attended;
    try (Scope _ = g.scope("attn")) {
      Params attn = params.in("attn");
      Qkv qkv = parts.qkv(attn, parts.modulated(x, self.shift(), self.scale()), SELF);
      Value mixed = g.jointAttention(config.heads(), List.of(qkv)).getFirst();
      attended = g.gatedAdd(x, self.gate(), attn.linear("to_out.0", mixed, config.width()));
    }
    Value sum = g.add(attended, cross(g, attended, c));
    return parts.mlp("ff", sum, Modulation.of(chunks, 3));
  }

  private Value cross(Graph g, Value x, Value c) {
    try (Scope _ = g.scope("cross_attn")) {
      Params attn = params.in("cross_attn");
      Value q = parts.norm(attn, "norm_q", attn.linear("to_q", x, config.width()));
      List<Value> kv = g.chunk(attn.linear("to_kv", c, 2 * config.width()), 2, 2);
      Value k = parts.norm(attn, "norm_k", kv.get(0));
      Value attended = CrossAttention.of(g, config.heads(), q, k, kv.get(1));
      return attn.linear("to_out.0", attended, config.width());
    }
  }
}
