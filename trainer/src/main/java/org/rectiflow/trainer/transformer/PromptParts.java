package org.rectiflow.trainer.transformer;

import org.rectiflow.encoders.PromptEncoding;
import org.rectiflow.engine.CheckpointException;
import org.rectiflow.training.PromptTower.Encoder;

/**
 * Which numbers of a prompt's embedding come from which encoder: the CLIPs' tokens come first and
 * share their channels, then T5's tokens; the pooled embedding is CLIP-L's, then CLIP-G's (paper,
 * Appendix B.2).
 *
 * @param clipTokens tokens of the CLIPs
 * @param tokens of the whole context
 * @param contextWidth channels of a token
 * @param widthL channels of a CLIP token that are CLIP-L's
 * @param pooledWidth channels of the pooled embedding
 * @param pooledL channels of it that are CLIP-L's
 */
record PromptParts(
    int clipTokens, int tokens, int contextWidth, int widthL, int pooledWidth, int pooledL) {

  /** Reads the sizes off an encoded prompt that has all encoders. */
  static PromptParts of(PromptEncoding encoding) {
    var clipL =
        encoding.clipL().orElseThrow(() -> new CheckpointException("the base has no CLIP-L"));
    return new PromptParts(
        clipL.penultimate().shape().dim(1),
        encoding.embedding().context().shape().dim(1),
        encoding.embedding().context().shape().dim(2),
        clipL.penultimate().shape().dim(2),
        encoding.embedding().pooled().shape().dim(1),
        clipL.pooled().shape().dim(1));
  }

  /** Sets an encoder's part of sample {@code at} in a batch to zero, as the paper drops it. */
  void drop(Encoder encoder, float[] context, float[] pooled, int at) {
    switch (encoder) {
      case CLIP_L -> {
        clear(context, at, 0, clipTokens, 0, widthL);
        fill(pooled, at * pooledWidth, pooledL);
      }
      case CLIP_G -> {
        clear(context, at, 0, clipTokens, widthL, contextWidth - widthL);
        fill(pooled, at * pooledWidth + pooledL, pooledWidth - pooledL);
      }
      case T5 -> clear(context, at, clipTokens, tokens, 0, contextWidth);
    }
  }

  private void clear(float[] context, int at, int from, int to, int channel, int width) {
    for (int token = from; token < to; token++) {
      fill(context, (at * tokens + token) * contextWidth + channel, width);
    }
  }

  private static void fill(float[] values, int from, int count) {
    java.util.Arrays.fill(values, from, from + count, 0);
  }
}
