package org.rectiflow.pipeline.verify;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.rectiflow.pipeline.io.Json;
import org.rectiflow.pipeline.io.UserException;
import org.rectiflow.safetensors.TensorSource;

/**
 * One case of a golden file: what was asked of diffusers.
 *
 * @param t5 which T5 file it was computed with ({@code t5xxl_fp16}, {@code t5xxl_fp8_e4m3fn},
 *     {@code none}), where the file says
 */
public record GoldenCase(
    String name,
    String prompt,
    String negative,
    int height,
    int width,
    int steps,
    double guidance,
    long seed,
    int t5Length,
    Optional<String> t5) {

  /**
   * The cases of a golden file: every metadata entry that is a JSON object with a prompt.
   *
   * @throws UserException if an entry lacks a key
   */
  static Map<String, GoldenCase> read(TensorSource golden) {
    Map<String, GoldenCase> cases = new LinkedHashMap<>();
    golden
        .metadata()
        .forEach((name, text) -> {
          Optional<JsonNode> json = object(text);
          if (json.isPresent() && json.get().has("prompt")) {
            cases.put(name, of(golden.path(), name, json.get()));
          }
        });
    return cases;
  }

  private static Optional<JsonNode> object(String text) {
    try {
      return Optional.of(Json.parse(text)).filter(JsonNode::isObject);
    } catch (JsonProcessingException e) {
      return Optional.empty(); // other metadata, such as {"format": "pt"}, is plain text
    }
  }

  private static GoldenCase of(Path file, String name, JsonNode json) {
    return new GoldenCase(
        name,
        json.get("prompt").asText(),
        required(file, name, json, "negative_prompt").asText(),
        required(file, name, json, "height").asInt(),
        required(file, name, json, "width").asInt(),
        required(file, name, json, "steps").asInt(),
        required(file, name, json, "guidance").asDouble(),
        required(file, name, json, "seed").asLong(),
        required(file, name, json, "t5_length").asInt(),
        Optional.ofNullable(json.get("t5")).map(JsonNode::asText));
  }

  private static JsonNode required(Path file, String name, JsonNode json, String key) {
    if (!json.has(key)) {
      throw new UserException("%s: the metadata of case %s lacks %s".formatted(file, name, key));
    }
    return json.get(key);
  }

  boolean withoutT5() {
    return t5.equals(Optional.of("none"));
  }
}
