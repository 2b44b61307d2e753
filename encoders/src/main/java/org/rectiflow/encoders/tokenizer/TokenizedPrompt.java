package org.rectiflow.encoders.tokenizer;

import java.util.Arrays;

/**
 * A prompt as its encoder gets it.
 *
 * @param ids token ids, special tokens and padding included
 * @param tokenCount how many ids the whole prompt needs, special tokens included and padding not;
 *     more than {@code ids.length} if the prompt was cut
 * @param cut the end of the prompt that did not fit, as it was typed; empty if everything did
 */
public record TokenizedPrompt(int[] ids, int tokenCount, String cut) {

  /** Whether the prompt was longer than the encoder takes. */
  public boolean isCut() {
    return tokenCount > ids.length;
  }

  /** Position of the first {@code id}, such as the end-of-text token that CLIP is pooled at. */
  public int indexOf(int id) {
    for (int i = 0; i < ids.length; i++) {
      if (ids[i] == id) {
        return i;
      }
    }
    throw new IllegalArgumentException("no token " + id + " in " + Arrays.toString(ids));
  }

  @Override
  public boolean equals(Object o) {
    return o instanceof TokenizedPrompt t
        && Arrays.equals(ids, t.ids)
        && tokenCount == t.tokenCount
        && cut.equals(t.cut);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(ids) + tokenCount;
  }

  @Override
  public String toString() {
    return "TokenizedPrompt" + Arrays.toString(ids) + (isCut() ? " without \"" + cut + "\"" : "");
  }
}
