package org.rectiflow.trainer.transformer;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.random.RandomGenerator;
import org.rectiflow.encoders.PromptEncoder;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Recompute;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.WeightSource;
import org.rectiflow.mmdit.MmditConfig;
import org.rectiflow.mmdit.VelocityModel;
import org.rectiflow.pipeline.TextToImage;
import org.rectiflow.pipeline.checkpoint.Checkpoint;
import org.rectiflow.pipeline.convert.DiffusersConfigs;
import org.rectiflow.scheduler.FlowMatchConfig;
import org.rectiflow.scheduler.formulation.Formulation;
import org.rectiflow.trainer.AttentionStatistics;
import org.rectiflow.trainer.LoopKeys;
import org.rectiflow.trainer.Meter;
import org.rectiflow.trainer.Task;
import org.rectiflow.trainer.cache.EncodingCost;
import org.rectiflow.trainer.config.Key;
import org.rectiflow.trainer.config.Settings;
import org.rectiflow.trainer.data.Encoded;
import org.rectiflow.trainer.data.EncodedData;
import org.rectiflow.trainer.data.EpochOrder;
import org.rectiflow.trainer.data.Randoms;
import org.rectiflow.training.Objective;
import org.rectiflow.training.PromptTower.Encoder;
import org.rectiflow.training.TransformerObjective;

/**
 * Trains a transformer on encoded pictures and captions, alone or with text encoders; the
 * autoencoder stays as it is.
 */
final class TransformerTask implements Task {
  private final Settings settings;
  private final Backend backend;
  private final Network network;
  private final TransformerData data;
  private final TrainedEncoders encoders;
  private final Formulation formulation;
  private final TextToImage pipeline;
  private final Checkpoint base;
  private final EpochOrder order;

  /**
   * The network that is trained.
   *
   * @param backbone its kind
   * @param config its sizes
   * @param weights all its tensors as they begin, in the shapes of the checkpoint
   */
  record Network(Backbone backbone, MmditConfig config, int clipTokens, WeightSource weights) {
    VelocityModel model(WeightSource values) {
      return backbone.model(config, clipTokens, values);
    }
  }

  /**
   * What it is trained on.
   *
   * @param parts which part of a prompt is whose
   * @param costs of the encoding, if it is kept
   */
  record TransformerData(
      EncodedData training,
      EncodedData heldOut,
      PromptParts parts,
      SamplePictures samples,
      List<EncodingCost> costs) {}

  TransformerTask(
      Settings settings,
      Backend backend,
      Checkpoint base,
      TextToImage pipeline,
      Network network,
      TransformerData data,
      TrainedEncoders encoders) {
    this.encoders = encoders;
    this.settings = settings;
    this.backend = backend;
    this.base = base;
    this.pipeline = pipeline;
    this.network = network;
    this.data = data;
    formulation = Formulation.parse(settings.get(TransformerKeys.FORMULATION));
    order = new EpochOrder(settings.get(LoopKeys.SEED), data.training().size());
  }

  @Override
  public Objective objective(Recompute recompute) {
    Encoded like = data.training().get(0);
    return TransformerObjective.of(
        network.model(network.weights()),
        batchSize(),
        like.latent().shape().dim(2),
        like.latent().shape().dim(3),
        like.prompt().context().shape().dim(1),
        name -> !name.equals(TransformerObjective.POSITIONS),
        recompute,
        encoders.towers(data.parts()));
  }

  @Override
  public int batchSize() {
    return settings.number(LoopKeys.BATCH);
  }

