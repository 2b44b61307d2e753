package org.rectiflow.trainer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.BackendProvider;
import org.rectiflow.engine.Backends;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Tensor;
import org.rectiflow.pipeline.Progress;
import org.rectiflow.pipeline.io.TensorFiles;
import org.rectiflow.pipeline.io.UserException;
import org.rectiflow.safetensors.TensorSource;
import org.rectiflow.trainer.config.Key;
import org.rectiflow.trainer.config.Kind;
import org.rectiflow.trainer.config.RunFile;
import org.rectiflow.trainer.config.Settings;

class TrainerTest {
  private static final String[] RUN = {
    "steps = 23",
    "batch = 4",
    "accumulation = 2",
    "log.every = 4",
    "validation.every = 6",
    "samples.every = 9",
    "optimizer.learning_rate = 0.05",
    "optimizer.warmup = 5",
    "ema.every = 3",
    "ema.decay = 0.5",
    "checkpoints.every = 7"
  };
  private static final BooleanSupplier NEVER = () -> false;

  @TempDir Path temp;

  private static Settings settings(String... more) {
    return ToyTask.settings(Stream.concat(Stream.of(RUN), Stream.of(more)).toArray(String[]::new));
  }

  private static Trainer.Outcome train(
      Path folder, Settings settings, Task task, boolean resume, BooleanSupplier stop)
      throws IOException {
    try (Backend backend = Backends.open("cpu", new BackendProvider.Options(2));
        RunFolder run = RunFolder.open(folder, settings, resume);
        Trainer trainer = new Trainer(task, settings, run, backend)) {
      return trainer.run("toy", Progress.NONE, stop);
    }
  }

  private static Trainer.Outcome train(Path folder, Settings settings) throws IOException {
    return train(folder, settings, new ToyTask(settings), false, NEVER);
  }

  /** Stops after {@code n} steps. */
  private static BooleanSupplier after(int n) {
    AtomicInteger asked = new AtomicInteger();
    return () -> asked.getAndIncrement() == n;
  }

  @Test
  void learns() throws IOException {
    Settings settings = settings().with(LoopKeys.STEPS, 400L);
    Trainer.Outcome outcome = train(temp.resolve("a"), settings);
    assertThat(outcome.finished()).isTrue();
    try (TensorSource model =
        TensorSource.open(outcome.checkpoint().resolve("model.safetensors"))) {
      Tensor w = TensorFiles.read(model, "w");
      assertThat(w.data()).usingComparatorWithPrecision(0.1f).containsExactly(1, 2, 0, 0, 0, -1);
    }
  }

  @Test
  void aRunStoppedAnywhereEndsWithTheSameBytes() throws IOException {
    Settings settings = settings();
    train(temp.resolve("whole"), settings);
    Map<String, String> whole = RunContents.of(temp.resolve("whole"));
    assertThat(whole).containsKeys("config.json", "checkpoints/step-00000023/model.safetensors");
    for (int stop = 0; stop <= 23; stop++) {
      compareStopped(settings, stop, whole);
    }
  }

  private void compareStopped(Settings settings, int stop, Map<String, String> whole)
      throws IOException {
    Path folder = temp.resolve("stopped" + stop);
    Trainer.Outcome first = train(folder, settings, new ToyTask(settings), false, after(stop));
    assertThat(first.step()).isEqualTo(stop);
    Trainer.Outcome second = train(folder, settings, new ToyTask(settings), true, NEVER);
    assertThat(second.finished()).isTrue();
    Map<String, String> resumed = RunContents.of(folder);
    assertThat(resumed.keySet()).anyMatch(name -> name.startsWith("checkpoints/step-00000023/"));
    if (stop < 23) {
      // The checkpoint of the interruption may be one of the last kept.
      resumed.keySet().removeIf(name -> name.startsWith("checkpoints/step-%08d/".formatted(stop)));
    }
    Map<String, String> expected = new TreeMap<>(whole);
    expected.keySet().removeIf(name -> !resumed.containsKey(name));
    assertThat(resumed).isEqualTo(expected);
  }

  /** A task that goes wrong at one step. */
  private static final class Wrong extends ToyTask {
    private final long nan;
    private final int fullDisk;
    private int written;

    Wrong(Settings settings, long nan, int fullDisk) {
      super(settings);
      this.nan = nan;
      this.fullDisk = fullDisk;
    }

    @Override
    public Map<String, Feed> batch(long step, int part) {
      Map<String, Feed> batch = super.batch(step, part);
      if (step == nan) {
        ((Feed.Floats) batch.get("y")).tensor().data()[0] = Float.NaN;
      }
      return batch;
    }

    @Override
    public void writeModel(Path folder, Map<String, Tensor> parameters) throws IOException {
      super.writeModel(folder, parameters);
      if (++written == fullDisk) {
        throw new IOException("No space left on device");
      }
    }
  }

