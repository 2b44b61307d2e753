package org.rectiflow.benchmarks.kernels;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.Value;
import org.rectiflow.safetensors.DType;

/**
 * Attention over one or two streams of tokens: the image's, then the text's. Both streams are
 * slices of {@code q}, {@code k} and {@code v} [imageTokens + textTokens, heads * headSize].
 *
 * @param textTokens 0 for one stream only
 * @param biased whether there is an additive bias [heads, T, T]; for one stream only
 */
public record AttentionProblem(
    int heads,
    int headSize,
    int imageTokens,
    int textTokens,
    boolean biased,
    float[] q,
    float[] k,
    float[] v)
    implements Problem {

  /** The joint attention of an image and a prompt. */
  public static AttentionProblem joint(int heads, int headSize, int imageTokens, int textTokens) {
    return of(heads, headSize, imageTokens, textTokens, false);
  }

  /** Self-attention with a bias, as in T5. */
  public static AttentionProblem biased(int heads, int headSize, int tokens) {
    return of(heads, headSize, tokens, 0, true);
  }

  private static AttentionProblem of(
      int heads, int headSize, int imageTokens, int textTokens, boolean biased) {
    int tokens = imageTokens + textTokens;
    int channels = heads * headSize;
    return new AttentionProblem(
        heads,
        headSize,
        imageTokens,
        textTokens,
        biased,
        RandomValues.uniform(1, 1.7f, tokens, channels),
        RandomValues.uniform(2, 1.7f, tokens, channels),
        RandomValues.uniform(3, 1.7f, tokens, channels));
  }

  /** Tokens of both streams. */
  public int tokens() {
    return imageTokens + textTokens;
  }

  @Override
  public String name() {
    return "%d x %d, %d tokens%s".formatted(heads, headSize, tokens(), biased ? ", bias" : "");
  }

  @Override
  public Graph graph(DType weights) {
    Graph g = new Graph();
    int channels = heads * headSize;
    List<Graph.Qkv> streams = new ArrayList<>();
    streams.add(stream(g, "image", imageTokens, channels));
    if (biased) {
      Value bias = g.input("bias", heads, tokens(), tokens());
      float scale = (float) (1 / Math.sqrt(headSize));
      g.output("y", g.selfAttention(heads, streams.getFirst(), scale, false, bias));
      return g;
    }
    if (textTokens > 0) {
      streams.add(stream(g, "text", textTokens, channels));
    }
    g.output("y", g.jointAttention(heads, streams).getFirst());
    return g;
  }

  private static Graph.Qkv stream(Graph g, String name, int tokens, int channels) {
    return new Graph.Qkv(
        g.input(name + ".q", 1, tokens, channels),
        g.input(name + ".k", 1, tokens, channels),
        g.input(name + ".v", 1, tokens, channels));
  }

  @Override
  public Map<String, Feed> feeds() {
    Map<String, Feed> feeds = new HashMap<>();
    addStream(feeds, "image", 0, imageTokens);
    if (textTokens > 0) {
      addStream(feeds, "text", imageTokens, textTokens);
    }
    if (biased) {
      float[] bias = RandomValues.uniform(4, 1, heads, tokens(), tokens());
      feeds.put("bias", Feed.of(Tensor.of(bias, heads, tokens(), tokens())));
    }
    return feeds;
  }

  private void addStream(Map<String, Feed> feeds, String name, int from, int tokens) {
    feeds.put(name + ".q", rows(q, from, tokens));
    feeds.put(name + ".k", rows(k, from, tokens));
    feeds.put(name + ".v", rows(v, from, tokens));
  }

  private Feed rows(float[] values, int from, int tokens) {
    int channels = heads * headSize;
    float[] part = new float[tokens * channels];
    System.arraycopy(values, from * channels, part, 0, part.length);
    return Feed.of(Tensor.of(part, 1, tokens, channels));
  }
}
