package org.rectiflow.encoders.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.rectiflow.encoders.tokenizer.TokenizerConfig.SpecialToken;

/**
 * The {@code tokenizer.json} of a CLIP folder: its own one, or one made of {@code vocab.json} and
 * {@code merges.txt} with the steps of transformers' CLIPTokenizer (5.x): NFC, white space to
 * single spaces, lower case; words by CLIP's pattern; byte-level BPE with {@code </w>} at a word's
 * end.
 */
final class ClipTokenizerJson {
  private static final String FILE = "tokenizer.json";
  private static final String VOCAB = "vocab.json";
  private static final String MERGES = "merges.txt";

  /** CLIP's words: special tokens, English contractions, letters, one digit, anything else. */
  private static final String WORDS =
      "<\\|startoftext\\|>|<\\|endoftext\\|>"
          + "|'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+";

  private ClipTokenizerJson() {}

  /**
   * The tokenizer of a folder, ready for the library: without the library's own truncation, padding
   * and special tokens around the text, and with the folder's special tokens known as such. That
   * includes CLIP-G's padding "!": in a prompt it becomes id 0, not the word "!", as in
   * transformers.
   */
  static JsonNode read(TokenizerFiles files, TokenizerConfig config) {
    boolean own = files.has(FILE);
    String vocabFile = own ? FILE : VOCAB;
    ObjectNode root = own ? (ObjectNode) files.json(FILE) : fromVocabulary(files, config);
    JsonNode vocab = root.path("model").path("vocab");
    if (!vocab.isObject() || vocab.isEmpty()) {
      throw files.bad(vocabFile, "has no vocabulary", null);
    }
    root.putNull("truncation");
    root.putNull("padding");
    root.putNull("post_processor");
    ArrayNode added = root.withArray("/added_tokens");
    for (SpecialToken token : config.distinct()) {
      boolean known = false;
      for (JsonNode a : added) {
        known |= a.path("content").asText().equals(token.content());
      }
      if (!known) {
        JsonNode id = vocab.path(token.content());
        if (!id.isInt()) {
          throw files.bad(vocabFile, "lacks the special token " + token.content(), null);
        }
        added.add(added(token, id.intValue()));
      }
    }
    return root;
  }

  private static ObjectNode added(SpecialToken token, int id) {
    return TokenizerFiles.JSON
        .createObjectNode()
        .put("id", id)
        .put("content", token.content())
        .put("single_word", token.singleWord())
        .put("lstrip", token.lstrip())
        .put("rstrip", token.rstrip())
        .put("normalized", token.normalized())
        .put("special", true);
  }

  private static ObjectNode fromVocabulary(TokenizerFiles files, TokenizerConfig config) {
    if (!files.has(VOCAB)) {
      throw new TokenizerException(
          "tokenizer folder "
              + files.folder()
              + " has neither tokenizer.json nor vocab.json and merges.txt; copy them from the"
              + " repository the model came from");
    }
    ObjectNode root = TokenizerFiles.JSON.createObjectNode().put("version", "1.0");
    root.putArray("added_tokens");
    ObjectNode normalizer = root.putObject("normalizer").put("type", "Sequence");
    ArrayNode steps = normalizer.putArray("normalizers");
    steps.addObject().put("type", "NFC");
    steps
        .addObject()
        .put("type", "Replace")
        .put("content", " ")
        .putObject("pattern")
        .put("Regex", "\\s+");
    steps.addObject().put("type", "Lowercase");

    ObjectNode preTokenizer = root.putObject("pre_tokenizer").put("type", "Sequence");
    ArrayNode cuts = preTokenizer.putArray("pretokenizers");
    cuts.addObject()
        .put("type", "Split")
        .put("behavior", "Removed")
        .put("invert", true)
        .putObject("pattern")
        .put("Regex", WORDS);
    cuts.addObject()
        .put("type", "ByteLevel")
        .put("add_prefix_space", false)
        .put("trim_offsets", true)
        .put("use_regex", true);
    root.putNull("decoder");

    ObjectNode model = root.putObject("model").put("type", "BPE");
    model.putNull("dropout");
    config.token("unk_token").ifPresent(unk -> model.put("unk_token", unk.content()));
    model
        .put("continuing_subword_prefix", "")
        .put("end_of_word_suffix", "</w>")
        .put("fuse_unk", false)
        .put("byte_fallback", false)
        .set("vocab", files.json(VOCAB));
    model.set("merges", merges(files));
    return root;
  }

  /** The merges in rank order; the first line of the file says its version. */
  private static ArrayNode merges(TokenizerFiles files) {
    ArrayNode merges = TokenizerFiles.JSON.createArrayNode();
    List<String> lines = new String(files.bytes(MERGES), StandardCharsets.UTF_8).lines().toList();
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i);
      if (line.isEmpty() || line.startsWith("#version")) {
        continue;
      }
      String[] pair = line.split(" ", -1);
      if (pair.length != 2 || pair[0].isEmpty() || pair[1].isEmpty()) {
        throw files.bad(
            MERGES, "line " + (i + 1) + " is not two symbols and a space: \"" + line + "\"", null);
      }
      merges.addArray().add(pair[0]).add(pair[1]);
    }
    return merges;
  }
}
