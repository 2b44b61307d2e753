package org.rectiflow.trainer.data;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.rectiflow.encoders.PromptEncoder;
import org.rectiflow.encoders.PromptEncoding;
import org.rectiflow.encoders.PromptTokens;
import org.rectiflow.encoders.Prompts;

/**
 * Captions go through the text encoders in groups of one size, the last one filled up: kernels
 * choose their order of sums by the size of a batch, and a caption's embedding must not depend on
 * how many others happened to be encoded with it.
 */
public final class CaptionGroup {
  /** Captions that are encoded together. */
  public static final int SIZE = 32;

  /** Texts of different lengths: equal ones would be encoded once and fill nothing up. */
  private static final List<String> FILLERS =
      Stream.of("a", "the")
          .flatMap(word -> IntStream.range(1, 25).mapToObj(n -> (word + " ").repeat(n).strip()))
          .toList();

  private CaptionGroup() {}

  /**
   * Encodes up to {@link #SIZE} captions.
   *
   * @param captions all different
   * @return their encodings, in order
   */
  public static List<PromptEncoding> encode(PromptEncoder encoder, List<String> captions) {
    List<String> all = new ArrayList<>(captions);
    FILLERS.stream()
        .filter(text -> !captions.contains(text))
        .limit(SIZE - captions.size())
        .forEach(all::add);
    List<PromptTokens> tokens =
        all.stream().map(text -> encoder.tokenize(Prompts.all(text))).toList();
    return encoder.encode(tokens).subList(0, captions.size());
  }
}
