package org.rectiflow.pipeline.checkpoint;

import static org.rectiflow.pipeline.checkpoint.NameTable.Change.SAME;
import static org.rectiflow.pipeline.checkpoint.NameTable.Change.SQUEEZED;

import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The autoencoder's tensors: names of the latent diffusion code, which single files keep, against
 * those of diffusers' {@code AutoencoderKL} (diffusers 0.40).
 */
final class VaeNames {
  private static final Pattern LEVEL =
      Pattern.compile("^encoder\\.(?:down|down_blocks)\\.(\\d{1,4})\\.");
  private static final Pattern LAYER = Pattern.compile("\\.(?:block|resnets)\\.(\\d{1,4})\\.");

  private VaeNames() {}

  /** The table for an autoencoder of as many levels and layers as its tensors' names have. */
  static NameTable of(Set<String> names) {
    return of(NameTable.count(names, LEVEL), NameTable.count(names, LAYER));
  }

  private static NameTable of(int levels, int layers) {
    NameTable t = new NameTable();
    for (String half : List.of("encoder.", "decoder.")) {
      t.layer(half + "conv_in", SAME, half + "conv_in");
      t.layer(half + "norm_out", SAME, half + "conv_norm_out");
      t.layer(half + "conv_out", SAME, half + "conv_out");
      resnet(t, half + "mid.block_1", half + "mid_block.resnets.0");
      resnet(t, half + "mid.block_2", half + "mid_block.resnets.1");
      attention(t, half + "mid.attn_1.", half + "mid_block.attentions.0.");
    }
    for (int i = 0; i < levels; i++) {
      String down = "encoder.down." + i;
      String downBlock = "encoder.down_blocks." + i;
      // The original counts the decoder's levels like the encoder's, diffusers as they are run.
      String up = "decoder.up." + i;
      String upBlock = "decoder.up_blocks." + (levels - 1 - i);
      for (int j = 0; j < layers; j++) {
        resnet(t, down + ".block." + j, downBlock + ".resnets." + j);
        resnet(t, up + ".block." + j, upBlock + ".resnets." + j);
      }
      t.layer(down + ".downsample.conv", SAME, downBlock + ".downsamplers.0.conv");
      t.layer(up + ".upsample.conv", SAME, upBlock + ".upsamplers.0.conv");
    }
    return t;
  }

  private static void resnet(NameTable t, String original, String ours) {
    for (String layer : List.of("norm1", "conv1", "norm2", "conv2")) {
      t.layer(original + "." + layer, SAME, ours + "." + layer);
    }
    t.layer(original + ".nin_shortcut", SAME, ours + ".conv_shortcut");
  }

  private static void attention(NameTable t, String original, String ours) {
    t.layer(original + "norm", SAME, ours + "group_norm");
    t.layer(original + "q", SQUEEZED, ours + "to_q");
    t.layer(original + "k", SQUEEZED, ours + "to_k");
    t.layer(original + "v", SQUEEZED, ours + "to_v");
    t.layer(original + "proj_out", SQUEEZED, ours + "to_out.0");
  }
}
