package org.rectiflow.trainer.transformer;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.rectiflow.datasets.Dataset;
import org.rectiflow.encoders.PromptEmbedding;
import org.rectiflow.encoders.PromptEncoder;
import org.rectiflow.encoders.Prompts;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.WeightSource;
import org.rectiflow.mmdit.MmditConfig;
import org.rectiflow.mmdit.PositionTable;
import org.rectiflow.pipeline.Progress;
import org.rectiflow.pipeline.TextToImage;
import org.rectiflow.pipeline.checkpoint.Checkpoint;
import org.rectiflow.pipeline.checkpoint.DiffusersFolder;
import org.rectiflow.pipeline.checkpoint.Part;
import org.rectiflow.scheduler.formulation.Formulation;
import org.rectiflow.trainer.LoopKeys;
import org.rectiflow.trainer.Task;
import org.rectiflow.trainer.TaskFactory;
import org.rectiflow.trainer.cache.EncodingCache;
import org.rectiflow.trainer.cache.EncodingCost;
import org.rectiflow.trainer.config.Key;
import org.rectiflow.trainer.config.Settings;
import org.rectiflow.trainer.data.DataKeys;
import org.rectiflow.trainer.data.DataSources;
import org.rectiflow.trainer.data.EncodedData;
import org.rectiflow.trainer.data.Encodings;
import org.rectiflow.training.InitialRule;
import org.rectiflow.training.InitialValues;
import org.rectiflow.training.TransformerObjective;
import org.rectiflow.vae.Autoencoder;

/** Opens what {@code task = "transformer"} needs. */
public final class TransformerTaskFactory implements TaskFactory {
  /** SD3's table of positions has 192 a side, its largest training pictures 64 tokens. */
  private static final int POSITIONS_PER_TRAINED = 3;

  @Override
  public String name() {
    return "transformer";
  }

  @Override
  public String description() {
    return "a text-to-image transformer on pictures and captions, alone or with its text encoders";
  }

  @Override
  public List<Key<?>> keys() {
    List<Key<?>> keys = new ArrayList<>(DataKeys.ALL);
    keys.addAll(TransformerKeys.ALL);
    return keys;
  }

  @Override
  public Task open(Settings settings, Backend backend, Progress progress) {
    Checkpoint base = base(settings);
    try {
      return open(settings, backend, progress, base);
    } catch (RuntimeException e) {
      base.close();
      throw e;
    }
  }

  private static Checkpoint base(Settings settings) {
    return DiffusersFolder.open(BaseFolder.of(settings, TransformerKeys.BASE));
  }

  private static Task open(Settings settings, Backend backend, Progress progress, Checkpoint base) {
    TextToImage pipeline = TextToImage.withoutTransformer(base, backend);
    int side = settings.number(DataKeys.SIZE);
    checkSide(settings, side, pipeline.vaeConfig().factor());
    Dataset training = DataSources.training(settings);
    Dataset heldOut =
        DataSources.heldOut(settings, settings.number(TransformerKeys.VALIDATION_SAMPLES));
    Autoencoder vae = new Autoencoder(pipeline.vaeConfig(), base.require(Part.VAE));
    TransformerTask.TransformerData data;
    int clipTokens;
    PromptEmbedding.Layout layout;
    try (PromptEncoder encoders =
        pipeline.encoders(settings.number(TransformerKeys.T5_TOKENS), Set.of())) {
      PromptParts parts = PromptParts.of(encoders.encode(Prompts.all("")));
      clipTokens = parts.clipTokens();
      layout = encoders.layout();
      List<Dataset> both = List.of(training, heldOut);
      List<EncodingCost> costs = new ArrayList<>();
      List<EncodedData> encoded =
          settings.get(DataKeys.CACHE).isEmpty()
              ? both.stream()
                  .<EncodedData>map(
                      one -> Encodings.of(one, side, vae, encoders, backend, progress))
                  .toList()
              : cached(settings, both, base, pipeline, backend, progress, costs);
      data =
          new TransformerTask.TransformerData(
              encoded.get(0), encoded.get(1), parts, samples(settings, encoders, side), costs);
    }
    TransformerTask.Network network =
        network(settings, pipeline, side / pipeline.vaeConfig().factor(), clipTokens);
    TrainedEncoders trained =
        TrainedEncoders.of(
            TransformerKeys.trained(settings), base, layout, settings.number(LoopKeys.BATCH));
    return new TransformerTask(settings, backend, base, pipeline, network, data, trained);
  }

  /** Encodes with frozen networks, each network only what the cache has not; adds the costs. */
  private static List<EncodedData> cached(
      Settings settings,
      List<Dataset> data,
      Checkpoint base,
      TextToImage pipeline,
      Backend backend,
      Progress progress,
      List<EncodingCost> costs) {
    EncodingCache cache =
        EncodingCache.open(
            Path.of(settings.get(DataKeys.CACHE)),
            base,
            pipeline,
            settings.number(TransformerKeys.T5_TOKENS));
    List<EncodedData> encoded = new ArrayList<>();
    for (Dataset one : data) {
      encoded.add(cache.encode(one, settings.number(DataKeys.SIZE), backend, progress));
    }
    costs.addAll(cache.costs());
    progress.note(EncodingCost.table(costs));
    return encoded;
  }

  private static void checkSide(Settings settings, int side, int factor) {
    int step = factor * settings.number(TransformerKeys.PATCH);
    if (side % step != 0) {
      throw settings.problem(
          DataKeys.SIZE,
          "%d pixels do not divide into tokens of %d (the autoencoder's factor %d times model.patch_size)"
              .formatted(side, step, factor));
    }
  }

