package org.rectiflow.encoders.tokenizer;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * A T5 {@code tokenizer.json} made of {@code spiece.model}, as transformers' T5 converter makes it:
 * SentencePiece's normalisation, words at white space with a leading "▁", unigram pieces, and the
 * sentinels {@code <extra_id_N>} at the vocabulary's end in falling order.
 */
final class T5TokenizerJson {
  private static final String FILE = "spiece.model";
  private static final int DEFAULT_SENTINELS = 100;

  private T5TokenizerJson() {}

  static ObjectNode fromSentencePiece(TokenizerFiles files, TokenizerConfig config) {
    SentencePieceModel model;
    try {
      model = SentencePieceModel.parse(files.bytes(FILE));
    } catch (IllegalArgumentException e) {
      throw files.bad(FILE, "is not a SentencePiece model: " + e.getMessage(), e);
    }
    if (model.modelType() != SentencePieceModel.UNIGRAM) {
      throw files.bad(
          FILE, "is of SentencePiece type " + model.modelType() + ", T5's is unigram (1)", null);
    }
    ObjectNode root = TokenizerFiles.JSON.createObjectNode().put("version", "1.0");
    root.putNull("truncation").putNull("padding");
    ArrayNode vocab =
        root.putObject("model")
            .put("type", "Unigram")
            .put("unk_id", model.unkId())
            .put("byte_fallback", false)
            .putArray("vocab");
    ArrayNode added = root.putArray("added_tokens");
    for (SentencePieceModel.Piece piece : model.pieces()) {
      boolean special =
          config.distinct().stream().anyMatch(token -> token.content().equals(piece.text()));
      if (special) {
        addSpecial(added, vocab.size(), piece.text());
      }
      vocab.addArray().add(piece.text()).add((double) piece.score());
    }
    for (int i = sentinels(files) - 1; i >= 0; i--) {
      String sentinel = "<extra_id_" + i + ">";
      addSpecial(added, vocab.size(), sentinel);
      vocab.addArray().add(sentinel).add(0.0);
    }
    if (model.charsMap().length > 0) {
      root.putObject("normalizer")
          .put("type", "Precompiled")
          .put("precompiled_charsmap", model.charsMap());
    } else {
      root.putNull("normalizer");
    }
    ArrayNode words =
        root.putObject("pre_tokenizer").put("type", "Sequence").putArray("pretokenizers");
    words.addObject().put("type", "WhitespaceSplit");
    words
        .addObject()
        .put("type", "Metaspace")
        .put("replacement", "▁")
        .put("prepend_scheme", "always")
        .put("split", true);
    return root.putNull("post_processor").putNull("decoder");
  }

  private static int sentinels(TokenizerFiles files) {
    return files.json("tokenizer_config.json").path("extra_ids").asInt(DEFAULT_SENTINELS);
  }

  private static void addSpecial(ArrayNode added, int id, String content) {
    added
        .addObject()
        .put("id", id)
        .put("content", content)
        .put("single_word", false)
        .put("lstrip", false)
        .put("rstrip", false)
        .put("normalized", false)
        .put("special", true);
  }
}
