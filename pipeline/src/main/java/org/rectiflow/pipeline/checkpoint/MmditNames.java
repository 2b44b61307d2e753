package org.rectiflow.pipeline.checkpoint;

import static org.rectiflow.pipeline.checkpoint.NameTable.Change.HALVES_SWAPPED;
import static org.rectiflow.pipeline.checkpoint.NameTable.Change.SAME;
import static org.rectiflow.pipeline.checkpoint.NameTable.Change.THIRDS;

import java.util.Set;
import java.util.regex.Pattern;

/**
 * The transformer's tensors: names of Stability's single files against those of diffusers' {@code
 * SD3Transformer2DModel} (diffusers 0.40).
 */
final class MmditNames {
  private static final Pattern BLOCK =
      Pattern.compile("^(?:joint_blocks|transformer_blocks)\\.(\\d{1,4})\\.");

  private MmditNames() {}

  /**
   * The table for a transformer of as many blocks as the names of its tensors have, in either
   * layout. The number matters: only the last block's text modulation is stored differently.
   */
  static NameTable of(Set<String> names) {
    return of(NameTable.count(names, BLOCK));
  }

  static NameTable of(int depth) {
    NameTable t = new NameTable();
    t.add("pos_embed", SAME, "pos_embed.pos_embed");
    t.layer("x_embedder.proj", SAME, "pos_embed.proj");
    String time = "time_text_embed.timestep_embedder.";
    t.layer("t_embedder.mlp.0", SAME, time + "linear_1");
    t.layer("t_embedder.mlp.2", SAME, time + "linear_2");
    String text = "time_text_embed.text_embedder.";
    t.layer("y_embedder.mlp.0", SAME, text + "linear_1");
    t.layer("y_embedder.mlp.2", SAME, text + "linear_2");
    t.layer("context_embedder", SAME, "context_embedder");
    for (int i = 0; i < depth; i++) {
      block(t, "joint_blocks." + i + ".", "transformer_blocks." + i + ".", i == depth - 1);
    }
    t.layer("final_layer.adaLN_modulation.1", HALVES_SWAPPED, "norm_out.linear");
    t.layer("final_layer.linear", SAME, "proj_out");
    return t;
  }

  private static void block(NameTable t, String original, String ours, boolean last) {
    String x = original + "x_block.";
    String c = original + "context_block.";
    t.layer(x + "adaLN_modulation.1", SAME, ours + "norm1.linear");
    // In the last block the text has shift and scale alone, which diffusers stores the other way.
    t.layer(c + "adaLN_modulation.1", last ? HALVES_SWAPPED : SAME, ours + "norm1_context.linear");
    String attn = ours + "attn.";
    t.layer(x + "attn.qkv", THIRDS, attn + "to_q", attn + "to_k", attn + "to_v");
    t.layer(c + "attn.qkv", THIRDS, attn + "add_q_proj", attn + "add_k_proj", attn + "add_v_proj");
    t.add(x + "attn.ln_q.weight", SAME, attn + "norm_q.weight");
    t.add(x + "attn.ln_k.weight", SAME, attn + "norm_k.weight");
    t.add(c + "attn.ln_q.weight", SAME, attn + "norm_added_q.weight");
    t.add(c + "attn.ln_k.weight", SAME, attn + "norm_added_k.weight");
    t.layer(x + "attn.proj", SAME, attn + "to_out.0");
    t.layer(c + "attn.proj", SAME, attn + "to_add_out");
    String attn2 = ours + "attn2.";
    t.layer(x + "attn2.qkv", THIRDS, attn2 + "to_q", attn2 + "to_k", attn2 + "to_v");
    t.add(x + "attn2.ln_q.weight", SAME, attn2 + "norm_q.weight");
    t.add(x + "attn2.ln_k.weight", SAME, attn2 + "norm_k.weight");
    t.layer(x + "attn2.proj", SAME, attn2 + "to_out.0");
    t.layer(x + "mlp.fc1", SAME, ours + "ff.net.0.proj");
    t.layer(x + "mlp.fc2", SAME, ours + "ff.net.2");
    t.layer(c + "mlp.fc1", SAME, ours + "ff_context.net.0.proj");
    t.layer(c + "mlp.fc2", SAME, ours + "ff_context.net.2");
  }
}