  private static SamplePictures samples(Settings settings, PromptEncoder encoders, int side) {
    return SamplePictures.of(
        settings.get(TransformerKeys.PROMPTS),
        settings.get(TransformerKeys.SAMPLE_UNCONDITIONAL).equals("zeros"),
        encoders,
        Formulation.parse(settings.get(TransformerKeys.FORMULATION)),
        new SamplePictures.Choices(
            side,
            settings.number(TransformerKeys.SAMPLE_STEPS),
            settings.get(TransformerKeys.SAMPLE_GUIDANCE),
            settings.get(TransformerKeys.SAMPLE_SHIFT),
            settings.get(TransformerKeys.SAMPLE_SEED)));
  }

  private static TransformerTask.Network network(
      Settings settings, TextToImage like, int latentSide, int clipTokens) {
    Backbone backbone = backbone(settings);
    String from = settings.get(TransformerKeys.FROM);
    return from.isEmpty()
        ? fromNothing(settings, backbone, like, latentSide, clipTokens)
        : fromModel(settings, backbone, like, Path.of(from), clipTokens);
  }

  private static Backbone backbone(Settings settings) {
    String name = settings.get(TransformerKeys.BACKBONE);
    List<Backbone> all = Backbone.all();
    return all.stream()
        .filter(b -> b.name().equals(name))
        .findFirst()
        .orElseThrow(() ->
            settings.problem(
                TransformerKeys.BACKBONE,
                "there is no backbone %s, only %s"
                    .formatted(
                        name, all.stream().map(Backbone::name).collect(Collectors.joining(", ")))));
  }

  private static TransformerTask.Network fromNothing(
      Settings settings, Backbone backbone, TextToImage like, int latentSide, int clipTokens) {
    int depth = settings.number(TransformerKeys.DEPTH);
    int asked = settings.number(TransformerKeys.WIDTH);
    int width = asked == 0 ? depth * MmditConfig.HEAD_SIZE : asked;
    int dual = settings.number(TransformerKeys.DUAL);
    if (dual > depth) {
      throw settings.problem(
          TransformerKeys.DUAL, "there are %d blocks, %d cannot be dual".formatted(depth, dual));
    }
    int patch = settings.number(TransformerKeys.PATCH);
    int trained = latentSide / patch;
    int positions = settings.number(TransformerKeys.POSITIONS);
    int table = positions == 0 ? POSITIONS_PER_TRAINED * trained : positions;
    if (table < trained) {
      throw settings.problem(
          TransformerKeys.POSITIONS,
          "a table of %d a side is smaller than the %d tokens a side of the training pictures"
              .formatted(table, trained));
    }
    MmditConfig config =
        new MmditConfig(
            depth,
            width,
            width / MmditConfig.HEAD_SIZE,
            like.vaeConfig().latentChannels(),
            patch,
            like.contextWidth(),
            like.pooledWidth(),
            table,
            settings.get(TransformerKeys.QK_NORM),
            IntStream.range(0, dual).boxed().collect(Collectors.toSet()));
    InitialRule rule =
        settings.get(TransformerKeys.INIT).equals("torch")
            ? InitialRule.torch(_ -> false)
            : InitialRule.dit(backbone::embedsConditioning, backbone::beginsAtZero);
    InitialValues weights =
        new InitialValues(
            rule,
            settings.get(LoopKeys.SEED),
            Map.of(TransformerObjective.POSITIONS, PositionTable.of(table, trained, width)));
    return new TransformerTask.Network(backbone, config, clipTokens, weights);
  }

  private static TransformerTask.Network fromModel(
      Settings settings, Backbone backbone, TextToImage like, Path from, int clipTokens) {
    if (!Files.exists(from)) {
      throw settings.problem(TransformerKeys.FROM, "there is no model " + from.toAbsolutePath());
    }
    try (Checkpoint checkpoint = Checkpoint.open(from)) {
      WeightSource stored = checkpoint.require(Part.TRANSFORMER);
      MmditConfig config = MmditConfig.of(stored);
      requireSame(settings, TransformerKeys.DEPTH, config.depth());
      requireSame(settings, TransformerKeys.PATCH, config.patchSize());
      if (settings.says(TransformerKeys.QK_NORM)
          && settings.get(TransformerKeys.QK_NORM) != config.qkNorm()) {
        throw settings.problem(
            TransformerKeys.QK_NORM, "%s has it %s".formatted(from, config.qkNorm()));
      }
      if (config.latentChannels() != like.vaeConfig().latentChannels()
          || config.contextWidth() != like.contextWidth()
          || config.pooledWidth() != like.pooledWidth()) {
        throw settings.problem(
            TransformerKeys.FROM,
            "its transformer has latents of %d channels, contexts of %d and pooled embeddings of %d; model.base has %d, %d and %d"
                .formatted(
                    config.latentChannels(),
                    config.contextWidth(),
                    config.pooledWidth(),
                    like.vaeConfig().latentChannels(),
                    like.contextWidth(),
                    like.pooledWidth()));
      }
      return new TransformerTask.Network(
          backbone, config, clipTokens, InitialValues.copyOf(stored));
    }
  }

  private static void requireSame(Settings settings, Key<Long> key, int found) {
    if (settings.says(key) && settings.get(key) != found) {
      throw settings.problem(
          key, "the model in model.from has %d; leave the key out".formatted(found));
    }
  }
}
