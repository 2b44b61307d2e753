package org.rectiflow.trainer.autoencoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Executable;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Tensor;
import org.rectiflow.pipeline.checkpoint.DiffusersFolder;
import org.rectiflow.pipeline.checkpoint.Part;
import org.rectiflow.pipeline.io.UserException;
import org.rectiflow.trainer.RunContents;
import org.rectiflow.trainer.ShortRun;
import org.rectiflow.trainer.clip.ClipTaskFactory;
import org.rectiflow.trainer.config.Settings;
import org.rectiflow.trainer.data.DataSources;
import org.rectiflow.trainer.data.PixelBatch;
import org.rectiflow.trainer.transformer.TransformerTaskFactory;
import org.rectiflow.training.LatentStatistics;
import org.rectiflow.vae.Autoencoder;
import org.rectiflow.vae.LatentSpace;

class AutoencoderTaskTest {
  private static final String BASE = "../testdata/models/shapes";
  private static final String[] RUN = {
    "task = \"autoencoder\"",
    "steps = 2",
    "batch = 3",
    "log.every = 1",
    "ema.every = 0",
    "optimizer.warmup = 0",
    "data.samples = 9",
    "data.size = 32",
    "latents.samples = 9",
    "validation.every = 2",
    "validation.samples = 3",
    "samples.every = 2",
    "samples.pictures = 2",
    "model.base = \"" + BASE + "\"",
    "model.widths = [4, 8, 8]",
    "model.groups = 2",
    "model.latent_channels = 4",
  };

  @TempDir Path temp;

  private static Settings settings(String... more) {
    String[] lines = Arrays.copyOf(RUN, RUN.length + more.length);
    System.arraycopy(more, 0, lines, RUN.length, more.length);
    return ShortRun.settings(new AutoencoderTaskFactory(), lines);
  }

  private Path train(String name, Settings settings, int threads) throws IOException {
    return ShortRun.train(new AutoencoderTaskFactory(), temp.resolve(name), settings, threads);
  }

  @Test
  void theCheckpointNormalisesItsOwnLatents() throws IOException {
    Settings settings = settings();
    Path checkpoint = train("run", settings, 2);
    try (DiffusersFolder written = DiffusersFolder.open(checkpoint);
        Backend backend = ShortRun.backend(2)) {
      assertThat(written.vaeConfig().latentChannels()).isEqualTo(4);
      assertThat(written.vaeConfig().factor()).isEqualTo(4);
      assertThat(written.part(Part.TRANSFORMER)).isEmpty();
      assertThat(written.part(Part.T5)).isPresent();
      Autoencoder vae = new Autoencoder(written.vaeConfig(), written.require(Part.VAE));
      int[] all = {0, 1, 2, 3, 4, 5, 6, 7, 8};
      Tensor pixels = PixelBatch.of(DataSources.training(settings), all, 32).pixels();
      try (Executable encoder = backend.compile("encoder", vae.encoder(9, 32, 32))) {
        Map<String, Tensor> posterior = encoder.run(Map.of("pixels", Feed.of(pixels)));
        Tensor noise = Tensor.zeros(posterior.get("mean").shape());
        Random random = new Random(3);
        for (int i = 0; i < noise.data().length; i++) {
          noise.data()[i] = (float) random.nextGaussian();
        }
        LatentStatistics statistics = new LatentStatistics();
        Tensor sample = LatentSpace.sample(posterior.get("mean"), posterior.get("logvar"), noise);
        statistics.add(LatentSpace.normalise(sample, written.vaeConfig()).data());
        // Another sample of 9 x 4 x 8 x 8 numbers than the one that was measured.
        assertThat(statistics.mean()).isCloseTo(0, within(0.1));
        assertThat(statistics.deviation()).isCloseTo(1, within(0.1));
      }
    }
    assertThat(temp.resolve("run/samples/step-00000002/reconstructions.png")).exists();
    assertThat(temp.resolve("run/log.jsonl")).content().contains("\"psnr\"").contains("\"ssim\"");
  }

  @Test
  void theNumberOfThreadsChangesNothing() throws IOException {
    train("one", settings(), 1);
    train("three", settings(), 3);
    assertThat(RunContents.of(temp.resolve("three")))
        .isEqualTo(RunContents.of(temp.resolve("one")));
  }

  /** Autoencoder, then encoders, then, judged by these, another autoencoder, and a transformer. */
  @Test
  void everyPartOfAModelCanBeTrained() throws IOException {
    Path first = train("vae", settings(), 2);
    ClipTaskFactory clip = new ClipTaskFactory();
    Path pair =
        ShortRun.train(
            clip,
            temp.resolve("clip"),
            ShortRun.settings(
                clip,
                "steps = 1",
                "batch = 2",
                "data.size = 32",
                "data.samples = 9",
                "ema.every = 0",
                "vision.width = 64",
                "vision.layers = 1",
                "validation.every = 0",
                "samples.every = 0",
                "validation.samples = 2",
                "encoders.train = [\"clip_l\", \"clip_g\", \"t5\"]",
                "model.base = \"%s\"".formatted(first)),
            2);
    Path second =
        train(
            "perceptual",
            settings(
                "model.from = \"%s\"".formatted(first),
                "loss.perceptual = 0.5",
                "loss.perceptual_network = \"%s\"".formatted(pair.resolve("clip"))),
            2);
    assertThat(temp.resolve("perceptual/log.jsonl")).content().contains("\"perceptual\"");
    assertThat(second.resolve("vae/config.json")).content().contains("\"latent_channels\" : 4");
    TransformerTaskFactory transformer = new TransformerTaskFactory();
    Path whole =
        ShortRun.train(
            transformer,
            temp.resolve("transformer"),
            ShortRun.settings(
                transformer,
                "steps = 1",
                "batch = 2",
                "data.size = 32",
                "data.samples = 4",
                "ema.every = 0",
                "model.depth = 1",
                "validation.every = 0",
                "samples.every = 0",
                "validation.samples = 1",
                "model.base = \"%s\"".formatted(pair)),
            2);
    try (DiffusersFolder model = DiffusersFolder.open(whole)) {
      assertThat(model.require(Part.TRANSFORMER).require("pos_embed.proj.weight").shape().dim(1))
          .isEqualTo(4);
      assertThat(model.vaeConfig().latentChannels()).isEqualTo(4);
    }
  }

  @Test
  void whatCannotBeIsSaidWithItsLine() {
    assertRefused("loss.perceptual = 1", "line 18: loss.perceptual: the perceptual term needs");
    assertRefused("loss.perceptual_network = \"x\"", "without loss.perceptual it is of no use");
    assertRefused("model.from = \"no/such\"", "model.from: there is no model");
    assertThatThrownBy(() -> open("model.groups = 3", 15))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("line 15: model.widths: [4, 8, 8] do not all divide into 3 groups");
    assertThatThrownBy(() -> open("data.size = 34", 7))
        .hasMessageContaining("data.size: 34 pixels do not divide by 4, which 3 widths make");
    assertThatThrownBy(() -> open("model.base = \"nowhere\"", 13))
        .hasMessageContaining("line 14: model.base: there is no folder");
  }

  private static void assertRefused(String line, String message) {
    assertThatThrownBy(() -> ShortRun.open(new AutoencoderTaskFactory(), settings(line)))
        .isInstanceOf(UserException.class)
        .hasMessageContaining(message);
  }

  private static void open(String line, int instead) {
    String[] lines = RUN.clone();
    lines[instead] = line;
    ShortRun.open(
        new AutoencoderTaskFactory(), ShortRun.settings(new AutoencoderTaskFactory(), lines));
  }
}
