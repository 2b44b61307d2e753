package org.rectiflow.backbones;

import java.util.ArrayList;
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
 * A block of the paper's Figure 2(b) for any number of streams, each with weights of its own. The
 * first has the image tokens; in the last block the others only lend their keys and values.
 *
 * <p>Names follow diffusers' for two streams; the third has those of the second followed by {@code
 * _2}.
 */
final class WeightSetsBlock {

  /** The tensors of one stream. */
  private record Names(String norm, QkvNames qkv, String out, String mlp) {
    static Names of(int stream) {
      if (stream == 0) {
        QkvNames qkv = new QkvNames("to_q", "to_k", "to_v", "norm_q", "norm_k");
        return new Names("norm1.linear", qkv, "attn.to_out.0", "ff");
      }
      String end = stream == 1 ? "" : "_" + stream;
      QkvNames qkv =
          new QkvNames(
              "add_q_proj" + end,
              "add_k_proj" + end,
              "add_v_proj" + end,
              "norm_added_q" + end,
              "norm_added_k" + end);
      return new Names(
          "norm1_context" + end + ".linear", qkv, "attn.to_add_out" + end, "ff_context" + end);
    }
  }

  private final MmditConfig config;
  private final Params params;
  private final BlockParts parts;
  private final int imageTokens;
  private final boolean last;

  /**
   * @param imageTokens how many of the first stream's tokens are the image's
   */
  WeightSetsBlock(MmditConfig config, Params params, int imageTokens, boolean last) {
    this.config = config;
    this.params = params;
    this.parts = new BlockParts(config, params);
    this.imageTokens = imageTokens;
    this.last = last;
  }

  /**
   * @param streams [B, T_s, width] each
   * @param y the conditioning after SiLU, [B, width]
   * @return the streams after the block; of the last block only the image tokens
   */
  List<Value> forward(List<Value> streams, Value y) {
    List<List<Value>> modulations = new ArrayList<>();
    List<Qkv> qkv = new ArrayList<>();
    Graph g = params.graph();
    for (int s = 0; s < streams.size(); s++) {
      Names names = Names.of(s);
      boolean lends = last && s > 0;
      List<Value> chunks = parts.chunks(names.norm(), y, lends ? 2 : 6);
      modulations.add(chunks);
      // A pair is stored as (scale, shift), six as (shift, scale, gate) twice.
      Value modulated =
          parts.modulated(streams.get(s), chunks.get(lends ? 1 : 0), chunks.get(lends ? 0 : 1));
      try (Scope _ = g.scope("attn")) {
        qkv.add(parts.qkv(params.in("attn"), modulated, names.qkv()));
      }
    }
    List<Value> attended;
    try (Scope _ = g.scope("attn")) {
      attended = g.jointAttention(config.heads(), qkv);
    }
    List<Value> results = new ArrayList<>();
    for (int s = 0; s < (last ? 1 : streams.size()); s++) {
      Value x = streams.get(s);
      Value a = attended.get(s);
      if (last) {
        x = g.slice(x, 1, 0, imageTokens);
        a = g.slice(a, 1, 0, imageTokens);
      }
      Names names = Names.of(s);
      List<Value> chunks = modulations.get(s);
      Value sum = g.gatedAdd(x, chunks.get(2), params.linear(names.out(), a, config.width()));
      results.add(parts.mlp(names.mlp(), sum, Modulation.of(chunks, 3)));
    }
    return results;
  }
}
