package org.rectiflow.trainer.clip;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.rectiflow.datasets.Dataset;
import org.rectiflow.encoders.ClipScorer;
import org.rectiflow.encoders.ClipVisionModel;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Recompute;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.WeightSource;
import org.rectiflow.pipeline.picture.Picture;
import org.rectiflow.pipeline.picture.PngFile;
import org.rectiflow.trainer.LoopKeys;
import org.rectiflow.trainer.Meter;
import org.rectiflow.trainer.Task;
import org.rectiflow.trainer.config.Settings;
import org.rectiflow.trainer.data.DataKeys;
import org.rectiflow.trainer.data.EpochOrder;
import org.rectiflow.trainer.data.PixelBatch;
import org.rectiflow.trainer.transformer.ModelFolder;
import org.rectiflow.trainer.transformer.ValueWeights;
import org.rectiflow.training.ContrastiveObjective;
import org.rectiflow.training.Objective;

/** Trains text encoders and an image tower on pictures and their captions. */
final class ClipTask implements Task {
  /** The folder of the image tower and CLIP-L in a checkpoint. */
  static final String PAIR = "clip";

  /** What a checkpoint never takes over from the base, besides the encoders that are trained. */
  private static final Set<String> REPLACED =
      Set.of("transformer", "scheduler", "rectiflow.json", "training", "model_index.json", PAIR);

  private final Settings settings;
  private final Backend backend;
  private final Path base;
  private final ClipVisionModel image;
  private final WeightSource imageWeights;
  private final List<TrainedEncoder> encoders;
  private final Dataset training;
  private final PixelBatch heldOut;
  private final Optional<LabelledPictures> labelled;
  private final EpochOrder order;

  /**
   * @param imageWeights the image tower's, as they begin
   * @param encoders CLIP-L first
   */
  ClipTask(
      Settings settings,
      Backend backend,
      Path base,
      ClipVisionModel image,
      WeightSource imageWeights,
      List<TrainedEncoder> encoders,
      Dataset training,
      Dataset heldOut) {
    this.settings = settings;
    this.backend = backend;
    this.base = base;
    this.image = image;
    this.imageWeights = imageWeights;
    this.encoders = encoders;
    this.training = training;
    int side = settings.number(DataKeys.SIZE);
    this.heldOut = PixelBatch.of(heldOut, IntStream.range(0, heldOut.size()).toArray(), side);
    this.labelled = LabelledPictures.of(settings, heldOut.size());
    order = new EpochOrder(settings.get(LoopKeys.SEED), training.size());
  }

  @Override
  public Objective objective(Recompute recompute) {
    return ContrastiveObjective.of(
        image,
        encoders.stream().map(TrainedEncoder::tower).toList(),
        ContrastiveObjective.INITIAL_LOGIT_SCALE,
        batchSize(),
        recompute);
  }

  @Override
  public int batchSize() {
    return settings.number(LoopKeys.BATCH);
  }

  @Override
  public Map<String, Feed> batch(long step, int part) {
    int size = batchSize();
    long first = ((step - 1) * settings.get(LoopKeys.ACCUMULATION) + part) * size;
    int[] indices = new int[size];
    Arrays.setAll(indices, i -> order.at(first + i));
    PixelBatch pairs = PixelBatch.of(training, indices, settings.number(DataKeys.SIZE));
    Map<String, Feed> feeds = new HashMap<>();
    feeds.put("pixels", Feed.of(pairs.pixels()));
    feeds.put("targets", Feed.of(ContrastiveObjective.targets(pairs.captions())));
    encoders.forEach(encoder -> feeds.putAll(encoder.data(pairs.captions())));
    return feeds;
  }

  @Override
  public void constrain(Map<String, Tensor> parameters) {
    ContrastiveObjective.clampScale(parameters);
  }

  /** The mean cosine of pictures and their captions. */
  @Override
  public void observe(Map<String, Feed> batch, Map<String, Tensor> outputs, Meter meter) {
    Tensor images = outputs.get(ContrastiveObjective.IMAGE_FEATURES);
    for (TrainedEncoder encoder : encoders) {
      Tensor texts = outputs.get(encoder.tower().prefix() + ContrastiveObjective.TEXT_FEATURES);
      meter.add("alignment " + encoder.name(), mean(ClipScorer.alignment(images, texts)));
    }
  }

  private static double mean(double[] values) {
    return Arrays.stream(values).average().orElseThrow();
  }

  private PairEvaluation evaluation(Map<String, Tensor> parameters) {
    return new PairEvaluation(image, encoders, parameters, batchSize(), backend);
  }