  @Override
  public Map<String, Feed> batch(long step, int part) {
    int size = batchSize();
    long parts = settings.get(LoopKeys.ACCUMULATION);
    long first = ((step - 1) * parts + part) * size;
    NoisedBatch batch = new NoisedBatch(formulation, size, data.training().get(0));
    boolean[][] dropped = new boolean[Encoder.values().length][size];
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < size; i++) {
      long sample = first + i;
      RandomGenerator random = Randoms.of(settings.get(LoopKeys.SEED), "sample", sample);
      double t = formulation.density().sample(random);
      double[] chances = random.doubles(Encoder.values().length).toArray();
      Encoded example = data.training().get(order.at(sample));
      batch.put(i, example, t, random);
      boolean all = true;
      for (Encoder encoder : Encoder.values()) {
        boolean drop = chances[encoder.ordinal()] < settings.get(dropout(encoder));
        dropped[encoder.ordinal()][i] = drop;
        all &= drop;
        if (drop) {
          batch.drop(data.parts(), encoder, i);
        }
      }
      // Drawn last, so that a run without it has the numbers that it had before the key existed.
      boolean nothing = random.nextDouble() < settings.get(TransformerKeys.DROP_ALL) || all;
      if (nothing) {
        batch.prompt(data.samples().unconditional(), i);
        for (boolean[] encoder : dropped) {
          encoder[i] = data.samples().zeros();
        }
      }
      texts.add(nothing ? "" : example.caption());
    }
    Map<String, Feed> feeds = batch.feeds();
    feeds.putAll(encoders.data(texts, dropped));
    return feeds;
  }

  private static Key<Double> dropout(Encoder encoder) {
    return switch (encoder) {
      case CLIP_L -> TransformerKeys.DROP_CLIP_L;
      case CLIP_G -> TransformerKeys.DROP_CLIP_G;
      case T5 -> TransformerKeys.DROP_T5;
    };
  }

  @Override
  public void observe(Map<String, Feed> batch, Map<String, Tensor> outputs, Meter meter) {
    float[] losses = outputs.get("losses").data();
    float[] timesteps = ((Feed.Floats) batch.get("timestep")).tensor().data();
    for (int i = 0; i < losses.length; i++) {
      int bins = TransformerValidation.LEVELS;
      int bin = (int) (timesteps[i] / NoisedBatch.TRAIN_TIMESTEPS * bins);
      meter.add("t" + Math.clamp(bin, 0, bins - 1), losses[i]);
    }
  }

  /** The column of Table 7 that needs a step's time. */
  @Override
  public Optional<String> conclusion(double samplesPerSecond) {
    return data.costs().stream().anyMatch(cost -> cost.encoded() > 0)
        ? Optional.of(EncodingCost.table(data.costs(), samplesPerSecond))
        : Optional.empty();
  }

  @Override
  public Validation validate(Map<String, Tensor> parameters) {
    return new TransformerValidation(
            network.model(network.weights()),
            formulation,
            encoders.encoded(data.heldOut(), parameters, backend),
            backend)
        .run(encoders.others(parameters));
  }

  @Override
  public Optional<AttentionStatistics> attention(Map<String, Tensor> parameters) {
    int samples = settings.number(TransformerKeys.ATTENTION_SAMPLES);
    return samples == 0
        ? Optional.empty()
        : Optional.of(
            AttentionProbe.of(
                network.model(network.weights()),
                formulation,
                encoders.encoded(data.heldOut(), parameters, backend),
                samples,
                backend,
                encoders.others(parameters)));
  }

  @Override
  public List<String> sample(Path folder, Map<String, Tensor> parameters) throws IOException {
    VelocityModel model = network.model(new ValueWeights(network.weights(), parameters));
    return samples(parameters).draw(folder, pipeline, model, backend);
  }

  private SamplePictures samples(Map<String, Tensor> parameters) {
    if (encoders.isEmpty()) {
      return data.samples();
    }
    try (PromptEncoder encoder = encoders.encoder(parameters, backend)) {
      return data.samples().with(encoder);
    }
  }

  @Override
  public void writeModel(Path folder, Map<String, Tensor> parameters) throws IOException {
    Set<String> replaced = new TreeSet<>(encoders.folders());
    replaced.addAll(List.of("transformer", "scheduler", "rectiflow.json", "training"));
    ModelFolder.copyParts(base.path(), folder, replaced);
    encoders.write(folder, parameters);
    Map<String, Object> config =
        new LinkedHashMap<>(
            DiffusersConfigs.transformer(
                network.config(), data.training().get(0).latent().shape().dim(3)));
    if (!(network.backbone() instanceof MmditBackbone)) {
      config.put("_class_name", "Rectiflow " + network.backbone().name());
    }
    ModelFolder.writePart(
        folder, "transformer", new ValueWeights(network.weights(), parameters), config);
    double shift = settings.get(TransformerKeys.SAMPLE_SHIFT);
    ModelFolder.writeJson(
        folder.resolve("scheduler/scheduler_config.json"),
        DiffusersConfigs.scheduler(FlowMatchConfig.builder().shift(shift).build()));
    Map<String, Object> defaults = new LinkedHashMap<>();
    defaults.put("steps", settings.get(TransformerKeys.SAMPLE_STEPS));
    defaults.put("guidance", settings.get(TransformerKeys.SAMPLE_GUIDANCE));
    defaults.put("formulation", formulation.name());
    defaults.put("unconditional", settings.get(TransformerKeys.SAMPLE_UNCONDITIONAL));
    ModelFolder.writeJson(folder.resolve("rectiflow.json"), defaults);
  }

  @Override
  public void close() {
    encoders.close();
    data.training().close();
    data.heldOut().close();
    base.close();
  }
}
