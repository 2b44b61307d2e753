package org.rectiflow.training;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Value;
import org.rectiflow.training.PromptTower.Encoder;

/**
 * The text encoders that are trained with a transformer. Their outputs take the place of what the
 * frozen ones give, as {@link org.rectiflow.encoders.PromptEmbedding} lays it out: the CLIPs'
 * tokens first, side by side in the channels, then T5's; CLIP-L's pooled output before CLIP-G's.
 *
 * @param clipTokens tokens of the CLIPs
 * @param widthL channels of a CLIP token that are CLIP-L's
 * @param pooledL channels of the pooled embedding that are CLIP-L's
 * @param towers each encoder at most once
 */
public record PromptTowers(int clipTokens, int widthL, int pooledL, List<PromptTower> towers) {
  public PromptTowers {
    towers = List.copyOf(towers);
    if (towers.stream().map(PromptTower::encoder).distinct().count() < towers.size()) {
      throw new IllegalArgumentException("an encoder twice");
    }
  }

  /** No encoder is trained. */
  public static PromptTowers none() {
    return new PromptTowers(0, 0, 0, List.of());
  }

  /** A prompt's embedding within a graph. */
  record Embedding(Value context, Value pooled) {}

  /**
   * Records the towers and puts their outputs in their places.
   *
   * @param context of the frozen encoders, [B, tokens, width]
   * @param pooled of the frozen encoders, [B, pooledWidth]
   */
  Embedding record(Graph g, Trainables trainables, Value context, Value pooled) {
    Map<Encoder, PromptTower.Outputs> outputs = new EnumMap<>(Encoder.class);
    towers.forEach(tower -> outputs.put(tower.encoder(), tower.include(g, trainables)));
    int tokens = context.shape().dim(1);
    Value clip = g.slice(context, 1, 0, clipTokens);
    Value vector = pooled;
    if (outputs.containsKey(Encoder.CLIP_L)) {
      clip = replaced(g, clip, 2, 0, outputs.get(Encoder.CLIP_L).get("penultimate"));
      vector = replaced(g, vector, 1, 0, outputs.get(Encoder.CLIP_L).get("pooled"));
    }
    if (outputs.containsKey(Encoder.CLIP_G)) {
      clip = replaced(g, clip, 2, widthL, outputs.get(Encoder.CLIP_G).get("penultimate"));
      vector = replaced(g, vector, 1, pooledL, outputs.get(Encoder.CLIP_G).get("pooled"));
    }
    Value t5 =
        outputs.containsKey(Encoder.T5)
            ? outputs.get(Encoder.T5).get("last")
            : g.slice(context, 1, clipTokens, tokens - clipTokens);
    return new Embedding(g.concat(1, List.of(clip, t5)), vector);
  }

  /** {@code x} with {@code part} from {@code from} on along an axis. */
  private static Value replaced(Graph g, Value x, int axis, int from, Value part) {
    int end = from + part.shape().dim(axis);
    int size = x.shape().dim(axis);
    List<Value> parts = new ArrayList<>();
    if (from > 0) {
      parts.add(g.slice(x, axis, 0, from));
    }
    parts.add(part);
    if (end < size) {
      parts.add(g.slice(x, axis, end, size - end));
    }
    return parts.size() == 1 ? part : g.concat(axis, parts);
  }
}
