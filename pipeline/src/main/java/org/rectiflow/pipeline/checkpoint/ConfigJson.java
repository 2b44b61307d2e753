package org.rectiflow.pipeline.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.rectiflow.engine.CheckpointException;
import org.rectiflow.pipeline.io.Json;

/**
 * A JSON configuration and where it stands, for messages. In a folder it is a file such as {@code
 * vae/config.json}; a single file may carry its text in the metadata under {@link #KEY} and the
 * same name, which is how {@code convert} keeps what shapes cannot tell.
 */
public record ConfigJson(Path origin, String text, JsonNode json) {
  /** What the metadata keys of configurations begin with. */
  public static final String KEY = "rectiflow.config.";

  /** A file that must be there. */
  static ConfigJson read(Path file) {
    JsonNode json = Json.readObject(file);
    try {
      return new ConfigJson(file, Files.readString(file), json);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * The configuration that a single file carries under a name, if it does.
   *
   * @throws CheckpointException if it is no JSON object
   */
  static Optional<ConfigJson> inMetadata(Path file, Map<String, String> metadata, String name) {
    String text = metadata.get(KEY + name);
    if (text == null) {
      return Optional.empty();
    }
    Path origin = Path.of(file + " (metadata " + KEY + name + ")");
    try {
      JsonNode json = Json.parse(text);
      if (json.isObject()) {
        return Optional.of(new ConfigJson(origin, text, json));
      }
    } catch (JsonProcessingException e) {
      throw new CheckpointException(origin + " is not JSON: " + e.getOriginalMessage());
    }
    throw new CheckpointException(origin + " must be a JSON object");
  }
}
