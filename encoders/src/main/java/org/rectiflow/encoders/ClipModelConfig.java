package org.rectiflow.encoders;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;

/** The sizes of a pair of text and image model, transformers' CLIPModel. */
public record ClipModelConfig(ClipConfig text, ClipVisionConfig vision) {

  /**
   * Reads {@code config.json} and {@code preprocessor_config.json} of a CLIPModel's folder.
   *
   * @throws org.rectiflow.engine.CheckpointException if one is missing or does not say what is
   *     needed
   */
  public static ClipModelConfig read(Path folder) {
    ConfigFile config = ConfigFile.read(folder.resolve("config.json"), "the sizes of both models");
    int width = config.positive("projection_dim");
    ClipConfig text =
        ClipConfig.read(config.path(), part(config, "text_config").put("projection_dim", width));
    ClipVisionConfig vision =
        ClipVisionConfig.read(
            config.path(),
            part(config, "vision_config"),
            width,
            PixelNorm.read(folder.resolve("preprocessor_config.json")));
    return new ClipModelConfig(text, vision);
  }

  private static ObjectNode part(ConfigFile config, String key) {
    JsonNode part = config.json().path(key);
    if (!(part instanceof ObjectNode object)) {
      throw config.bad(key, "an object: the configuration of a whole CLIPModel");
    }
    return object.deepCopy();
  }
}
