package org.rectiflow.training;

import java.util.List;
import java.util.Map;
import org.rectiflow.encoders.ClipTextModel;
import org.rectiflow.encoders.T5Encoder;
import org.rectiflow.encoders.tokenizer.TokenizedPrompt;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Graph.Scope;
import org.rectiflow.engine.IntTensor;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.Value;

/**
 * A text encoder that is trained through the transformer's loss.
 *
 * @param encoder which of the three
 * @param prefix put before the names of its tensors and inputs
 * @param batch prompts
 * @param tokens of each prompt
 * @param graph the encoder's: outputs {@code penultimate} and {@code pooled} of a CLIP, {@code
 *     last} of T5
 */
public record PromptTower(Encoder encoder, String prefix, int batch, int tokens, Graph graph) {

  /** The three encoders of a prompt (paper, Appendix B.2). */
  public enum Encoder {
    CLIP_L,
    CLIP_G,
    T5
  }

  /** A CLIP text model. */
  public static PromptTower clip(
      Encoder encoder, String prefix, ClipTextModel model, int batch, int tokens) {
    return new PromptTower(encoder, prefix, batch, tokens, model.graph(batch, tokens));
  }

  /** The T5 encoder. */
  public static PromptTower t5(String prefix, T5Encoder model, int batch, int tokens) {
    return new PromptTower(Encoder.T5, prefix, batch, tokens, model.graph(batch, tokens));
  }

  /**
   * The tower's inputs for prompts, under their names with the prefix.
   *
   * @param prompts {@link #batch} of them, {@link #tokens} long
   * @param eos the token that CLIP is pooled at
   * @param dropped for each prompt, whether this encoder is dropped: then its outputs are zeros,
   *     and it has no gradient from this prompt
   * @throws IllegalArgumentException if their number or length differs
   */
  public Map<String, Feed> data(List<TokenizedPrompt> prompts, int eos, boolean[] dropped) {
    if (prompts.size() != batch
        || dropped.length != batch
        || prompts.stream().anyMatch(p -> p.ids().length != tokens)) {
      throw new IllegalArgumentException(
          "%d prompts of %s tokens for a tower of %d prompts of %d tokens"
              .formatted(
                  prompts.size(),
                  prompts.stream().map(p -> p.ids().length).distinct().toList(),
                  batch,
                  tokens));
    }
    int[] ids = new int[batch * tokens];
    int[] ends = new int[batch];
    Tensor keep = Tensor.zeros(Shape.of(batch));
    for (int i = 0; i < batch; i++) {
      System.arraycopy(prompts.get(i).ids(), 0, ids, i * tokens, tokens);
      keep.data()[i] = dropped[i] ? 0 : 1;
      ends[i] = encoder == Encoder.T5 ? 0 : i * tokens + prompts.get(i).indexOf(eos);
    }
    Feed tokenIds = Feed.of(IntTensor.of(ids, batch, tokens));
    return encoder == Encoder.T5
        ? Map.of(prefix + "ids", tokenIds, prefix + "keep", Feed.of(keep))
        : Map.of(
            prefix + "ids",
            tokenIds,
            prefix + "end",
            Feed.of(IntTensor.of(ends, batch)),
            prefix + "keep",
            Feed.of(keep));
  }

  /** What the encoder gives, zeros where it is dropped. */
  record Outputs(Graph graph, Map<String, Value> values, Value keep) {
    Value get(String name) {
      Value value = values.get(name);
      Value factors = keep;
      for (int axis = 1; axis < value.shape().rank(); axis++) {
        factors = graph.repeat(factors, axis, value.shape().dim(axis));
      }
      return graph.mul(value, factors);
    }
  }

  /** Records the encoder, its inputs under their names with the prefix. */
  Outputs include(Graph g, Trainables trainables) {
    Value ids = g.intInput(prefix + "ids", batch, tokens);
    Map<String, Value> inputs =
        encoder == Encoder.T5
            ? Map.of("ids", ids)
            : Map.of("ids", ids, "end", g.intInput(prefix + "end", batch));
    Value keep = g.input(prefix + "keep", batch);
    // Layers of two encoders have the same names; text_encoder_2 alone would pass for a layer.
    try (Scope _ = g.scope(prefix.replace(".", "_") + "tower")) {
      return new Outputs(
          g, g.include(graph, inputs, weight -> trainables.record(prefix, weight)), keep);
    }
  }
}
