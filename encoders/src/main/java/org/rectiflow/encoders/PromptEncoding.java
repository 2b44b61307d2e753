package org.rectiflow.encoders;

import java.util.Optional;
import org.rectiflow.engine.Tensor;

/**
 * A prompt's way through the encoders: ids, what each encoder makes of them, and the embedding.
 *
 * @param tokens ids of each encoder that is there
 * @param clipL what CLIP-L puts out, if it is there
 * @param clipG what CLIP-G puts out, if it is there
 * @param t5 T5's last hidden states [1, T, width], if it is there
 * @param embedding all of it put together
 */
public record PromptEncoding(
    PromptTokens tokens,
    Optional<ClipOutput> clipL,
    Optional<ClipOutput> clipG,
    Optional<Tensor> t5,
    PromptEmbedding embedding) {

  /**
   * What a CLIP puts out.
   *
   * @param penultimate hidden states of the last layer but one, [1, T, width]
   * @param pooled the projected output at the end-of-text token, [1, P]
   */
  public record ClipOutput(Tensor penultimate, Tensor pooled) {}
}
