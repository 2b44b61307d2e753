package org.rectiflow.pipeline.cli;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import org.rectiflow.encoders.PromptEmbedding;
import org.rectiflow.encoders.PromptEncoder;
import org.rectiflow.encoders.PromptTokens;
import org.rectiflow.encoders.Prompts;
import org.rectiflow.pipeline.Progress;
import org.rectiflow.pipeline.Recipe;
import org.rectiflow.pipeline.TextToImage;

/**
 * The prompts of all pictures, encoded before the first is drawn.
 *
 * @param prompts one for each recipe
 * @param negative what guidance leads away from in all of them
 */
record EncodedPrompts(List<PromptEmbedding> prompts, PromptEmbedding negative) {
  /** Prompts that go through the encoders together. */
  private static final int AT_ONCE = 8;

  /**
   * Encodes.
   *
   * @param recipes which differ in their prompts only
   * @param err where it is said which prompts are too long
   */
  static EncodedPrompts of(
      TextToImage pipeline, List<Recipe> recipes, Progress progress, PrintWriter err) {
    Recipe first = recipes.getFirst();
    boolean guided = first.readsNegative();
    int prompts = recipes.size() + (guided ? 1 : 0);
    Progress.Phase phase = progress.begin("encoding", Math.ceilDiv(prompts, AT_ONCE));
    try (PromptEncoder encoders = pipeline.encoders(first.t5Tokens(), first.dropped())) {
      List<Prompts> all = new ArrayList<>(recipes.stream().map(Recipe::prompts).toList());
      for (Prompts one : all) {
        if (one.clipL().isBlank() && one.clipG().isBlank() && one.t5().isBlank()) {
          err.println("rectiflow: warning: the prompt is empty; the picture can be of anything");
        }
        for (PromptTokens.Cut cut : encoders.tokenize(one).cuts()) {
          err.println("rectiflow: warning: " + cut.message());
        }
      }
      if (guided) {
        for (PromptTokens.Cut cut : encoders.tokenize(first.negative()).cuts()) {
          err.println("rectiflow: warning: in the negative prompt, " + cut.message());
        }
        all.add(first.negative());
      }
      err.flush();
      List<PromptEmbedding> embeddings = pipeline.embed(encoders, all, AT_ONCE, phase);
      PromptEmbedding negative =
          guided ? embeddings.removeLast() : TextToImage.zeros(embeddings.getFirst());
      return new EncodedPrompts(embeddings, negative);
    }
  }
}
