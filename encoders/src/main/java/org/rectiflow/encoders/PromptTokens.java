package org.rectiflow.encoders;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.rectiflow.encoders.tokenizer.TokenizedPrompt;

/** A prompt's token ids for each encoder that is there. */
public record PromptTokens(
    Optional<TokenizedPrompt> clipL,
    Optional<TokenizedPrompt> clipG,
    Optional<TokenizedPrompt> t5) {

  /**
   * A prompt that was longer than its encoder takes.
   *
   * @param encoder CLIP-L, CLIP-G or T5
   * @param tokens how many tokens the whole prompt has, special tokens included
   * @param limit how many the encoder takes, special tokens included
   * @param text the end of the prompt that the encoder will not see
   */
  public record Cut(String encoder, int tokens, int limit, String text) {
    /** One line for people. */
    public String message() {
      return "the prompt has %d tokens for %s, which takes %d; it will not see \"%s\""
          .formatted(tokens, encoder, limit, text.strip());
    }
  }

  /** What does not fit its encoder; empty if everything does. */
  public List<Cut> cuts() {
    List<Cut> cuts = new ArrayList<>();
    clipL.ifPresent(p -> add(cuts, "CLIP-L", p));
    clipG.ifPresent(p -> add(cuts, "CLIP-G", p));
    t5.ifPresent(p -> add(cuts, "T5", p));
    return cuts;
  }

  private static void add(List<Cut> cuts, String encoder, TokenizedPrompt prompt) {
    if (prompt.isCut()) {
      cuts.add(new Cut(encoder, prompt.tokenCount(), prompt.ids().length, prompt.cut()));
    }
  }
}