  /**
   * The loss of held-out pairs. Of each encoder: {@code alignment}, the mean cosine of pairs;
   * {@code caption accuracy}, the share of pictures whose own caption is the nearest of all
   * held-out ones; {@code zero-shot accuracy}, see {@link LabelledPictures}. Besides, {@code
   * scale}, the learned one.
   */
  @Override
  public Validation validate(Map<String, Tensor> parameters) {
    try (PairEvaluation evaluation = evaluation(parameters)) {
      PairEvaluation.Features pairs = evaluation.run(heldOut.pixels(), heldOut.captions());
      Map<String, Double> details = new LinkedHashMap<>();
      List<String> captions = heldOut.captions().stream().distinct().toList();
      int[] own = heldOut.captions().stream().mapToInt(captions::indexOf).toArray();
      Map<String, Tensor> captionFeatures = evaluation.texts(captions);
      for (TrainedEncoder encoder : encoders) {
        String name = encoder.name();
        details.put(
            "alignment " + name,
            mean(ClipScorer.alignment(pairs.images(), pairs.texts().get(name))));
        details.put(
            "caption accuracy " + name,
            LabelledPictures.share(
                ClipScorer.classify(pairs.images(), captionFeatures.get(name)), own));
      }
      labelled.ifPresent(pictures -> details.putAll(zeroShot(evaluation, pictures)));
      details.put("scale", Math.exp(parameters.get(ContrastiveObjective.LOGIT_SCALE).data()[0]));
      double loss = pairs.losses().stream().mapToDouble(l -> l).average().orElseThrow();
      return new Validation(loss, details);
    }
  }

  private Map<String, Double> zeroShot(PairEvaluation evaluation, LabelledPictures pictures) {
    Map<String, Tensor> classes = evaluation.texts(pictures.captions());
    List<String> unused =
        IntStream.of(pictures.labels()).mapToObj(pictures.captions()::get).toList();
    Tensor images = evaluation.run(pictures.pixels(), unused).images();
    Map<String, Double> accuracies = new LinkedHashMap<>();
    for (TrainedEncoder encoder : encoders) {
      accuracies.put(
          "zero-shot accuracy " + encoder.name(),
          pictures.accuracy(ClipScorer.classify(images, classes.get(encoder.name()))));
    }
    return accuracies;
  }

  /** Held-out pictures, and beside each its cosines with all their captions, white the largest. */
  @Override
  public List<String> sample(Path folder, Map<String, Tensor> parameters) throws IOException {
    int shown = Math.min(settings.number(ClipKeys.PICTURES), heldOut.captions().size());
    List<String> captions = heldOut.captions().subList(0, shown);
    int side = settings.number(DataKeys.SIZE);
    int pixels = 3 * side * side;
    Tensor pictures =
        Tensor.of(Arrays.copyOf(heldOut.pixels().data(), shown * pixels), shown, 3, side, side);
    Picture sheet;
    try (PairEvaluation evaluation = evaluation(parameters)) {
      PairEvaluation.Features features = evaluation.run(pictures, captions);
      sheet =
          SimilaritySheet.of(
              pictures, features.images(), features.texts().get(encoders.getFirst().name()));
    }
    String name = "similarity.png";
    PngFile.write(
        folder.resolve(name),
        sheet,
        Map.of("Description", "cosines with the captions: " + String.join("; ", captions)));
    return List.of(name);
  }

  /**
   * The encoders in diffusers' places, with what the base has besides; and in {@value #PAIR} the
   * image tower with CLIP-L as transformers' CLIPModel.
   */
  @Override
  public void writeModel(Path folder, Map<String, Tensor> parameters) throws IOException {
    Set<String> without = new TreeSet<>(REPLACED);
    encoders.forEach(encoder -> without.add(encoder.part().folder()));
    ModelFolder.copyParts(base, folder, without);
    for (TrainedEncoder encoder : encoders) {
      ModelFolder.writeEncoder(
          folder, encoder.part().folder(), encoder.trained(parameters), encoder.config());
    }
    ModelFolder.writeIndex(folder);
    TrainedEncoder text = encoders.getFirst();
    Path tokenizer = base.resolve(text.part().tokenizerFolder());
    ModelFolder.copyParts(tokenizer, Files.createDirectory(folder.resolve(PAIR)), Set.of());
    ClipPairFiles.write(
        folder.resolve(PAIR),
        text,
        image.config(),
        new ValueWeights(imageWeights, parameters),
        parameters);
  }

  @Override
  public void close() {
    encoders.forEach(TrainedEncoder::close);
  }
}
