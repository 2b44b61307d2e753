package org.rectiflow.encoders;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import org.rectiflow.engine.Activation;
import org.rectiflow.engine.CheckpointException;

/**
 * The sizes of a CLIP image model, a vision transformer. CLIP L/14, which the paper evaluates with
 * (Section 5.1), has pictures of 224 pixels, patches of 14, 24 layers, width 1024, 16 heads and
 * quick_gelu.
 *
 * @param imageSize pixels of a picture's side
 * @param patchSize pixels of a patch's side
 * @param width channels of the hidden states
 * @param layers transformer layers
 * @param heads attention heads
 * @param mlpWidth channels inside the MLPs
 * @param activation of the MLPs
 * @param eps of the layer norms, 1e-5
 * @param featureWidth channels of the projected features, as many as the text model's
 * @param pixels how pixels are normalised before they enter
 */
public record ClipVisionConfig(
    int imageSize,
    int patchSize,
    int width,
    int layers,
    int heads,
    int mlpWidth,
    Activation activation,
    float eps,
    int featureWidth,
    PixelNorm pixels) {

  static final int CHANNELS = 3;
  private static final float EPS = 1e-5f;

  public ClipVisionConfig {
    if (width % heads != 0) {
      throw new CheckpointException(
          "a CLIP image model of width %d cannot have %d attention heads: check num_attention_heads in its config.json"
              .formatted(width, heads));
    }
    if (imageSize % patchSize != 0) {
      throw new CheckpointException(
          "pictures of %d pixels do not divide into patches of %d: check image_size and patch_size in the CLIP's config.json"
              .formatted(imageSize, patchSize));
    }
  }

  /**
   * Reads a {@code config.json} of transformers' CLIPVisionModelWithProjection.
   *
   * @param pixels from {@code preprocessor_config.json}, see {@link PixelNorm#read}
   * @throws CheckpointException if it is missing or does not say what is needed
   */
  public static ClipVisionConfig read(Path configJson, PixelNorm pixels) {
    ConfigFile config = ConfigFile.read(configJson, "the sizes of the image model");
    return read(config, config.positive("projection_dim"), pixels);
  }

  /**
   * The same of a configuration that was read already, such as the part {@code vision_config} of a
   * whole CLIPModel's.
   *
   * @param origin where it stands, for messages
   */
  public static ClipVisionConfig read(
      Path origin, JsonNode json, int featureWidth, PixelNorm pixels) {
    return read(new ConfigFile(origin, json), featureWidth, pixels);
  }

  private static ClipVisionConfig read(ConfigFile config, int featureWidth, PixelNorm pixels) {
    if (config.positive("num_channels", CHANNELS) != CHANNELS) {
      throw config.bad("num_channels", "3");
    }
    return new ClipVisionConfig(
        config.positive("image_size"),
        config.positive("patch_size"),
        config.positive("hidden_size"),
        config.positive("num_hidden_layers"),
        config.positive("num_attention_heads"),
        config.positive("intermediate_size"),
        config.clipActivation(),
        config.positive("layer_norm_eps", EPS),
        featureWidth,
        pixels);
  }

  /** Patches of a picture. */
  public int patches() {
    int side = imageSize / patchSize;
    return side * side;
  }
}
