package org.rectiflow.encoders;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.rectiflow.encoders.tokenizer.PromptTokenizer;
import org.rectiflow.engine.CheckpointException;
import org.rectiflow.engine.StoredWeights;
import org.rectiflow.safetensors.TensorSource;

/**
 * A folder of transformers' CLIPModel, such as CLIP L/14's: {@code config.json} with both models'
 * sizes, {@code model.safetensors} with both models' tensors, {@code preprocessor_config.json}, and
 * the tokenizer's files. Open as long as its models are used.
 */
public final class ClipFolder implements AutoCloseable {
  /** The file with both models' tensors. */
  public static final String WEIGHTS = "model.safetensors";

  /** What the names of the text model's tensors begin with. */
  public static final Set<String> TEXT = Set.of("text_model.", "text_projection.");

  /** What the names of the image model's tensors begin with. */
  public static final Set<String> VISION = Set.of("vision_model.", "visual_projection.");

  private final TensorSource source;
  private final ClipTextModel text;
  private final ClipVisionModel vision;
  private final PromptTokenizer tokenizer;

  /**
   * Opens the folder.
   *
   * @throws CheckpointException if a file is missing or wrong
   * @throws org.rectiflow.encoders.tokenizer.TokenizerException if the tokenizer's are
   */
  public static ClipFolder open(Path folder) {
    Path weights = folder.resolve(WEIGHTS);
    if (!Files.isRegularFile(weights)) {
      throw new CheckpointException(
          "%s is missing: a CLIP folder holds config.json, %s, preprocessor_config.json and a tokenizer. Copy it from the repository the model came from, or train one."
              .formatted(weights, WEIGHTS));
    }
    ConfigFile config = ConfigFile.read(folder.resolve("config.json"), "the sizes of both models");
    int width = config.positive("projection_dim");
    PixelNorm pixels = PixelNorm.read(folder.resolve("preprocessor_config.json"));
    ClipConfig textConfig =
        ClipConfig.read(config.path(), part(config, "text_config").put("projection_dim", width));
    ClipVisionConfig visionConfig =
        ClipVisionConfig.read(config.path(), part(config, "vision_config"), width, pixels);
    TensorSource source = TensorSource.open(weights);
    try {
      StoredWeights stored = new StoredWeights(source);
      return new ClipFolder(
          source,
          new ClipTextModel(textConfig, new WeightsUnder(stored, TEXT)),
          new ClipVisionModel(visionConfig, new WeightsUnder(stored, VISION)),
          PromptTokenizer.clip(folder));
    } catch (RuntimeException e) {
      source.close();
      throw e;
    }
  }

  private ClipFolder(
      TensorSource source, ClipTextModel text, ClipVisionModel vision, PromptTokenizer tokenizer) {
    this.source = source;
    this.text = text;
    this.vision = vision;
    this.tokenizer = tokenizer;
  }

  private static ObjectNode part(ConfigFile config, String key) {
    JsonNode part = config.json().path(key);
    if (!(part instanceof ObjectNode object)) {
      throw config.bad(key, "an object: the configuration of a whole CLIPModel");
    }
    return object.deepCopy();
  }

  public ClipTextModel text() {
    return text;
  }

  public ClipVisionModel vision() {
    return vision;
  }

  public PromptTokenizer tokenizer() {
    return tokenizer;
  }

  @Override
  public void close() {
    tokenizer.close();
    source.close();
  }
}