  @Test
  void aLossThatIsNotFiniteStopsTheRunAndNamesTheLastGoodCheckpoint() throws IOException {
    Settings settings = settings("checkpoints.best = false");
    Task task = new Wrong(settings, 17, 0);
    assertThatThrownBy(() -> train(temp.resolve("nan"), settings, task, false, NEVER))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("step 17: the training is no longer finite")
        .hasMessageContaining("step-00000014")
        .hasMessageContaining("optimizer.learning_rate");
    assertThat(temp.resolve("nan/checkpoints/step-00000014/training/state.json")).exists();
    assertThat(train(temp.resolve("nan"), settings, new ToyTask(settings), true, NEVER).finished())
        .isTrue();
  }

  @Test
  void weightsThatAreNotFiniteAreNotWritten() throws IOException {
    // The second weight never gets a gradient: 0 / 0.
    Settings settings = settings("optimizer.epsilon = 0", "optimizer.weight_decay = 0");
    Task task =
        new ToyTask(settings) {
          @Override
          public Map<String, Feed> batch(long step, int part) {
            Map<String, Feed> batch = super.batch(step, part);
            float[] x = ((Feed.Floats) batch.get("x")).tensor().data();
            for (int i = 1; i < x.length && step == 1; i += INPUTS) {
              x[i] = 0;
            }
            return batch;
          }
        };
    assertThatThrownBy(() -> train(temp.resolve("zero"), settings, task, false, after(1)))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("step 1: the training is no longer finite (w has a weight of NaN)")
        .hasMessageContaining("There is no checkpoint yet");
    assertThat(temp.resolve("zero/checkpoints")).doesNotExist();
  }

  @Test
  void aFullDiskAtACheckpointLeavesTheOneBefore() throws IOException {
    Settings settings = settings("checkpoints.best = false");
    Task task = new Wrong(settings, 0, 2);
    Path folder = temp.resolve("full");
    assertThatThrownBy(() -> train(folder, settings, task, false, NEVER))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("the checkpoint of step 14 could not be written")
        .hasMessageContaining("No space left on device")
        .hasMessageContaining("The last good checkpoint is")
        .hasMessageContaining("step-00000007");
    try (Stream<Path> left = Files.list(folder.resolve("checkpoints"))) {
      assertThat(left.map(p -> p.getFileName().toString())).containsExactly("step-00000007");
    }
    train(folder, settings, new ToyTask(settings), true, NEVER);
    train(temp.resolve("whole"), settings);
    assertThat(RunContents.of(folder)).isEqualTo(RunContents.of(temp.resolve("whole")));
  }

  @Test
  void aRunGoesOnOnlyWithTheSettingsItBeganWith() throws IOException {
    Path folder = temp.resolve("run");
    Settings settings = settings();
    train(folder, settings, new ToyTask(settings), false, after(8));
    Settings changed =
        settings.with(LoopKeys.BETA2, 0.99).with(LoopKeys.SEED, 3L).with(LoopKeys.LOG_EVERY, 5L);
    assertThatThrownBy(() -> train(folder, changed, new ToyTask(changed), true, NEVER))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("optimizer.beta2 was 0.999, is 0.99")
        .hasMessageContaining("seed was 0, is 3")
        .hasMessageContaining("steps")
        .message()
        .doesNotContain("log.every was");
    Settings free = settings.with(LoopKeys.STEPS, 25L).with(LoopKeys.LOG_EVERY, 5L);
    assertThat(train(folder, free, new ToyTask(free), true, NEVER).step()).isEqualTo(25);
    assertThatThrownBy(() -> train(folder, free))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("checkpoint at step 25")
        .hasMessageContaining("--resume");
  }

  @Test
  void aKeyThatDidNotExistWhenTheRunBeganHasItsDefault() throws IOException {
    Path folder = temp.resolve("run");
    Settings settings = settings();
    train(folder, settings, new ToyTask(settings), false, after(8));
    Path config = folder.resolve("config.json");
    String before = Files.readString(config);
    String older = before.replaceFirst("\"ema.decay\" : [^,]*,\\s*", "");
    older = older.replaceFirst("\"optimizer.beta2\" : [^,]*,\\s*", "");
    assertThat(older).doesNotContain("ema.decay", "optimizer.beta2");
    Files.writeString(config, older);
    assertThatThrownBy(() -> train(folder, settings, new ToyTask(settings), true, NEVER))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("ema.decay was absent, is 0.5")
        .message()
        .doesNotContain("beta2");
    Settings defaults = settings.with(LoopKeys.EMA_DECAY, 0.99);
    assertThat(train(folder, defaults, new ToyTask(defaults), true, NEVER).finished()).isTrue();
    assertThat(Files.readString(config)).contains("optimizer.beta2");
  }

