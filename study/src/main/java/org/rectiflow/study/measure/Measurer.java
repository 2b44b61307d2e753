package org.rectiflow.study.measure;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.rectiflow.datasets.shapes.ShapePrompt;
import org.rectiflow.datasets.shapes.ShapesScore;
import org.rectiflow.datasets.shapes.Verdict;
import org.rectiflow.encoders.PromptEmbedding;
import org.rectiflow.encoders.PromptEncoder;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Executable;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;
import org.rectiflow.evaluation.ControlSetting.Sampler;
import org.rectiflow.evaluation.FrechetDistance;
import org.rectiflow.evaluation.GaussianStatistics;
import org.rectiflow.evaluation.PixelImage;
import org.rectiflow.mmdit.VelocityModel;
import org.rectiflow.pipeline.Progress;
import org.rectiflow.pipeline.TextToImage;
import org.rectiflow.pipeline.checkpoint.Checkpoint;
import org.rectiflow.pipeline.checkpoint.Part;
import org.rectiflow.pipeline.io.UserException;
import org.rectiflow.scheduler.formulation.Formulation;
import org.rectiflow.study.plan.Evaluation;
import org.rectiflow.trainer.data.Pixels;
import org.rectiflow.vae.Autoencoder;

/**
 * Measures checkpoints as Section 5.1 and Appendix B.3 of the paper do, with held-out prompts of
 * the shapes world.
 */
public final class Measurer implements AutoCloseable {
  private final Evaluation evaluation;
  private final Backend backend;
  private final Checkpoint base;
  private final int t5Tokens;
  private final TextToImage pipeline;
  private final Autoencoder vae;
  private final Features features;
  private final Yardstick yardstick;

  /**
   * Makes ready to measure runs on one base.
   *
   * @param base whose autoencoder is used, and whose text encoders unless the run trained its own;
   *     closed by the caller
   * @param t5Tokens length of T5's part of the context
   * @param side of a picture in pixels
   */
  public Measurer(Checkpoint base, int t5Tokens, int side, Evaluation evaluation, Backend backend)
      throws IOException {
    this.evaluation = evaluation;
    this.backend = backend;
    this.base = base;
    this.t5Tokens = t5Tokens;
    pipeline = TextToImage.withoutTransformer(base, backend);
    vae = new Autoencoder(pipeline.vaeConfig(), base.require(Part.VAE));
    features = Yardstick.features(evaluation, backend);
    yardstick = Yardstick.of(pipeline, t5Tokens, side, evaluation, features);
  }

  /**
   * Measures one checkpoint in every setting.
   *
   * @param checkpoint that the trainer wrote
   * @param stop asked between batches
   * @throws UserException if moving averages are to be measured and the run has none, or a sampler
   *     ends in numbers that are not finite
   */
  public List<Sampled> measure(
      Path checkpoint, Formulation formulation, Progress progress, BooleanSupplier stop)
      throws StoppedException {
    List<Sampler> samplers = evaluation.samplers();
    int batches = Math.ceilDiv(yardstick.prompts().size(), evaluation.batch());
    Progress.Phase phase =
        progress.begin("measuring", evaluation.weights().size() * samplers.size() * batches);
    List<Sampled> all = new ArrayList<>();
    try (CheckpointNetwork network = new CheckpointNetwork(checkpoint, yardstick.clipTokens())) {
      for (String weights : evaluation.weights()) {
        if (weights.equals("ema") && !network.hasAverage()) {
          throw new UserException(
              "%s has no moving average to measure: set ema.every, or evaluation.weights to [\"raw\"]"
                  .formatted(checkpoint));
        }
        List<PromptEmbedding> embeddings = embeddings(network, weights);
        for (Sampler sampler : samplers) {
          all.add(
              measure(
                  network.model(weights), embeddings, weights, formulation, sampler, phase, stop));
        }
      }
    }
    return all;
  }

