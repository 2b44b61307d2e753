package org.rectiflow.trainer.clip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rectiflow.encoders.ClipScorer;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.WeightSource;
import org.rectiflow.pipeline.checkpoint.ClipFolder;
import org.rectiflow.pipeline.checkpoint.DiffusersFolder;
import org.rectiflow.pipeline.checkpoint.Part;
import org.rectiflow.pipeline.io.UserException;
import org.rectiflow.trainer.LoopKeys;
import org.rectiflow.trainer.RunContents;
import org.rectiflow.trainer.ShortRun;
import org.rectiflow.trainer.config.Settings;

class ClipTaskTest {
  private static final String BASE = "../testdata/models/shapes";
  private static final String[] RUN = {
    "task = \"clip\"",
    "steps = 2",
    "batch = 4",
    "log.every = 1",
    "ema.every = 0",
    "optimizer.warmup = 0",
    "data.samples = 9",
    "data.size = 32",
    "vision.width = 64",
    "vision.layers = 1",
    "vision.patch_size = 16",
    "validation.every = 2",
    "validation.samples = 6",
    "samples.every = 2",
    "samples.pictures = 3",
    "model.base = \"" + BASE + "\""
  };

  @TempDir Path temp;

  private static Settings settings(String... more) {
    String[] lines = Arrays.copyOf(RUN, RUN.length + more.length);
    System.arraycopy(more, 0, lines, RUN.length, more.length);
    return ShortRun.settings(new ClipTaskFactory(), lines);
  }

  private Path train(String name, Settings settings, int threads) throws IOException {
    return ShortRun.train(new ClipTaskFactory(), temp.resolve(name), settings, threads);
  }

  @Test
  void allEncodersAreTrainedAndEachWrittenWhereItBelongs() throws IOException {
    Path checkpoint =
        train("run", settings("encoders.train = [\"clip_l\", \"clip_g\", \"t5\"]"), 2);
    try (DiffusersFolder written = DiffusersFolder.open(checkpoint);
        DiffusersFolder base = DiffusersFolder.open(Path.of(BASE));
        ClipFolder pair = ClipFolder.open(checkpoint.resolve("clip"));
        Backend backend = ShortRun.backend(2);
        ClipScorer scorer =
            new ClipScorer(backend, pair.vision(), pair.text(), pair.tokenizer(), 2)) {
      for (Part part : List.of(Part.CLIP_L, Part.CLIP_G, Part.T5)) {
        WeightSource now = written.require(part);
        for (String name : now.names()) {
          assertThat(now.require(name).shape()).isEqualTo(base.require(part).require(name).shape());
        }
      }
      assertThat(written.clipConfig(Part.CLIP_L)).isEqualTo(base.clipConfig(Part.CLIP_L));
      assertThat(written.clipConfig(Part.CLIP_G)).isEqualTo(base.clipConfig(Part.CLIP_G));
      assertThat(written.t5Config()).isEqualTo(base.t5Config());
      assertThat(written.part(Part.TRANSFORMER)).isEmpty();
      String table = "text_model.embeddings.token_embedding.weight";
      float[] l = written.require(Part.CLIP_L).require(table).toFloats();
      assertThat(written.require(Part.CLIP_G).require(table).toFloats()).isNotEqualTo(l);
      assertThat(scorer.textFeatures(List.of("a red circle")).shape()).isEqualTo(Shape.of(1, 128));
      assertThat(scorer.imageFeatures(Tensor.zeros(Shape.of(3, 3, 32, 32))).shape())
          .isEqualTo(Shape.of(3, 128));
    }
    assertThat(temp.resolve("run/samples/step-00000002/similarity.png")).exists();
    assertThat(temp.resolve("run/log.jsonl"))
        .content()
        .contains("zero-shot accuracy t5")
        .contains("caption accuracy clip_g")
        .contains("alignment clip_l");
  }

  @Test
  void threadsAndInterruptionsChangeNothing() throws IOException {
    train("one", settings(), 1);
    ShortRun.train(
        new ClipTaskFactory(), temp.resolve("two"), settings().with(LoopKeys.STEPS, 1L), 2);
    train("two", settings(), 2);
    try (ClipFolder one = ClipFolder.open(temp.resolve("one/checkpoints/step-00000002/clip"));
        ClipFolder two = ClipFolder.open(temp.resolve("two/checkpoints/step-00000002/clip"))) {
      assertThat(one.vision().config()).isEqualTo(two.vision().config());
    }
    assertThat(RunContents.of(temp.resolve("two/checkpoints/step-00000002")))
        .isEqualTo(RunContents.of(temp.resolve("one/checkpoints/step-00000002")));
  }

  @Test
  void whatCannotBeIsSaidWithItsLine() {
    assertRefused("encoders.train = [\"t5\"]", "line 17: encoders.train: clip_l has to be among");
    assertRefused("encoders.train = [\"clip_l\", \"clip_l\"]", "each of them once");
    assertRefused("model.from = \"x\"", "unknown key model.from");
    assertThatThrownBy(() -> open("batch = 7", 2))
        .hasMessageContaining("validation.samples: it has to be at least the batch, 7");
    assertThatThrownBy(() -> open("vision.width = 96", 8))
        .hasMessageContaining("vision.width: 96 is no multiple of 64");
    assertThatThrownBy(() -> open("vision.patch_size = 5", 10))
        .hasMessageContaining("pictures of 32 pixels do not divide into patches of 5");
  }

  private static void assertRefused(String line, String message) {
    assertThatThrownBy(() -> ShortRun.open(new ClipTaskFactory(), settings(line)))
        .isInstanceOf(UserException.class)
        .hasMessageContaining(message);
  }

  private static void open(String line, int instead) {
    String[] lines = RUN.clone();
    lines[instead] = line;
    ShortRun.open(new ClipTaskFactory(), ShortRun.settings(new ClipTaskFactory(), lines));
  }
}
