package org.rectiflow.backbones;

import java.util.Set;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.WeightSource;
import org.rectiflow.mmdit.Mmdit;
import org.rectiflow.mmdit.MmditConfig;
import org.rectiflow.mmdit.VelocityModel;

/**
 * A backbone and its sizes.
 *
 * @param backbone the architecture
 * @param sizes depth, width and so on; the patch size of {@link Backbone#UVIT} is the factor
 *     between the latent and its transformer's grid
 * @param clipTokens how many of the context's tokens, the first ones, are CLIP's (77 in the paper):
 *     {@link Backbone#MMDIT_3} has weights of their own for them; the others do not look at it
 */
public record BackboneConfig(Backbone backbone, MmditConfig sizes, int clipTokens) {
  /** CLIP tokens of the paper and of every released model. */
  public static final int CLIP_TOKENS = 77;

  /**
   * Checks what shapes alone do not.
   *
   * @throws IllegalArgumentException if the backbone cannot have these sizes
   */
  public BackboneConfig {
    if (backbone != Backbone.MMDIT && !sizes.dualAttentionBlocks().isEmpty()) {
      throw new IllegalArgumentException(
          "only mmdit has blocks with a second attention, %s has none".formatted(backbone.key()));
    }
    if (clipTokens < 1) {
      throw new IllegalArgumentException("clipTokens must be positive, found " + clipTokens);
    }
    if (backbone == Backbone.UVIT) {
      UvitLevels.of(sizes);
    }
  }

  /** With the paper's 77 CLIP tokens. */
  public BackboneConfig(Backbone backbone, MmditConfig sizes) {
    this(backbone, sizes, CLIP_TOKENS);
  }

  /**
   * Reads architecture and sizes off a checkpoint's tensors.
   *
   * @throws org.rectiflow.engine.CheckpointException if a tensor that decides them is missing or
   *     cannot be right
   */
  public static BackboneConfig of(WeightSource weights, int clipTokens) {
    Backbone backbone = Backbone.of(weights);
    if (backbone != Backbone.UVIT) {
      return new BackboneConfig(backbone, MmditConfig.of(weights), clipTokens);
    }
    int depth = 0;
    while (weights.has("transformer_blocks." + depth + ".attn.to_q.weight")) {
      depth++;
    }
    int levels = 0;
    while (weights.has("down_blocks." + levels + ".resnets.0.conv1.weight")) {
      levels++;
    }
    Shape context = weights.require("context_embedder.weight").shape();
    int width = context.dim(0);
    int positions = weights.require("pos_embed.pos_embed").shape().dim(-2);
    MmditConfig sizes =
        new MmditConfig(
            depth,
            width,
            width / MmditConfig.HEAD_SIZE,
            weights.require("conv_in.weight").shape().dim(1),
            1 << levels,
            context.dim(1),
            weights.require("time_text_embed.text_embedder.linear_1.weight").shape().dim(1),
            (int) Math.round(Math.sqrt(positions)),
            weights.has("transformer_blocks.0.attn.norm_q.weight"),
            Set.of());
    return new BackboneConfig(backbone, sizes, clipTokens);
  }

  /** The model with these weights. */
  public VelocityModel model(WeightSource weights) {
    return switch (backbone) {
      case DIT -> new WeightSets(sizes, 1, clipTokens, weights);
      case CROSS_DIT -> new CrossDit(sizes, weights);
      case UVIT -> new Uvit(sizes, weights);
      case MMDIT -> new Mmdit(sizes, weights);
      case MMDIT_3 -> new WeightSets(sizes, 3, clipTokens, weights);
    };
  }

  /**
   * Whether a tensor begins at zero in training, so that every block begins as the identity and the
   * model answers 0 ("adaLN-Zero", Peebles and Xie, "DiT", 2023): modulations with their gates, the
   * last convolution of a residual block, and the last layer.
   */
  public static boolean beginsAtZero(String name) {
    String layer = name.substring(0, Math.max(0, name.lastIndexOf('.')));
    return layer.equals("proj_out")
        || layer.equals("conv_out")
        || layer.equals("norm_out.linear")
        || layer.endsWith(".conv2")
        || layer.endsWith(".time_emb_proj")
        || layer.matches("transformer_blocks\\.\\d+\\.norm1(_context(_\\d+)?)?\\.linear");
  }

  /** Number of parameters; the table of positions is a buffer and not counted. */
  public long parameters() {
    return ParameterCount.of(this);
  }
}
