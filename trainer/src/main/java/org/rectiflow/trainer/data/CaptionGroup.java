package org.rectiflow.trainer.data;

import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.rectiflow.encoders.PromptEmbedding;
import org.rectiflow.encoders.PromptEncoder;
import org.rectiflow.encoders.PromptEncoding;
import org.rectiflow.encoders.PromptTokens;
import org.rectiflow.encoders.Prompts;
import org.rectiflow.pipeline.Progress;

/**
 * Captions go through the text encoders in groups of one size, the last one filled up: kernels
 * choose their order of sums by the size of a batch, and a caption's embedding must not depend on
 * how many others happened to be encoded with it.
 */
public final class CaptionGroup {
  /** Captions that are encoded together. */
  public static final int SIZE = 32;

  private CaptionGroup() {}

  /**
   * Encodes up to {@link #SIZE} captions.
   *
   * @return their encodings, in order
   */
  public static List<PromptEncoding> encode(PromptEncoder encoder, List<String> captions) {
    List<PromptTokens> tokens =
        captions.stream().map(text -> encoder.tokenize(Prompts.all(text))).toList();
    return encoder.encode(tokens, SIZE);
  }

  /**
   * Embeds any number of captions.
   *
   * @param captions each once
   * @param phase hears of each caption
   */
  public static Map<String, PromptEmbedding> embed(
      PromptEncoder encoder, Collection<String> captions, Progress.Phase phase) {
    Map<String, PromptEmbedding> embeddings = new HashMap<>();
    List<String> all = List.copyOf(captions);
    for (int from = 0; from < all.size(); from += SIZE) {
      List<String> group = all.subList(from, Math.min(all.size(), from + SIZE));
      List<PromptEncoding> encodings = encode(encoder, group);
      for (int i = 0; i < group.size(); i++) {
        embeddings.put(group.get(i), encodings.get(i).embedding());
        phase.step();
      }
    }
    return embeddings;
  }
}
