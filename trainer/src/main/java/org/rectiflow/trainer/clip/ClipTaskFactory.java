package org.rectiflow.trainer.clip;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.rectiflow.encoders.ClipConfig;
import org.rectiflow.encoders.ClipTextModel;
import org.rectiflow.encoders.ClipVisionConfig;
import org.rectiflow.encoders.ClipVisionModel;
import org.rectiflow.encoders.PixelNorm;
import org.rectiflow.encoders.T5Config;
import org.rectiflow.encoders.T5Encoder;
import org.rectiflow.encoders.tokenizer.PromptTokenizer;
import org.rectiflow.engine.Activation;
import org.rectiflow.engine.Backend;
import org.rectiflow.pipeline.Progress;
import org.rectiflow.pipeline.checkpoint.Checkpoint;
import org.rectiflow.pipeline.checkpoint.DiffusersFolder;
import org.rectiflow.pipeline.checkpoint.Part;
import org.rectiflow.pipeline.convert.DiffusersConfigs;
import org.rectiflow.trainer.LoopKeys;
import org.rectiflow.trainer.Task;
import org.rectiflow.trainer.TaskFactory;
import org.rectiflow.trainer.config.Key;
import org.rectiflow.trainer.config.Settings;
import org.rectiflow.trainer.data.DataKeys;
import org.rectiflow.trainer.data.DataSources;
import org.rectiflow.trainer.transformer.BaseFolder;
import org.rectiflow.training.EncoderRules;
import org.rectiflow.training.InitialRule;
import org.rectiflow.training.InitialValues;
import org.rectiflow.training.TextTower;

/** Opens what {@code task = "clip"} needs. */
public final class ClipTaskFactory implements TaskFactory {
  private static final int MLP_RATIO = 4;
  private static final float EPS = 1e-5f;

  @Override
  public String name() {
    return "clip";
  }

  @Override
  public String description() {
    return "text encoders and an image tower, contrastively on pictures and captions";
  }

  @Override
  public List<Key<?>> keys() {
    List<Key<?>> keys = new ArrayList<>(DataKeys.ALL);
    keys.addAll(ClipKeys.ALL);
    return keys;
  }

  @Override
  public Task open(Settings settings, Backend backend, Progress progress) {
    List<String> names = settings.get(ClipKeys.ENCODERS);
    if (!names.contains(ClipKeys.CLIP_L) || names.stream().distinct().count() < names.size()) {
      throw settings.problem(
          ClipKeys.ENCODERS, "clip_l has to be among them, and each of them once, found " + names);
    }
    int batch = settings.number(LoopKeys.BATCH);
    if (settings.number(ClipKeys.VALIDATION_SAMPLES) < batch) {
      throw settings.problem(
          ClipKeys.VALIDATION_SAMPLES, "it has to be at least the batch, %d".formatted(batch));
    }
    Path folder = BaseFolder.of(settings, ClipKeys.BASE);
    List<TrainedEncoder> encoders = new ArrayList<>();
    try (Checkpoint base = DiffusersFolder.open(folder)) {
      ClipConfig first = base.clipConfig(Part.CLIP_L);
      encoders.add(clip(settings, base, Part.CLIP_L, ClipKeys.CLIP_L, ""));
      if (names.contains(ClipKeys.CLIP_G)) {
        requireWidth(settings, base.clipConfig(Part.CLIP_G), first);
        encoders.add(
            clip(settings, base, Part.CLIP_G, ClipKeys.CLIP_G, Part.CLIP_G.folder() + "."));
      }
      if (names.contains(ClipKeys.T5)) {
        encoders.add(t5(settings, base, first.pooledWidth()));
      }
      ClipVisionConfig vision = vision(settings, first.pooledWidth());
      InitialValues weights =
          new InitialValues(EncoderRules.clipVision(vision), settings.get(LoopKeys.SEED), Map.of());
      return new ClipTask(
          settings,
          backend,
          folder,
          new ClipVisionModel(vision, weights),
          weights,
          encoders,
          DataSources.training(settings),
          DataSources.heldOut(settings, settings.number(ClipKeys.VALIDATION_SAMPLES)));
    } catch (RuntimeException e) {
      encoders.forEach(TrainedEncoder::close);
      throw e;
    }
  }

  private static void requireWidth(Settings settings, ClipConfig clipG, ClipConfig clipL) {
    if (clipG.pooledWidth() != clipL.pooledWidth()) {
      throw settings.problem(
          ClipKeys.ENCODERS,
          "the base's CLIP-L has features of %d channels, its CLIP-G of %d; one image tower can be paired with encoders of one width only"
              .formatted(clipL.pooledWidth(), clipG.pooledWidth()));
    }
  }

  private static TrainedEncoder clip(
      Settings settings, Checkpoint base, Part part, String name, String prefix) {
    ClipConfig config = base.clipConfig(part);
    PromptTokenizer tokenizer = PromptTokenizer.clip(base.requireTokenizer(part));
    int tokens = Math.min(config.positions(), tokenizer.maxLength().orElse(config.positions()));
    // Different seeds, or two encoders of equal sizes would begin, and stay, alike.
    InitialValues weights =
        new InitialValues(
            EncoderRules.clipText(config), settings.get(LoopKeys.SEED) + part.ordinal(), Map.of());
    TextTower tower =
        TextTower.clip(
            prefix, new ClipTextModel(config, weights), settings.number(LoopKeys.BATCH), tokens);
    return new TrainedEncoder(
        part, name, tower, tokenizer, weights, DiffusersConfigs.clip(part, config));
  }

  private static TrainedEncoder t5(Settings settings, Checkpoint base, int featureWidth) {
    T5Config config = base.t5Config();
    PromptTokenizer tokenizer = PromptTokenizer.t5(base.requireTokenizer(Part.T5));
    int asked = settings.number(ClipKeys.T5_TOKENS);
    int tokens = Math.min(asked, tokenizer.maxLength().orElse(asked));
    long seed = settings.get(LoopKeys.SEED);
    InitialValues weights = new InitialValues(EncoderRules.t5(config), seed, Map.of());
    TextTower tower =
        TextTower.t5(
            Part.T5.folder() + ".",
            new T5Encoder(config, weights),
            new InitialValues(InitialRule.torch(_ -> false), seed, Map.of()),
            featureWidth,
            settings.number(LoopKeys.BATCH),
            tokens);
    return new TrainedEncoder(
        Part.T5, ClipKeys.T5, tower, tokenizer, weights, DiffusersConfigs.t5(config));
  }

  private static ClipVisionConfig vision(Settings settings, int featureWidth) {
    int width = settings.number(ClipKeys.WIDTH);
    int patch = settings.number(ClipKeys.PATCH);
    int size = settings.number(DataKeys.SIZE);
    if (width % ClipConfig.HEAD_SIZE != 0) {
      throw settings.problem(
          ClipKeys.WIDTH, "%d is no multiple of %d".formatted(width, ClipConfig.HEAD_SIZE));
    }
    if (size % patch != 0) {
      throw settings.problem(
          ClipKeys.PATCH,
          "pictures of %d pixels do not divide into patches of %d".formatted(size, patch));
    }
    return new ClipVisionConfig(
        size,
        patch,
        width,
        settings.number(ClipKeys.LAYERS),
        width / ClipConfig.HEAD_SIZE,
        MLP_RATIO * width,
        Activation.QUICK_GELU,
        EPS,
        featureWidth,
        PixelNorm.SYMMETRIC);
  }
}
