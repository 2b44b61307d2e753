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
import org.rectiflow.engine.WeightSource;

/**
 * A text encoder as one side of a {@link ContrastiveObjective}.
 *
 * @param prefix put before the names of its tensors and inputs, so that several towers fit into one
 *     objective; may be empty
 * @param kind what it reads
 * @param batch texts
 * @param tokens of each text
 * @param graph inputs as {@link #data} makes them, output {@code features} [B, P]
 */
public record TextTower(String prefix, Kind kind, int batch, int tokens, Graph graph) {
  /** What a T5 tower has besides its encoder: [P, width], no bias. */
  public static final String T5_PROJECTION = "projection.weight";

  private static final String FEATURES = "features";
  private static final String MEAN = "mean";

  /** How a tower makes one vector of a text. */
  public enum Kind {
    /** What CLIP pools at the end-of-text token. */
    CLIP,
    /** T5's last hidden states, averaged over the tokens that are not padding, and projected. */
    T5
  }

  /** A CLIP text model; its features are its pooled output. */
  public static TextTower clip(String prefix, ClipTextModel model, int batch, int tokens) {
    Graph g = new Graph();
    Map<String, Value> outputs = g.include(model.graph(batch, tokens), Map.of(), g::parameter);
    g.output(FEATURES, outputs.get("pooled"));
    return new TextTower(prefix, Kind.CLIP, batch, tokens, g);
  }

  /**
   * A T5 encoder and a projection to the width of the features. T5 itself has no vector for a text;
   * the mean over its tokens is the usual one (Ni et al., "Sentence-T5", 2022).
   *
   * @param projection where {@value #T5_PROJECTION} comes from
   * @param featureWidth P
   */
  public static TextTower t5(
      String prefix,
      T5Encoder model,
      WeightSource projection,
      int featureWidth,
      int batch,
      int tokens) {
    Graph g = new Graph();
    Value last = g.include(model.graph(batch, tokens), Map.of(), g::parameter).get("last");
    int width = model.config().width();
    Value shares = g.repeat(g.input(MEAN, batch, tokens), 2, width);
    Value mean = g.sum(g.mul(last, shares), 1);
    Value weight = g.parameter(projection.require(T5_PROJECTION, featureWidth, width));
    g.output(FEATURES, g.linear(mean, weight));
    return new TextTower(prefix, Kind.T5, batch, tokens, g);
  }

  /**
   * The tower's inputs for texts, under their names with the prefix.
   *
   * @param texts {@link #batch} of them, {@link #tokens} long
   * @param eos the token that ends a text
   * @throws IllegalArgumentException if their number or length differs
   */
  public Map<String, Feed> data(List<TokenizedPrompt> texts, int eos) {
    if (texts.size() != batch || texts.stream().anyMatch(t -> t.ids().length != tokens)) {
      throw new IllegalArgumentException(
          "%d texts of %s tokens for a tower of %d texts of %d tokens"
              .formatted(
                  texts.size(),
                  texts.stream().map(t -> t.ids().length).distinct().toList(),
                  batch,
                  tokens));
    }
    int[] ids = new int[batch * tokens];
    int[] ends = new int[batch];
    Tensor mean = Tensor.zeros(Shape.of(batch, tokens));
    for (int b = 0; b < batch; b++) {
      System.arraycopy(texts.get(b).ids(), 0, ids, b * tokens, tokens);
      int end = texts.get(b).indexOf(eos);
      ends[b] = b * tokens + end;
      for (int t = 0; t <= end; t++) {
        mean.data()[b * tokens + t] = 1f / (end + 1);
      }
    }
    Feed tokenIds = Feed.of(IntTensor.of(ids, batch, tokens));
    return switch (kind) {
      case CLIP ->
          Map.of(prefix + "ids", tokenIds, prefix + "end", Feed.of(IntTensor.of(ends, batch)));
      case T5 -> Map.of(prefix + "ids", tokenIds, prefix + MEAN, Feed.of(mean));
    };
  }

  /** Records the tower, its inputs under their names with the prefix; its features. */
  Value include(Graph g, Trainables trainables) {
    Value ids = g.intInput(prefix + "ids", batch, tokens);
    Map<String, Value> inputs =
        switch (kind) {
          case CLIP -> Map.of("ids", ids, "end", g.intInput(prefix + "end", batch));
          case T5 -> Map.of("ids", ids, MEAN, g.input(prefix + MEAN, batch, tokens));
        };
    // Layers of two towers have the same names; text_encoder_2 alone would pass for a layer.
    try (Scope _ = g.scope(prefix.replace(".", "_") + "tower")) {
      return g.include(graph, inputs, weight -> trainables.record(prefix, weight)).get(FEATURES);
    }
  }
}
