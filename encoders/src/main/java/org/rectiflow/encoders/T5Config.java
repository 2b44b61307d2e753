package org.rectiflow.encoders;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import org.rectiflow.engine.CheckpointException;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.WeightSource;

/**
 * The sizes of a T5 encoder of the 1.1 kind (gated GELU, no biases). T5-v1.1-XXL, SD3's, has 24
 * blocks of width 4096, 64 heads of 64 channels and 10240 channels inside the feed-forward layers.
 *
 * @param vocabulary number of tokens, 32128
 * @param width channels of the hidden states
 * @param blocks transformer blocks
 * @param heads attention heads
 * @param headSize channels of one head; heads times headSize need not be the width
 * @param mlpWidth channels inside the feed-forward layers
 * @param buckets rows of the relative position table, 32
 * @param maxDistance distance from which on all positions share a bucket, 128
 * @param eps of the RMS norms, 1e-6
 */
public record T5Config(
    int vocabulary,
    int width,
    int blocks,
    int heads,
    int headSize,
    int mlpWidth,
    int buckets,
    int maxDistance,
    float eps) {
  private static final float EPS = 1e-6f;
  private static final int MAX_DISTANCE = 128;
  private static final int BUCKETS = 32;

  /**
   * Reads a {@code config.json} of transformers' T5EncoderModel.
   *
   * @throws CheckpointException if it is missing, does not say what is needed, or says that the
   *     feed-forward layers are not gated by GELU
   */
  public static T5Config read(Path configJson) {
    return read(ConfigFile.read(configJson));
  }

  /**
   * The same of a configuration that was read already.
   *
   * @param origin where it stands, for messages
   */
  public static T5Config read(Path origin, JsonNode json) {
    return read(new ConfigFile(origin, json));
  }

  private static T5Config read(ConfigFile config) {
    String expected = "\"gated-gelu\" (T5 1.1)";
    if (!config.text("feed_forward_proj", expected).equals("gated-gelu")) {
      throw config.bad("feed_forward_proj", expected);
    }
    return new T5Config(
        config.positive("vocab_size"),
        config.positive("d_model"),
        config.positive("num_layers"),
        config.positive("num_heads"),
        config.positive("d_kv"),
        config.positive("d_ff"),
        config.positive("relative_attention_num_buckets", BUCKETS),
        config.positive("relative_attention_max_distance", MAX_DISTANCE),
        config.positive("layer_norm_epsilon", EPS));
  }

  /**
   * Reads the sizes off a checkpoint without a configuration, such as the single files: the heads
   * are the columns of the relative position table.
   *
   * @throws CheckpointException if a tensor that decides a size is missing or cannot be right
   */
  public static T5Config of(WeightSource weights) {
    Shape tokens = ClipConfig.matrix(weights, T5Encoder.tokenTable(weights));
    String attention = "encoder.block.0.layer.0.SelfAttention.";
    Shape bias = ClipConfig.matrix(weights, attention + "relative_attention_bias.weight");
    Shape query = ClipConfig.matrix(weights, attention + "q.weight");
    if (query.dim(0) % bias.dim(1) != 0) {
      throw new CheckpointException(
          "%s: %sq.weight has shape %s, which %d heads do not divide"
              .formatted(weights.origin(), attention, query, bias.dim(1)));
    }
    int blocks = 0;
    while (weights.has("encoder.block." + blocks + ".layer.0.layer_norm.weight")) {
      blocks++;
    }
    Shape mlp = ClipConfig.matrix(weights, "encoder.block.0.layer.1.DenseReluDense.wi_0.weight");
    return new T5Config(
        tokens.dim(0),
        tokens.dim(1),
        blocks,
        bias.dim(1),
        query.dim(0) / bias.dim(1),
        mlp.dim(0),
        bias.dim(0),
        MAX_DISTANCE,
        EPS);
  }
}
