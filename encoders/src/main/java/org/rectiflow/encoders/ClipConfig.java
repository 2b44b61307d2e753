package org.rectiflow.encoders;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import org.rectiflow.engine.Activation;
import org.rectiflow.engine.CheckpointException;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.WeightSource;

/**
 * The sizes of a CLIP text model. In SD3: CLIP-L has 12 layers, width 768, 12 heads and quick_gelu;
 * CLIP-G (OpenCLIP bigG) has 32 layers, width 1280, 20 heads and gelu.
 *
 * @param vocabulary number of tokens, 49408
 * @param positions longest sequence, 77
 * @param width channels of the hidden states
 * @param layers transformer layers
 * @param heads attention heads
 * @param mlpWidth channels inside the MLPs
 * @param activation of the MLPs
 * @param eps of the layer norms, 1e-5
 * @param pooledWidth channels of the pooled output; equal to {@code width} without a projection
 * @param projected whether {@code text_projection.weight} projects the pooled output
 */
public record ClipConfig(
    int vocabulary,
    int positions,
    int width,
    int layers,
    int heads,
    int mlpWidth,
    Activation activation,
    float eps,
    int pooledWidth,
    boolean projected) {

  /** Channels of one attention head in CLIP-L, CLIP-G and every other CLIP of OpenAI's. */
  public static final int HEAD_SIZE = 64;

  private static final float EPS = 1e-5f;

  public ClipConfig {
    if (width % heads != 0) {
      throw new CheckpointException(
          "a CLIP of width %d cannot have %d attention heads: check num_attention_heads in its config.json"
              .formatted(width, heads));
    }
  }

  /**
   * Reads a {@code config.json} of transformers' CLIPTextModelWithProjection, which is what both
   * CLIPs of an SD3 folder are.
   *
   * @throws CheckpointException if it is missing or does not say what is needed
   */
  public static ClipConfig read(Path configJson) {
    return read(ConfigFile.read(configJson));
  }

  /**
   * The same of a configuration that was read already.
   *
   * @param origin where it stands, for messages
   */
  public static ClipConfig read(Path origin, JsonNode json) {
    return read(new ConfigFile(origin, json));
  }

  private static ClipConfig read(ConfigFile config) {
    return new ClipConfig(
        config.positive("vocab_size"),
        config.positive("max_position_embeddings"),
        config.positive("hidden_size"),
        config.positive("num_hidden_layers"),
        config.positive("num_attention_heads"),
        config.positive("intermediate_size"),
        config.clipActivation(),
        config.positive("layer_norm_eps", EPS),
        config.positive("projection_dim"),
        true);
  }

  /**
   * Reads the sizes off a checkpoint without a configuration, such as the single files. Heads have
   * {@link #HEAD_SIZE} channels; there is a projection if there is a tensor for it.
   *
   * @param activation {@link Activation#QUICK_GELU} for CLIP-L, {@link Activation#GELU_ERF} for
   *     CLIP-G
   * @throws CheckpointException if a tensor that decides a size is missing or cannot be right
   */
  public static ClipConfig of(WeightSource weights, Activation activation) {
    Shape tokens = matrix(weights, "text_model.embeddings.token_embedding.weight");
    Shape positions = matrix(weights, "text_model.embeddings.position_embedding.weight");
    int width = tokens.dim(1);
    if (width % HEAD_SIZE != 0) {
      throw new CheckpointException(
          "%s: text_model.embeddings.token_embedding.weight has shape %s, expected a width that is a multiple of %d"
              .formatted(weights.origin(), tokens, HEAD_SIZE));
    }
    int layers = 0;
    while (weights.has("text_model.encoder.layers." + layers + ".mlp.fc1.weight")) {
      layers++;
    }
    Shape mlp = matrix(weights, "text_model.encoder.layers.0.mlp.fc1.weight");
    boolean projected = weights.has("text_projection.weight");
    return new ClipConfig(
        tokens.dim(0),
        positions.dim(0),
        width,
        layers,
        width / HEAD_SIZE,
        mlp.dim(0),
        activation,
        EPS,
        projected ? matrix(weights, "text_projection.weight").dim(0) : width,
        projected);
  }

  /** Shape of a tensor that has to be a matrix. */
  static Shape matrix(WeightSource weights, String name) {
    Shape shape = weights.require(name).shape();
    if (shape.rank() != 2) {
      throw new CheckpointException(
          "%s: tensor %s has shape %s, expected two dimensions. The file is damaged or holds another model."
              .formatted(weights.origin(), name, shape));
    }
    return shape;
  }
}
