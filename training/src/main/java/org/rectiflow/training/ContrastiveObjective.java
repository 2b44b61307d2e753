package org.rectiflow.training;

import java.util.List;
import java.util.Map;
import org.rectiflow.encoders.ClipVisionModel;
import org.rectiflow.engine.Activation;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Graph.Scope;
import org.rectiflow.engine.Recompute;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.Value;
import org.rectiflow.engine.Weight;

/**
 * The loss that pairs pictures and texts (Radford et al., "Learning Transferable Visual Models From
 * Natural Language Supervision", 2021, Figure 3): with unit features the logits are the cosines of
 * all pictures and texts of a batch times a learned scale; the loss is the mean of the cross
 * entropies along the rows and along the columns. Several text towers share the pictures and the
 * scale; their losses are averaged.
 */
public final class ContrastiveObjective {
  /** The learned scale's logarithm, a scalar; named as in transformers' CLIPModel. */
  public static final String LOGIT_SCALE = "logit_scale";

  /** Where the scale starts: the logarithm of 1 / 0.07. */
  public static final float INITIAL_LOGIT_SCALE = 2.6592f;

  /** The scale stays below 100. */
  public static final float MAX_LOGIT_SCALE = (float) Math.log(100);

  /** The output with the pictures' features. */
  public static final String IMAGE_FEATURES = "imageFeatures";

  /** The output with the texts' features, after the tower's prefix. */
  public static final String TEXT_FEATURES = "textFeatures";

  private ContrastiveObjective() {}

  /** The towers' losses and features in a graph. */
  private record Recording(Graph graph, Trainables trainables, Value loss) {}

  /**
   * The objective for one size of batch; everything is trained. Data: {@code pixels} [B, 3, S, S]
   * in -1 to 1; {@code targets} [B, B], see {@link #targets}; those of {@link TextTower#data} of
   * each tower. Besides the loss it returns {@value #IMAGE_FEATURES} [B, P] and PREFIX{@value
   * #TEXT_FEATURES} [B, P] of each tower, of unit length.
   *
   * @param logitScale {@value #LOGIT_SCALE} at the start
   * @throws IllegalArgumentException if the towers' batches or widths of features differ
   */
  public static Objective of(
      ClipVisionModel image, List<TextTower> texts, float logitScale, int batch) {
    return of(image, texts, logitScale, batch, Recompute.NONE);
  }

  /**
   * The same.
   *
   * @param recompute what the backward pass computes again to save memory: the towers' layers
   */
  public static Objective of(
      ClipVisionModel image,
      List<TextTower> texts,
      float logitScale,
      int batch,
      Recompute recompute) {
    Recording recording = record(image, texts, logitScale, batch);
    recording.trainables.differentiate(recording.loss, recompute);
    return new Objective(recording.graph, recording.trainables.initial());
  }

  /**
   * The same without gradients: the trained tensors are inputs of the graph, {@link Objective#LOSS}
   * and the features its outputs.
   */
  public static Graph evaluation(ClipVisionModel image, List<TextTower> texts, int batch) {
    Recording recording = record(image, texts, 0, batch);
    recording.graph.output(Objective.LOSS, recording.loss);
    return recording.graph;
  }

  private static Recording record(
      ClipVisionModel image, List<TextTower> texts, float logitScale, int batch) {
    Graph g = new Graph();
    Trainables trainables = new Trainables(g, _ -> true);
    Value pictures;
    try (Scope _ = g.scope("image")) {
      pictures = g.include(image.graph(batch), Map.of(), trainables::record).get("features");
    }
    pictures = UnitRows.of(g, pictures);
    g.output(IMAGE_FEATURES, pictures);
    Weight scale = Weight.of(LOGIT_SCALE, new Tensor(Shape.of(), new float[] {logitScale}));
    Value factor = g.activate(Activation.EXP, trainables.record(scale));
    Value targets = g.input("targets", batch, batch);
    Value sum = null;
    for (TextTower tower : texts) {
      Value features = UnitRows.of(g, tower.include(g, trainables));
      if (!features.shape().equals(pictures.shape())) {
        throw new IllegalArgumentException(
            "features of texts are %s, of pictures %s; batch and width have to be equal"
                .formatted(features.shape(), pictures.shape()));
      }
      g.output(tower.prefix() + TEXT_FEATURES, features);
      Value logits = g.mul(g.matMul(pictures, false, features, true), factor);
      Value loss = crossEntropy(g, logits, targets);
      sum = sum == null ? loss : g.add(sum, loss);
    }
    return new Recording(g, trainables, g.affine(sum, 1f / texts.size(), 0));
  }

  /**
   * The mean over rows of {@code log(sum(exp)) - target . logits}, and the same over columns. As
   * the targets are symmetric, their products with the logits are the same for both.
   */
  private static Value crossEntropy(Graph g, Value logits, Value targets) {
    int batch = logits.shape().dim(0);
    Value rows = g.mean(g.logSumExp(logits));
    Value columns = g.mean(g.logSumExp(g.permute(logits, 1, 0)));
    Value met = g.affine(g.mean(g.mul(logits, targets)), batch, 0);
    return g.subtract(g.affine(g.add(rows, columns), 0.5f, 0), met);
  }

  /**
   * What each picture of a batch should be matched with: its text, or evenly all texts equal to it,
   * as a caption that occurs twice describes both pictures. Without equal texts these are the
   * paper's, the identity.
   *
   * @return [B, B], symmetric, rows add up to 1
   */
  public static Tensor targets(List<String> texts) {
    int batch = texts.size();
    Tensor targets = Tensor.zeros(Shape.of(batch, batch));
    for (int i = 0; i < batch; i++) {
      String text = texts.get(i);
      long equal = texts.stream().filter(text::equals).count();
      for (int j = 0; j < batch; j++) {
        targets.data()[i * batch + j] = texts.get(j).equals(text) ? 1f / equal : 0;
      }
    }
    return targets;
  }

  /** Keeps the scale at most 100, in place; to be called after each step. */
  public static void clampScale(Map<String, Tensor> parameters) {
    Tensor scale = parameters.get(LOGIT_SCALE);
    if (scale != null) {
      scale.data()[0] = Math.min(scale.data()[0], MAX_LOGIT_SCALE);
    }
  }
}
