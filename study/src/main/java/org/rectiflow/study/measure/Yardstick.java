package org.rectiflow.study.measure;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.rectiflow.datasets.Dataset;
import org.rectiflow.datasets.shapes.ShapePrompt;
import org.rectiflow.datasets.shapes.ShapesScore;
import org.rectiflow.datasets.shapes.ShapesWorld;
import org.rectiflow.encoders.PromptEmbedding;
import org.rectiflow.encoders.PromptEncoder;
import org.rectiflow.encoders.PromptEncoding;
import org.rectiflow.encoders.Prompts;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;
import org.rectiflow.evaluation.GaussianStatistics;
import org.rectiflow.evaluation.GenEval;
import org.rectiflow.evaluation.PixelImage;
import org.rectiflow.pipeline.TextToImage;
import org.rectiflow.scheduler.TorchGenerator;
import org.rectiflow.study.plan.Evaluation;

/**
 * What all runs on the same base are measured with: held-out prompts of every category, their
 * noise, and the statistics of held-out pictures.
 *
 * @param prompts what is drawn
 * @param embeddings the prompts encoded by the base
 * @param clipTokens tokens of an embedding's context that are CLIP's
 * @param references statistics of the features of held-out pictures
 * @param side of a picture in pixels
 */
record Yardstick(
    List<ShapePrompt> prompts,
    List<PromptEmbedding> embeddings,
    int clipTokens,
    GaussianStatistics references,
    int side) {
  private static final int TOGETHER = 32;

  /**
   * Makes it.
   *
   * @param pipeline of the base
   * @param t5Tokens length of T5's part of the context
   */
  static Yardstick of(
      TextToImage pipeline, int t5Tokens, int side, Evaluation evaluation, Features features)
      throws IOException {
    int perTask = Math.ceilDiv(evaluation.samples(), GenEval.Task.values().length);
    List<ShapePrompt> prompts = ShapesScore.prompts(perTask, evaluation.seed());
    List<PromptEmbedding> embeddings;
    int clipTokens;
    try (PromptEncoder encoders = pipeline.encoders(t5Tokens, Set.of())) {
      clipTokens = clipTokens(encoders);
      embeddings = encode(pipeline, encoders, prompts);
    }
    return new Yardstick(
        prompts, embeddings, clipTokens, references(evaluation, side, features), side);
  }

  /** Prompts encoded. */
  static List<PromptEmbedding> encode(
      TextToImage pipeline, PromptEncoder encoders, List<ShapePrompt> prompts) {
    List<Prompts> texts = prompts.stream().map(p -> Prompts.all(p.text())).toList();
    return pipeline.embed(encoders, texts, TOGETHER, () -> {});
  }

  private static int clipTokens(PromptEncoder encoders) {
    PromptEncoding empty = encoders.encode(Prompts.all(""));
    return empty
        .clipL()
        .or(empty::clipG)
        .map(clip -> clip.penultimate().shape().dim(1))
        .orElseThrow(() -> new IllegalArgumentException("the base has no CLIP text encoder"));
  }

  private static GaussianStatistics references(Evaluation evaluation, int side, Features features)
      throws IOException {
    Dataset heldOut =
        new ShapesWorld(
            ShapesWorld.Settings.heldOut(evaluation.seed(), evaluation.references())
                .withResolution(side));
    List<double[]> all = new ArrayList<>();
    for (int from = 0; from < heldOut.size(); from += TOGETHER) {
      List<PixelImage> some = new ArrayList<>();
      for (int i = from; i < Math.min(heldOut.size(), from + TOGETHER); i++) {
        some.add(heldOut.get(i).picture());
      }
      all.addAll(Arrays.asList(features.of(some)));
    }
    return GaussianStatistics.of(all.toArray(double[][]::new));
  }

  /** The noise of some pictures, each from a seed of its own, the same for every run. */
  Tensor noise(Evaluation evaluation, int from, Shape batch) {
    int each = Math.toIntExact(batch.count() / batch.dim(0));
    float[] all = new float[batch.dim(0) * each];
    for (int i = 0; i < batch.dim(0); i++) {
      TorchGenerator generator = new TorchGenerator(evaluation.seed() * 1_000_003 + from + i);
      System.arraycopy(generator.randn(each), 0, all, i * each, each);
    }
    return new Tensor(batch, all);
  }

  /** Features need the backend only where they are networks'. */
  static Features features(Evaluation evaluation, Backend backend) {
    return evaluation.towers().isEmpty()
        ? new PixelStatistics()
        : new TowerFeatures(java.nio.file.Path.of(evaluation.towers()), backend);
  }
}
