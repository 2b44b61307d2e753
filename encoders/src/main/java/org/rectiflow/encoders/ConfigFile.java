package org.rectiflow.encoders;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.rectiflow.engine.Activation;
import org.rectiflow.engine.CheckpointException;

/**
 * A {@code config.json} of transformers; every failure names the file, the entry and the remedy.
 */
record ConfigFile(Path path, JsonNode json) {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  static ConfigFile read(Path path) {
    return read(path, "how many heads the text encoder has");
  }

  /**
   * @param says what cannot be known without the file
   */
  static ConfigFile read(Path path, String says) {
    if (!Files.isRegularFile(path)) {
      throw new CheckpointException(
          "%s is missing: it says %s. Copy it from the repository the model came from."
              .formatted(path, says));
    }
    try {
      JsonNode json = MAPPER.readTree(path.toFile());
      if (!json.isObject()) {
        throw new CheckpointException(path + " is not a JSON object. " + COPY);
      }
      return new ConfigFile(path, json);
    } catch (JsonProcessingException e) {
      throw new CheckpointException(
          "%s is not valid JSON: %s. %s".formatted(path, e.getOriginalMessage(), COPY));
    } catch (IOException e) {
      throw new CheckpointException("%s cannot be read: %s".formatted(path, e));
    }
  }

  /** A whole number above zero that has to be there. */
  int positive(String key) {
    JsonNode value = json.path(key);
    if (!value.isInt() || value.intValue() < 1) {
      throw bad(key, "a positive integer");
    }
    return value.intValue();
  }

  /** A whole number above zero, or {@code absent} if the file does not say. */
  int positive(String key, int absent) {
    return json.hasNonNull(key) ? positive(key) : absent;
  }

  /** A number above zero, or {@code absent} if the file does not say. */
  float positive(String key, float absent) {
    if (!json.hasNonNull(key)) {
      return absent;
    }
    JsonNode value = json.path(key);
    if (!value.isNumber() || !(value.floatValue() > 0)) {
      throw bad(key, "a positive number");
    }
    return value.floatValue();
  }

  /** A text that has to be there. */
  String text(String key, String expected) {
    JsonNode value = json.path(key);
    if (!value.isTextual()) {
      throw bad(key, expected);
    }
    return value.textValue();
  }

  /** CLIP's {@code hidden_act}. */
  Activation clipActivation() {
    String expected = "\"quick_gelu\" or \"gelu\"";
    return switch (text("hidden_act", expected)) {
      case "quick_gelu" -> Activation.QUICK_GELU;
      case "gelu" -> Activation.GELU_ERF;
      default -> throw bad("hidden_act", expected);
    };
  }

  /** The error for an entry that is missing or wrong. */
  CheckpointException bad(String key, String expected) {
    JsonNode value = json.path(key);
    return new CheckpointException(
        "%s: %s is %s, expected %s. %s"
            .formatted(path, key, value.isMissingNode() ? "missing" : value, expected, COPY));
  }

  private static final String COPY = "Copy the file again from the repository the model came from.";
}