  /** The prompts through the encoders that the transformer was trained with. */
  private List<PromptEmbedding> embeddings(CheckpointNetwork network, String weights) {
    if (!network.hasEncoders()) {
      return yardstick.embeddings();
    }
    try (PromptEncoder encoders =
        pipeline.encoders(
            t5Tokens, Set.of(), part -> network.encoder(part, weights, base.require(part)))) {
      return Yardstick.encode(pipeline, encoders, yardstick.prompts());
    }
  }

  private Sampled measure(
      VelocityModel model,
      List<PromptEmbedding> embeddings,
      String weights,
      Formulation formulation,
      Sampler sampler,
      Progress.Phase phase,
      BooleanSupplier stop)
      throws StoppedException {
    int count = yardstick.prompts().size();
    int batch = Math.min(evaluation.batch(), count);
    int latentSide = yardstick.side() / vae.config().factor();
    Shape latent = Shape.of(batch, vae.config().latentChannels(), latentSide, latentSide);
    List<Verdict> verdicts = new ArrayList<>();
    List<double[]> seen = new ArrayList<>();
    List<Double> alignments = new ArrayList<>();
    double length = 0;
    try (BatchSampler batches =
            new BatchSampler(
                model, backend, formulation, latent, embeddings.getFirst(), sampler.guidance());
        Executable decoder =
            backend.compile("decoder", vae.decoder(batch, latentSide, latentSide))) {
      for (int from = 0; from < count; from += batch) {
        if (stop.getAsBoolean()) {
          throw new StoppedException("measuring was stopped");
        }
        // The last batch reaches back, so that all have one size; what is drawn again is not
        // counted.
        int start = Math.min(from, count - batch);
        int again = from - start;
        List<PromptEmbedding> prompts = embeddings.subList(start, start + batch);
        BatchSampler.Ends sampled =
            batches.sample(yardstick.noise(evaluation, start, latent), prompts, sampler.steps());
        requireFinite(sampled.latents(), sampler, weights);
        List<PixelImage> pictures = decode(decoder, sampled.latents()).subList(again, batch);
        List<ShapePrompt> asked = yardstick.prompts().subList(from, start + batch);
        verdicts.addAll(
            IntStream.range(0, pictures.size())
                .parallel()
                .mapToObj(i -> ShapesScore.judge(asked.get(i), pictures.get(i)))
                .toList());
        for (int i = again; i < batch; i++) {
          length += sampled.pathLength()[i] / count;
        }
        seen.addAll(Arrays.asList(features.of(pictures)));
        features
            .alignment(pictures, asked.stream().map(ShapePrompt::text).toList())
            .ifPresent(cosines -> Arrays.stream(cosines).forEach(alignments::add));
        phase.step();
      }
    }
    Map<String, Double> rates = new LinkedHashMap<>();
    ShapesScore score = ShapesScore.of(verdicts);
    score.correct().entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .forEach(entry -> rates.put(entry.getKey().label(), entry.getValue().rate()));
    double alignment =
        alignments.isEmpty()
            ? score.overall()
            : alignments.stream().mapToDouble(a -> a).average().orElseThrow();
    double frechet =
        FrechetDistance.between(
            GaussianStatistics.of(seen.toArray(double[][]::new)), yardstick.references());
    return new Sampled(
        weights, sampler.steps(), sampler.guidance(), alignment, frechet, length, rates);
  }

  private static void requireFinite(Tensor latents, Sampler sampler, String weights) {
    for (float value : latents.data()) {
      if (!Float.isFinite(value)) {
        throw new UserException(
            "sampling with %s weights, %d steps and guidance %s ended in numbers that are not finite"
                .formatted(weights, sampler.steps(), sampler.guidance()));
      }
    }
  }

  private static List<PixelImage> decode(Executable decoder, Tensor latents) {
    Tensor pixels = decoder.run(Map.of("latent", Feed.of(latents))).get("pixels");
    return IntStream.range(0, pixels.shape().dim(0))
        .mapToObj(i -> Pixels.picture(pixels, i))
        .toList();
  }

  @Override
  public void close() {
    features.close();
  }
}
