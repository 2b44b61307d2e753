package org.rectiflow.trainer.autoencoder;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.CheckpointException;
import org.rectiflow.engine.WeightSource;
import org.rectiflow.pipeline.Progress;
import org.rectiflow.pipeline.checkpoint.Checkpoint;
import org.rectiflow.pipeline.checkpoint.ClipFolder;
import org.rectiflow.pipeline.checkpoint.Part;
import org.rectiflow.trainer.LoopKeys;
import org.rectiflow.trainer.Task;
import org.rectiflow.trainer.TaskFactory;
import org.rectiflow.trainer.config.Key;
import org.rectiflow.trainer.config.Settings;
import org.rectiflow.trainer.data.DataKeys;
import org.rectiflow.trainer.data.DataSources;
import org.rectiflow.trainer.transformer.BaseFolder;
import org.rectiflow.training.InitialRule;
import org.rectiflow.training.InitialValues;
import org.rectiflow.training.PerceptualTerm;
import org.rectiflow.vae.Autoencoder;
import org.rectiflow.vae.VaeConfig;

/** Opens what {@code task = "autoencoder"} needs. */
public final class AutoencoderTaskFactory implements TaskFactory {

  @Override
  public String name() {
    return "autoencoder";
  }

  @Override
  public String description() {
    return "the autoencoder that makes latents of pictures, on pictures alone";
  }

  @Override
  public List<Key<?>> keys() {
    List<Key<?>> keys = new ArrayList<>(DataKeys.ALL);
    keys.addAll(AutoencoderKeys.ALL);
    return keys;
  }

  @Override
  public Task open(Settings settings, Backend backend, Progress progress) {
    Path base = BaseFolder.of(settings, AutoencoderKeys.BASE);
    String from = settings.get(AutoencoderKeys.FROM);
    VaeConfig config;
    WeightSource weights;
    if (from.isEmpty()) {
      config = config(settings);
      weights =
          new InitialValues(InitialRule.torch(_ -> false), settings.get(LoopKeys.SEED), Map.of());
    } else {
      Path path = Path.of(from);
      if (!Files.exists(path)) {
        throw settings.problem(AutoencoderKeys.FROM, "there is no model " + path.toAbsolutePath());
      }
      try (Checkpoint checkpoint = Checkpoint.open(path)) {
        config = plain(checkpoint.vaeConfig());
        weights = InitialValues.copyOf(checkpoint.require(Part.VAE));
      }
      if (settings.says(AutoencoderKeys.CHANNELS)
          && settings.number(AutoencoderKeys.CHANNELS) != config.latentChannels()) {
        throw settings.problem(
            AutoencoderKeys.CHANNELS,
            "the model in model.from has %d; leave the key out".formatted(config.latentChannels()));
      }
    }
    int side = settings.number(DataKeys.SIZE);
    if (side % config.factor() != 0) {
      throw settings.problem(
          DataKeys.SIZE,
          "%d pixels do not divide by %d, which %d widths make of a picture's side"
              .formatted(side, config.factor(), config.widths().size()));
    }
    // The initial values come into being when a graph asks for them: before the first checkpoint.
    Autoencoder model = new Autoencoder(config, weights);
    model.encoder(1, side, side);
    model.decoder(1, side / config.factor(), side / config.factor());
    Optional<ClipFolder> judge = judge(settings);
    return new AutoencoderTask(
        settings,
        backend,
        base,
        new AutoencoderTask.Network(
            config,
            weights,
            judge.map(clip ->
                new PerceptualTerm(
                    clip.vision(), settings.get(AutoencoderKeys.PERCEPTUAL).floatValue())),
            () -> judge.ifPresent(ClipFolder::close)),
        DataSources.training(settings),
        DataSources.heldOut(settings, settings.number(AutoencoderKeys.VALIDATION_SAMPLES)));
  }

  private static VaeConfig config(Settings settings) {
    try {
      return new VaeConfig(
          settings.number(AutoencoderKeys.CHANNELS),
          settings.get(AutoencoderKeys.WIDTHS).stream().map(Math::toIntExact).toList(),
          settings.number(AutoencoderKeys.LAYERS),
          settings.number(AutoencoderKeys.GROUPS),
          1,
          0);
    } catch (CheckpointException _) {
      throw settings.problem(
          AutoencoderKeys.WIDTHS,
          "%s do not all divide into %d groups (model.groups)"
              .formatted(
                  settings.get(AutoencoderKeys.WIDTHS), settings.get(AutoencoderKeys.GROUPS)));
    }
  }

  private static VaeConfig plain(VaeConfig c) {
    return new VaeConfig(c.latentChannels(), c.widths(), c.layersPerBlock(), c.groups(), 1, 0);
  }

  private static Optional<ClipFolder> judge(Settings settings) {
    String folder = settings.get(AutoencoderKeys.PERCEPTUAL_NETWORK);
    boolean wanted = settings.get(AutoencoderKeys.PERCEPTUAL) > 0;
    if (wanted && folder.isEmpty()) {
      throw settings.problem(
          AutoencoderKeys.PERCEPTUAL,
          "the perceptual term needs loss.perceptual_network, the folder of a CLIP pair");
    }
    if (!wanted && !folder.isEmpty()) {
      throw settings.problem(
          AutoencoderKeys.PERCEPTUAL_NETWORK, "without loss.perceptual it is of no use");
    }
    if (!wanted) {
      return Optional.empty();
    }
    ClipFolder clip = ClipFolder.open(Path.of(folder));
    int size = clip.vision().config().imageSize();
    if (size != settings.number(DataKeys.SIZE)) {
      clip.close();
      throw settings.problem(
          AutoencoderKeys.PERCEPTUAL_NETWORK,
          "it sees pictures of %d pixels, the run trains on %d"
              .formatted(size, settings.number(DataKeys.SIZE)));
    }
    return Optional.of(clip);
  }
}
