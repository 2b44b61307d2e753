package org.rectiflow.training;

import java.util.Arrays;
import java.util.random.RandomGenerator;
import org.rectiflow.encoders.ClipConfig;
import org.rectiflow.encoders.ClipVisionConfig;
import org.rectiflow.encoders.T5Config;

/**
 * What CLIP and T5 begin with in transformers (5.x, {@code CLIPPreTrainedModel} and {@code
 * T5PreTrainedModel}): matrices and tables are normal, biases 0, norms 1.
 */
public final class EncoderRules {
  /** The deviation of CLIP's tables, {@code initializer_range}. */
  private static final double CLIP_TABLES = 0.02;

  private EncoderRules() {}

  /** Of a CLIPTextModelWithProjection. */
  public static InitialRule clipText(ClipConfig config) {
    return (name, shape, _, values, random) -> {
      if (name.equals("text_projection.weight")) {
        normal(values, root(config.width()), random);
      } else {
        clip(name, shape.rank(), config.width(), config.layers(), values, random);
      }
    };
  }

  /** Of a CLIPVisionModelWithProjection. */
  public static InitialRule clipVision(ClipVisionConfig config) {
    return (name, shape, _, values, random) -> {
      switch (name) {
        case "visual_projection.weight", "vision_model.embeddings.class_embedding" ->
            normal(values, root(config.width()), random);
        default -> clip(name, shape.rank(), config.width(), config.layers(), values, random);
      }
    };
  }

  private static void clip(
      String name, int rank, int width, int layers, float[] values, RandomGenerator random) {
    if (name.endsWith(".bias")) {
      return;
    }
    double deviation =
        switch (layer(name)) {
          case "token_embedding", "position_embedding", "patch_embedding" -> CLIP_TABLES;
          case "q_proj", "k_proj", "v_proj", "fc2" -> root(width) * root(2 * layers);
          case "out_proj" -> root(width);
          case "fc1" -> root(2 * width);
          default -> {
            if (rank > 1) {
              throw unknown(name);
            }
            Arrays.fill(values, 1);
            yield 0;
          }
        };
    if (deviation > 0) {
      normal(values, deviation, random);
    }
  }

  /** Of a T5EncoderModel. */
  public static InitialRule t5(T5Config config) {
    double width = root(config.width());
    return (name, shape, _, values, random) -> {
      if (shape.rank() < 2) {
        Arrays.fill(values, 1);
        return;
      }
      double deviation =
          switch (layer(name)) {
            case "shared", "embed_tokens" -> 1;
            case "q" -> width * root(config.headSize());
            case "k", "v", "relative_attention_bias", "wi_0", "wi_1" -> width;
            case "o" -> root(config.heads() * config.headSize());
            case "wo" -> root(config.mlpWidth());
            default -> throw unknown(name);
          };
      normal(values, deviation, random);
    };
  }

  /** The layer's own name: {@code q_proj} of {@code ...self_attn.q_proj.weight}. */
  private static String layer(String name) {
    String[] parts = name.split("\\.", -1);
    return parts[Math.max(0, parts.length - 2)];
  }

  private static void normal(float[] values, double deviation, RandomGenerator random) {
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (deviation * random.nextGaussian());
    }
  }

  private static double root(int n) {
    return 1 / Math.sqrt(n);
  }

  private static IllegalArgumentException unknown(String name) {
    return new IllegalArgumentException("no initial values are known for " + name);
  }
}
