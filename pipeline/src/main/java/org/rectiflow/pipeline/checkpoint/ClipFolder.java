package org.rectiflow.pipeline.checkpoint;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.rectiflow.encoders.ClipModelConfig;
import org.rectiflow.encoders.ClipTextModel;
import org.rectiflow.encoders.ClipVisionModel;
import org.rectiflow.encoders.WeightsUnder;
import org.rectiflow.encoders.tokenizer.PromptTokenizer;
import org.rectiflow.engine.CheckpointException;
import org.rectiflow.engine.StoredWeights;
import org.rectiflow.safetensors.TensorSource;

/**
 * A folder of transformers' CLIPModel, such as CLIP L/14's: {@code config.json} with both models'
 * sizes, {@code model.safetensors} with both models' tensors, {@code preprocessor_config.json}, and
 * the tokenizer's files. To be kept open as long as its models are used.
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
    ClipModelConfig config = ClipModelConfig.read(folder);
    TensorSource source = TensorSource.open(weights);
    try {
      return new ClipFolder(source, config, PromptTokenizer.clip(folder));
    } catch (RuntimeException e) {
      source.close();
      throw e;
    }
  }

  private ClipFolder(TensorSource source, ClipModelConfig config, PromptTokenizer tokenizer) {
    this.source = source;
    this.tokenizer = tokenizer;
    StoredWeights stored = new StoredWeights(source);
    text = new ClipTextModel(config.text(), new WeightsUnder(stored, TEXT));
    vision = new ClipVisionModel(config.vision(), new WeightsUnder(stored, VISION));
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
