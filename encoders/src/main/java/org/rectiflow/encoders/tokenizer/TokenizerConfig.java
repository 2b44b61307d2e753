package org.rectiflow.encoders.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What {@code tokenizer_config.json} and {@code special_tokens_map.json} say. Where both name a
 * special token, the former is right, as in transformers.
 *
 * @param maxLength {@code model_max_length}; empty if absent or beyond all sense (transformers
 *     writes 1e30 for "no limit")
 * @param tokens {@code bos_token}, {@code eos_token}, {@code unk_token} and {@code pad_token},
 *     those that are there, by these names
 */
record TokenizerConfig(OptionalInt maxLength, Map<String, SpecialToken> tokens) {
  private static final String CONFIG = "tokenizer_config.json";
  private static final String MAP = "special_tokens_map.json";
  private static final List<String> KINDS =
      List.of("bos_token", "eos_token", "unk_token", "pad_token");

  /**
   * A token found in the text before anything else looks at it.
   *
   * @param normalized whether it is looked for after lower-casing and its like, not before
   */
  record SpecialToken(
      String content, boolean normalized, boolean lstrip, boolean rstrip, boolean singleWord) {}

  static TokenizerConfig read(TokenizerFiles files) {
    JsonNode config = files.json(CONFIG);
    JsonNode map = files.has(MAP) ? files.json(MAP) : MissingNode.getInstance();
    Map<String, SpecialToken> described = new LinkedHashMap<>();
    for (JsonNode token : config.path("added_tokens_decoder")) {
      described.put(token.path("content").asText(), specialToken(token));
    }
    Map<String, SpecialToken> tokens = new LinkedHashMap<>();
    for (String kind : KINDS) {
      JsonNode token = config.hasNonNull(kind) ? config.get(kind) : map.path(kind);
      if (token.isTextual()) {
        String text = token.textValue();
        tokens.put(
            kind, described.getOrDefault(text, new SpecialToken(text, false, false, false, false)));
      } else if (token.isObject()) {
        tokens.put(kind, specialToken(token));
      } else if (!token.isMissingNode() && !token.isNull()) {
        throw files.bad(CONFIG, "has a " + kind + " that is neither text nor an object", null);
      }
    }
    return new TokenizerConfig(maxLength(files, config), tokens);
  }

  private static OptionalInt maxLength(TokenizerFiles files, JsonNode config) {
    JsonNode length = config.path("model_max_length");
    if (length.isMissingNode() || length.isNull()) {
      return OptionalInt.empty();
    }
    if (!length.isNumber() || length.doubleValue() < 1) {
      throw files.bad(CONFIG, "has model_max_length " + length + ", not a positive number", null);
    }
    return length.doubleValue() > Integer.MAX_VALUE
        ? OptionalInt.empty()
        : OptionalInt.of(length.intValue());
  }

  private static SpecialToken specialToken(JsonNode token) {
    return new SpecialToken(
        token.path("content").asText(),
        token.path("normalized").asBoolean(false),
        token.path("lstrip").asBoolean(false),
        token.path("rstrip").asBoolean(false),
        token.path("single_word").asBoolean(false));
  }

  /** The token of that kind, if the folder names one. */
  Optional<SpecialToken> token(String kind) {
    return Optional.ofNullable(tokens.get(kind));
  }

  /** All special tokens, each once. */
  List<SpecialToken> distinct() {
    List<SpecialToken> distinct = new ArrayList<>();
    for (SpecialToken token : tokens.values()) {
      if (distinct.stream().noneMatch(t -> t.content().equals(token.content()))) {
        distinct.add(token);
      }
    }
    return distinct;
  }
}
