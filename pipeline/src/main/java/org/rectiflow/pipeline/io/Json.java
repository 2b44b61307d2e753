package org.rectiflow.pipeline.io;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** JSON files and text. */
public final class Json {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final ObjectWriter PRETTY =
      MAPPER.writer(new DefaultPrettyPrinter().withObjectIndenter(new DefaultIndenter("  ", "\n")));

  private Json() {}

  /**
   * Reads a file that must hold a JSON object.
   *
   * @throws UserException if it does not
   */
  public static JsonNode readObject(Path file) {
    if (!Files.isRegularFile(file)) {
      throw new UserException(
          "%s: %s, expected a file with a JSON object"
              .formatted(file, Files.exists(file) ? "no file" : "no such file"));
    }
    try {
      JsonNode node = MAPPER.readTree(TextFiles.read(file, "a JSON object"));
      if (node == null || !node.isObject()) {
        throw new UserException(file + " must hold a JSON object");
      }
      return node;
    } catch (JsonProcessingException e) {
      throw new UserException(
          "%s is not JSON: %s (line %d). Correct it, or download it again."
              .formatted(
                  file,
                  e.getOriginalMessage(),
                  e.getLocation() == null ? 0 : e.getLocation().getLineNr()),
          e);
    } catch (IOException e) {
      throw new UserException("cannot read " + file + ": " + e.getMessage(), e);
    }
  }

  /** Parses text. */
  public static JsonNode parse(String text) throws JsonProcessingException {
    return MAPPER.readTree(text);
  }

  /** Indented text for records, maps, lists and arrays. */
  public static String pretty(Object value) {
    try {
      return PRETTY.writeValueAsString(value);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }
}