  @Test
  void whatWasTrueOrFalseMayHaveBecomeAList() throws IOException {
    Kind<List<String>> names =
        new Kind<>("names", value -> value.equals(false) ? List.of() : List.of("all"));
    Key<List<String>> key = Key.of("toy.names", names, List.of("some"), "Names.");
    List<Key<?>> keys = new ArrayList<>(LoopKeys.ALL);
    keys.add(key);
    Settings settings = RunFile.parse("toy.toml", "steps = 3").settings(keys);
    Path folder = temp.resolve("run");
    RunFolder.open(folder, settings.with(key, List.of()), false).close();
    Files.createFile(folder.resolve("log.jsonl"));
    Path config = folder.resolve("config.json");
    String before = Files.readString(config);
    Files.writeString(
        config, before.replaceFirst("\"toy.names\" : \\[ *\\]", "\"toy.names\" : false"));
    assertThat(Files.readString(config)).contains("\"toy.names\" : false");
    assertThatThrownBy(() -> RunFolder.open(folder, settings, true))
        .hasMessageContaining("toy.names was false, is [\"some\"]");
    RunFolder.open(folder, settings.with(key, List.of()), true).close();
  }

  /** A run file is corrected and tried again; there is nothing to go on with. */
  @Test
  void aRunThatCouldNotBeginIsNotInTheWay() throws IOException {
    Path folder = temp.resolve("run");
    Settings wrong = settings().with(LoopKeys.BATCH, 5L);
    RunFolder.open(folder, wrong, false).close(); // then its data or models are not there
    Settings right = settings();
    assertThat(train(folder, right).finished()).isTrue();
    assertThat(Files.readString(folder.resolve("config.json"))).contains("\"batch\" : 4");
  }

  @Test
  void twoProcessesDoNotTrainInOneFolder() throws IOException {
    Settings settings = settings();
    try (RunFolder _ = RunFolder.open(temp.resolve("run"), settings, false)) {
      assertThatThrownBy(() -> RunFolder.open(temp.resolve("run"), settings, true))
          .isInstanceOf(UserException.class)
          .hasMessageContaining("another process is training there");
    }
  }

  @Test
  void theLastAndTheBestCheckpointsStay() throws IOException {
    // So large a rate that the validation loss gets worse in the end.
    Settings settings =
        settings("checkpoints.keep = 1")
            .with(LoopKeys.LEARNING_RATE, 0.9)
            .with(LoopKeys.STEPS, 31L);
    Trainer.Outcome outcome = train(temp.resolve("run"), settings);
    long best = outcome.bestStep().orElseThrow();
    assertThat(best % 6).isZero();
    assertThat(best).isLessThan(30);
    try (Stream<Path> left = Files.list(temp.resolve("run/checkpoints"))) {
      assertThat(left.map(RunFolder::step)).containsExactlyInAnyOrder(best, 31L);
    }
  }

  @Test
  void accumulatedBatchesAreOneLargeBatch() throws IOException {
    String[] same = {"steps = 5", "optimizer.warmup = 0", "ema.every = 0"};
    Settings two =
        ToyTask.settings(
            Stream.concat(Stream.of(same), Stream.of("batch = 8", "accumulation = 2"))
                .toArray(String[]::new));
    Settings one =
        ToyTask.settings(
            Stream.concat(Stream.of(same), Stream.of("batch = 16")).toArray(String[]::new));
    float[] a = weights(train(temp.resolve("two"), two));
    float[] b = weights(train(temp.resolve("one"), one));
    double largest = 0;
    for (int i = 0; i < a.length; i++) {
      largest = Math.max(largest, Math.abs(a[i] - b[i]));
    }
    System.out.println("accumulation: largest difference " + largest);
    assertThat(largest).isLessThan(1e-6);
    assertThat(a).isNotEqualTo(new float[a.length]);
  }

  private static float[] weights(Trainer.Outcome outcome) {
    try (TensorSource model =
        TensorSource.open(outcome.checkpoint().resolve("model.safetensors"))) {
      return TensorFiles.read(model, "w").data();
    }
  }

  @Test
  void theMovingAverageIsWhatIsPublished() throws IOException {
    Settings settings = settings().with(LoopKeys.STEPS, 3L).with(LoopKeys.EMA_DECAY, 0.75);
    Trainer.Outcome outcome = train(temp.resolve("run"), settings);
    try (TensorSource state =
        TensorSource.open(outcome.checkpoint().resolve("training/state.safetensors"))) {
      float[] raw = TensorFiles.read(state, "parameter.w").data();
      float[] published = weights(outcome);
      for (int i = 0; i < raw.length; i++) {
        // It began at zero, and was updated once, after step 3.
        assertThat(published[i]).isEqualTo(0.25f * raw[i]);
      }
      assertThat(raw[1]).isPositive();
    }
  }

  @Test
  void theLearningRateRisesStaysAndFalls() {
    LearningRate rate = new LearningRate(1, 4, 3, 10);
    assertThat(Stream.iterate(1, i -> i + 1).limit(10).map(i -> rate.at(i)))
        .containsExactly(0.25, 0.5, 0.75, 1.0, 1.0, 1.0, 1.0, 0.75, 0.5, 0.25);
  }
}
