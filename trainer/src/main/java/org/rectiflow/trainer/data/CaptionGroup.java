package org.rectiflow.trainer.data;

import java.util.List;
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
}
