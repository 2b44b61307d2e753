package org.rectiflow.backbones;

import java.util.Arrays;
import java.util.stream.Collectors;
import org.rectiflow.engine.WeightSource;

/** The architectures of the paper's Figure 4. */
public enum Backbone {
  /** Text and image tokens in one sequence, one set of weights for both. */
  DIT("dit", "DiT", "DiTTransformer2DModel"),
  /** Self-attention of the image tokens, cross-attention to the text. */
  CROSS_DIT("cross-dit", "CrossDiT", "CrossDiTTransformer2DModel"),
  /** Convolutions at full resolution around a transformer, with long skips. */
  UVIT("uvit", "UViT", "UViT2DModel"),
  /** The paper's model: one set of weights for text, one for image tokens. */
  MMDIT("mmdit", "MM-DiT", "SD3Transformer2DModel"),
  /** Sets of weights for image tokens, CLIP tokens and T5 tokens. */
  MMDIT_3("mmdit-3", "MM-DiT (3 sets)", "MMDiT3Transformer2DModel");

  private final String key;
  private final String title;
  private final String className;

  Backbone(String key, String title, String className) {
    this.key = key;
    this.title = title;
    this.className = className;
  }

  /** The name in run files and tables of results. */
  public String key() {
    return key;
  }

  /** The name in figures, as the paper prints it. */
  public String title() {
    return title;
  }

  /**
   * {@code _class_name} in a checkpoint's {@code config.json}. Only that of {@link #MMDIT} is
   * diffusers'; the others have no counterpart there.
   */
  public String className() {
    return className;
  }

  /**
   * The backbone of a {@link #key}.
   *
   * @throws IllegalArgumentException naming the keys there are
   */
  public static Backbone of(String key) {
    return Arrays.stream(values())
        .filter(b -> b.key.equals(key))
        .findFirst()
        .orElseThrow(() ->
            new IllegalArgumentException(
                "there is no backbone '%s'; there are %s"
                    .formatted(
                        key,
                        Arrays.stream(values())
                            .map(Backbone::key)
                            .collect(Collectors.joining(", ")))));
  }

  /** Which backbone these tensors are of. */
  public static Backbone of(WeightSource weights) {
    String block = "transformer_blocks.0.";
    if (weights.has("conv_in.weight")) {
      return UVIT;
    }
    if (weights.has(block + "cross_attn.to_kv.weight")) {
      return CROSS_DIT;
    }
    if (weights.has(block + "norm1_context_2.linear.weight")) {
      return MMDIT_3;
    }
    return weights.has(block + "norm1_context.linear.weight") ? MMDIT : DIT;
  }
}
