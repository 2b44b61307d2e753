package org.rectiflow.mmdit;

import java.util.Set;
import java.util.TreeSet;
import org.rectiflow.engine.CheckpointException;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.WeightSource;

/**
 * The sizes of an MMDiT: SD3-medium, SD3.5-large, and the MMDiT-X of SD3.5-medium differ in nothing
 * else. All of them follow from the shapes of the tensors, so a checkpoint needs no configuration.
 *
 * @param depth number of blocks d (24 in SD3-medium)
 * @param width hidden size, 64 d in the released models
 * @param heads attention heads of 64 channels
 * @param latentChannels channels of the latent, 16
 * @param patchSize pixels of the latent a token covers in each direction, 2
 * @param contextWidth channels of the prompt embedding, 4096
 * @param pooledWidth channels of the pooled prompt embedding, 2048
 * @param positionTableSize rows (and columns) of the stored position table, 192 or 384
 * @param qkNorm RMS norm of queries and keys (paper, Section 5.3.2)
 * @param dualAttentionBlocks the blocks with a second attention over the image tokens (MMDiT-X)
 */
public record MmditConfig(
    int depth,
    int width,
    int heads,
    int latentChannels,
    int patchSize,
    int contextWidth,
    int pooledWidth,
    int positionTableSize,
    boolean qkNorm,
    Set<Integer> dualAttentionBlocks) {

  /** Channels of one attention head in every released model. */
  public static final int HEAD_SIZE = 64;

  /** Sinusoidal features of the timestep. */
  static final int TIMESTEP_FEATURES = 256;

  public MmditConfig {
    dualAttentionBlocks = Set.copyOf(dualAttentionBlocks);
  }

  /**
   * Reads the sizes off a checkpoint's tensors (diffusers' names).
   *
   * @throws CheckpointException if a tensor that decides them is missing or cannot be right
   */
  public static MmditConfig of(WeightSource weights) {
    Shape patch = weights.require("pos_embed.proj.weight").shape();
    int width = patch.dim(0);
    if (patch.rank() != 4 || width % HEAD_SIZE != 0 || patch.dim(2) != patch.dim(3)) {
      throw new CheckpointException(
          "%s: pos_embed.proj.weight has shape %s, expected [width, channels, patch, patch] with a width that is a multiple of %d"
              .formatted(weights.origin(), patch, HEAD_SIZE));
    }
    int depth = 0;
    while (weights.has("transformer_blocks." + depth + ".attn.to_q.weight")) {
      depth++;
    }
    if (depth == 0) {
      weights.require("transformer_blocks.0.attn.to_q.weight");
    }
    Set<Integer> dual = new TreeSet<>();
    for (int i = 0; i < depth; i++) {
      if (weights.has("transformer_blocks." + i + ".attn2.to_q.weight")) {
        dual.add(i);
      }
    }
    int positions = weights.require("pos_embed.pos_embed").shape().dim(-2);
    int side = (int) Math.round(Math.sqrt(positions));
    if (side * side != positions) {
      throw new CheckpointException(
          "%s: pos_embed.pos_embed has %d rows, expected a square number"
              .formatted(weights.origin(), positions));
    }
    return new MmditConfig(
        depth,
        width,
        width / HEAD_SIZE,
        patch.dim(1),
        patch.dim(2),
        weights.require("context_embedder.weight").shape().dim(1),
        weights.require("time_text_embed.text_embedder.linear_1.weight").shape().dim(1),
        side,
        weights.has("transformer_blocks.0.attn.norm_q.weight"),
        dual);
  }

  /** Values a token carries: channels times the pixels of a patch. */
  int patchValues() {
    return latentChannels * patchSize * patchSize;
  }
}
