package org.rectiflow.encoders;

import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.rectiflow.encoders.PromptEncoding.ClipOutput;
import org.rectiflow.engine.CheckpointException;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;

/**
 * What the transformer receives of a prompt (paper, Appendix B.2).
 *
 * @param context c_ctxt [B, clipTokens + t5Tokens, contextWidth]: the two CLIPs side by side in the
 *     channels, filled up with zeros to T5's width; then T5's tokens
 * @param pooled c_vec [B, pooledWidth]: CLIP-L's pooled output, then CLIP-G's
 */
public record PromptEmbedding(Tensor context, Tensor pooled) {

  /**
   * The sizes the transformer expects, which the encoders have to fit.
   *
   * @param contextWidth {@code joint_attention_dim}, 4096
   * @param pooledWidth {@code pooled_projection_dim}, 2048
   * @param clipTokens length of the CLIP part, 77
   * @param t5Tokens length of the T5 part: 256 in diffusers, 77 in the paper and the reference
   *     code, no more than T5's tokenizer allows
   */
  public record Layout(int contextWidth, int pooledWidth, int clipTokens, int t5Tokens) {}

  /**
   * Puts the encoders' outputs together. An encoder that is not there leaves zeros, as when it was
   * dropped in training (paper, Appendix B.3); an absent CLIP is taken to be as wide as its pooled
   * output, which holds for both of SD3's.
   *
   * @throws CheckpointException if the outputs do not fit the transformer
   */
  public static PromptEmbedding assemble(
      Layout layout, Optional<ClipOutput> clipL, Optional<ClipOutput> clipG, Optional<Tensor> t5) {
    int tokens = layout.clipTokens() + layout.t5Tokens();
    Tensor context = Tensor.zeros(Shape.of(1, tokens, layout.contextWidth()));
    Tensor pooled = Tensor.zeros(Shape.of(1, layout.pooledWidth()));
    int pooledL = pooledWidth(clipL).orElse(layout.pooledWidth() - pooledWidth(clipG).orElse(0));
    int pooledG = pooledWidth(clipG).orElse(layout.pooledWidth() - pooledL);
    if (pooledL < 0 || pooledG < 0 || pooledL + pooledG != layout.pooledWidth()) {
      throw new CheckpointException(
          "the CLIPs' pooled outputs have %d and %d channels, the transformer expects %d in all. The text encoders and the transformer come from different models."
              .formatted(pooledL, pooledG, layout.pooledWidth()));
    }
    clipL.ifPresent(clip -> {
      place(clip.penultimate(), context, 0, 0, layout.clipTokens());
      System.arraycopy(clip.pooled().data(), 0, pooled.data(), 0, pooledL);
    });
    int besideL = clipL.map(clip -> clip.penultimate().shape().dim(2)).orElse(pooledL);
    clipG.ifPresent(clip -> {
      place(clip.penultimate(), context, 0, besideL, layout.clipTokens());
      System.arraycopy(clip.pooled().data(), 0, pooled.data(), pooledL, pooledG);
    });
    t5.ifPresent(last -> {
      if (last.shape().dim(2) != layout.contextWidth()) {
        throw new CheckpointException(
            "T5 has %d channels, the transformer expects %d. The text encoder and the transformer come from different models."
                .formatted(last.shape().dim(2), layout.contextWidth()));
      }
      place(last, context, layout.clipTokens(), 0, layout.t5Tokens());
    });
    return new PromptEmbedding(context, pooled);
  }

  private static Optional<Integer> pooledWidth(Optional<ClipOutput> clip) {
    return clip.map(c -> c.pooled().shape().dim(1));
  }

  /** Copies {@code part} [1, tokens, c] into {@code whole} [1, T, C] from the given corner on. */
  private static void place(Tensor part, Tensor whole, int token, int channel, int tokens) {
    int width = part.shape().dim(2);
    int stride = whole.shape().dim(2);
    if (part.shape().dim(1) != tokens || channel + width > stride) {
      throw new CheckpointException(
          "a text encoder gives %s, which does not fit %d tokens and %d channels of the transformer's context from channel %d on. The text encoders and the transformer come from different models."
              .formatted(part.shape(), tokens, stride, channel));
    }
    for (int t = 0; t < tokens; t++) {
      System.arraycopy(part.data(), t * width, whole.data(), (token + t) * stride + channel, width);
    }
  }

  /**
   * Several embeddings as one batch, in order.
   *
   * @throws IllegalArgumentException if they differ in shape, or there are none
   */
  public static PromptEmbedding batch(List<PromptEmbedding> parts) {
    return new PromptEmbedding(
        stack(parts, PromptEmbedding::context), stack(parts, PromptEmbedding::pooled));
  }

  private static Tensor stack(
      List<PromptEmbedding> parts, Function<PromptEmbedding, Tensor> tensor) {
    if (parts.isEmpty()) {
      throw new IllegalArgumentException("no prompt embeddings to make a batch of");
    }
    Shape first = tensor.apply(parts.getFirst()).shape();
    int batch = 0;
    for (PromptEmbedding part : parts) {
      Shape shape = tensor.apply(part).shape();
      if (!shape.with(0, 1).equals(first.with(0, 1))) {
        throw new IllegalArgumentException(
            "prompt embeddings of shapes " + first + " and " + shape + " do not make a batch");
      }
      batch += shape.dim(0);
    }
    Tensor all = Tensor.zeros(first.with(0, batch));
    int at = 0;
    for (PromptEmbedding part : parts) {
      float[] data = tensor.apply(part).data();
      System.arraycopy(data, 0, all.data(), at, data.length);
      at += data.length;
    }
    return all;
  }
}
