package org.rectiflow.encoders;

/**
 * What each encoder reads. Usually the same text; diffusers calls the three {@code prompt}, {@code
 * prompt_2} and {@code prompt_3}.
 */
public record Prompts(String clipL, String clipG, String t5) {

  /** The same text for every encoder. */
  public static Prompts all(String text) {
    return new Prompts(text, text, text);
  }

  /** These prompts with another text for CLIP-G ({@code prompt_2}). */
  public Prompts withClipG(String text) {
    return new Prompts(clipL, text, t5);
  }

  /** These prompts with another text for T5 ({@code prompt_3}). */
  public Prompts withT5(String text) {
    return new Prompts(clipL, clipG, text);
  }
}
