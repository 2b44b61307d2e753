package org.rectiflow.trainer.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rectiflow.encoders.PromptEmbedding;
import org.rectiflow.encoders.PromptEncoder;
import org.rectiflow.encoders.PromptEncoding;
import org.rectiflow.encoders.Prompts;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.BackendProvider;
import org.rectiflow.engine.Backends;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.StoredWeights;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.WeightSource;
import org.rectiflow.pipeline.Progress;
import org.rectiflow.pipeline.TextToImage;
import org.rectiflow.pipeline.checkpoint.DiffusersFolder;
import org.rectiflow.pipeline.checkpoint.Part;
import org.rectiflow.pipeline.io.TensorFiles;
import org.rectiflow.pipeline.io.UserException;
import org.rectiflow.safetensors.TensorSource;
import org.rectiflow.trainer.LoopKeys;
import org.rectiflow.trainer.RunContents;
import org.rectiflow.trainer.RunFolder;
import org.rectiflow.trainer.RunLog;
import org.rectiflow.trainer.Task;
import org.rectiflow.trainer.Trainer;
import org.rectiflow.trainer.config.Key;
import org.rectiflow.trainer.config.RunFile;
import org.rectiflow.trainer.config.Settings;
import org.rectiflow.trainer.data.DataKeys;

class TransformerTaskTest {
  private static final Path TINY = Path.of("../testdata/models/tiny-sd3");
  private static final String RUN =
      """
      steps = 4
      batch = 3
      log.every = 1
      ema.every = 2
      optimizer.warmup = 0
      encoders.t5_tokens = 4
      model.base = "../testdata/models/tiny-sd3"
      data.samples = 5
      data.size = 32
      validation.every = 4
      validation.samples = 1
      validation.attention_samples = 1
      samples.every = 4
      samples.steps = 2
      samples.prompts = ["a red circle"]
      """;

  @TempDir Path temp;

  private static Settings settings(String... more) {
    List<Key<?>> keys = new ArrayList<>(LoopKeys.ALL);
    keys.addAll(new TransformerTaskFactory().keys());
    return RunFile.parse("run.toml", RUN + String.join("\n", more) + "\n").settings(keys);
  }

  private static Backend backend(int threads) {
    return Backends.open("cpu", new BackendProvider.Options(threads));
  }

  private static Path train(Path folder, Settings settings, int threads) throws IOException {
    return train(folder, settings, threads, Progress.NONE);
  }

  private static Path train(Path folder, Settings settings, int threads, Progress progress)
      throws IOException {
    try (Backend backend = backend(threads);
        RunFolder run = RunFolder.open(folder, settings, false);
        Task task = new TransformerTaskFactory().open(settings, backend, progress);
        Trainer trainer = new Trainer(task, settings, run, backend)) {
      return trainer.run("tiny", Progress.NONE, () -> false).checkpoint();
    }
  }

  @Test
  void theNumberOfThreadsChangesNothing() throws IOException {
    Settings settings = settings("model.depth = 2");
    train(temp.resolve("one"), settings, 1);
    train(temp.resolve("three"), settings, 3);
    assertThat(RunContents.of(temp.resolve("three")))
        .isEqualTo(RunContents.of(temp.resolve("one")));
  }

  /** What is told between phases. */
  private static final class Notes implements Progress {
    private final List<String> notes = new ArrayList<>();

    @Override
    public Phase begin(String phase, int total) {
      return () -> {};
    }

    @Override
    public void note(String text) {
      notes.add(text);
    }

    /** The last two columns of the cost table: encoded and reused, of each network. */
    private List<String> counts() {
      return notes.stream()
          .filter(note -> note.startsWith("encoding "))
          .flatMap(table -> table.lines().skip(1))
          .map(line -> line.strip().replaceFirst(".* (\\d+ +\\d+)$", "$1").replaceAll(" +", " "))
          .toList();
    }
  }

  /** Model, optimizer and pictures; settings and log name the cache. */
  private static Map<String, String> results(Path folder) throws IOException {
    Map<String, String> contents = RunContents.of(folder);
    contents.keySet().removeIf(name -> !name.startsWith("checkpoints") && !name.startsWith("sam"));
    return contents;
  }

  @Test
  void aCacheSparesTheSecondRunAllEncodingAndChangesNothing() throws IOException {
    Settings without = settings("model.depth = 1");
    Settings with = without.with(DataKeys.CACHE, temp.resolve("cache").toString());
    train(temp.resolve("without"), without, 2);
    Notes first = new Notes();
    train(temp.resolve("first"), with, 2, first);
    Notes second = new Notes();
    train(temp.resolve("second"), with, 2, second);
    // Five pictures and one that is held out; two captions may be the same in T5's four tokens.
    assertThat(first.counts()).hasSize(4).first().isEqualTo("6 0");
    assertThat(first.counts()).allSatisfy(line -> assertThat(line).doesNotStartWith("0 "));
    assertThat(second.counts()).hasSize(4).allSatisfy(line -> assertThat(line).startsWith("0 "));
    assertThat(results(temp.resolve("first"))).isEqualTo(results(temp.resolve("without")));
    assertThat(results(temp.resolve("second"))).isEqualTo(results(temp.resolve("without")));
  }

  @Test
  void computingBlocksAgainChangesNothing() throws IOException {
    Settings settings = settings("model.depth = 2");
    train(temp.resolve("kept"), settings.with(LoopKeys.RECOMPUTE, "none"), 2);
    train(temp.resolve("again"), settings.with(LoopKeys.RECOMPUTE, "blocks"), 2);
    assertThat(results(temp.resolve("again"))).isEqualTo(results(temp.resolve("kept")));
    assertThat(temp.resolve("again/log.jsonl")).content().contains("\"recompute\":\"blocks\"");
  }

  @Test
  void anyOfTheEncodersCanBeTrained() {
    assertThat(settings("encoders.train = true").get(TransformerKeys.TRAIN_ENCODERS))
        .containsExactly("clip_l", "clip_g", "t5");
    assertThat(settings("encoders.train = false").get(TransformerKeys.TRAIN_ENCODERS)).isEmpty();
    assertThat(
            settings("encoders.train = [\"t5\", \"clip_l\"]").get(TransformerKeys.TRAIN_ENCODERS))
        .containsExactly("clip_l", "t5");
  }

  private static List<Double> losses(Path folder) throws IOException {
    return RunLog.read(folder.resolve("log.jsonl")).stream()
        .filter(line -> line.path("event").asText().equals("train"))
        .map(line -> line.path("loss").asDouble())
        .toList();
  }

  /** Encoders in the graph, not yet changed, see and are dropped to what frozen ones are. */
  @Test
  void encodersInTheGraphAreTheFrozenOnes() throws IOException {
    String[] lines = {
      "model.from = \"../testdata/models/tiny-sd3\"",
      "optimizer.learning_rate = 0",
      "dropout.all = 0.3"
    };
    for (String unconditional : List.of("zeros", "empty")) {
      Settings frozen =
          settings(lines)
              .with(LoopKeys.VALIDATION_EVERY, 0L)
              .with(LoopKeys.SAMPLES_EVERY, 0L)
              .with(TransformerKeys.SAMPLE_UNCONDITIONAL, unconditional);
      Settings trained =
          frozen.with(TransformerKeys.TRAIN_ENCODERS, List.of("clip_l", "clip_g", "t5"));
      train(temp.resolve("frozen" + unconditional), frozen, 2);
      train(temp.resolve("trained" + unconditional), trained, 2);
      List<Double> expected = losses(temp.resolve("frozen" + unconditional));
      List<Double> found = losses(temp.resolve("trained" + unconditional));
      double largest = 0;
      for (int i = 0; i < expected.size(); i++) {
        largest = Math.max(largest, Math.abs(found.get(i) / expected.get(i) - 1));
      }
      System.out.printf("losses with encoders in the graph, %s: %.1e%n", unconditional, largest);
      assertThat(found).hasSize(4);
      assertThat(largest).isLessThan(1e-5);
    }
  }

  @Test
  void trainedEncodersAreInTheCheckpointAndResumeToTheSameBytes() throws IOException {
    Settings settings =
        settings(
                "model.depth = 1",
                "encoders.train = [\"clip_l\", \"t5\"]",
                "optimizer.learning_rate = 1e-2",
                "ema.decay = 0.5",
                "checkpoints.every = 2")
            .with(LoopKeys.VALIDATION_EVERY, 2L);
    Path whole = train(temp.resolve("whole"), settings, 2);
    AtomicInteger asked = new AtomicInteger();
    stopped(temp.resolve("parts"), settings, () -> asked.getAndIncrement() == 3);
    stopped(temp.resolve("parts"), settings, () -> false);
    Map<String, String> expected = RunContents.of(temp.resolve("whole"));
    Map<String, String> found = RunContents.of(temp.resolve("parts"));
    found.keySet().retainAll(expected.keySet());
    expected.keySet().removeIf(name -> name.startsWith("checkpoints/step-00000002"));
    found.keySet().removeIf(name -> name.startsWith("checkpoints/step-00000002"));
    assertThat(expected).hasSizeGreaterThan(10);
    assertThat(found).isEqualTo(expected);

    try (DiffusersFolder written = DiffusersFolder.open(whole);
        DiffusersFolder read = DiffusersFolder.open(TINY);
        Backend backend = backend(2);
        PromptEncoder now = TextToImage.withoutTransformer(written, backend).encoders(4, Set.of());
        PromptEncoder before =
            TextToImage.withoutTransformer(read, backend).encoders(4, Set.of())) {
      PromptEncoding a = now.encode(Prompts.all("a red circle"));
      PromptEncoding b = before.encode(Prompts.all("a red circle"));
      assertThat(a.clipL()).isNotEqualTo(b.clipL());
      assertThat(a.clipG()).isEqualTo(b.clipG());
      assertThat(a.t5()).isNotEqualTo(b.t5());
    }
    // The average that is written has moved, and is not the weights themselves.
    try (TensorSource state = TensorSource.open(whole.resolve("training/state.safetensors"));
        TensorSource model = TensorSource.open(whole.resolve("text_encoder_3/model.safetensors"))) {
      String name = "encoder.final_layer_norm.weight";
      float[] published = TensorFiles.read(model, name).data();
      assertThat(published)
          .isEqualTo(TensorFiles.read(state, "ema.text_encoder_3." + name).data())
          .isNotEqualTo(TensorFiles.read(state, "parameter.text_encoder_3." + name).data());
    }
  }

  private static void stopped(Path folder, Settings settings, BooleanSupplier stop)
      throws IOException {
    try (Backend backend = backend(2);
        RunFolder run = RunFolder.open(folder, settings, true);
        Task task = new TransformerTaskFactory().open(settings, backend, Progress.NONE);
        Trainer trainer = new Trainer(task, settings, run, backend)) {
      trainer.run("tiny", Progress.NONE, stop);
    }
  }

  /** Validation and sample pictures see the encoders as they are by now. */
  @Test
  void validationAndSamplesUseTheTrainedEncoders() throws IOException {
    Settings settings =
        settings("model.from = \"../testdata/models/tiny-sd3\"", "encoders.train = [\"clip_g\"]");
    try (Backend backend = backend(2);
        Task task = new TransformerTaskFactory().open(settings, backend, Progress.NONE)) {
      Map<String, Tensor> start = task.objective().parameters();
      Map<String, Tensor> changed = new LinkedHashMap<>(start);
      changed.replaceAll(
          (name, value) -> name.startsWith("text_encoder_2.") ? doubled(value) : value);
      assertThat(task.validate(changed).loss()).isNotEqualTo(task.validate(start).loss());
      assertThat(task.attention(changed)).isNotEqualTo(task.attention(start));
      String picture = task.sample(Files.createDirectory(temp.resolve("a")), start).getFirst();
      task.sample(Files.createDirectory(temp.resolve("b")), changed);
      assertThat(Files.readAllBytes(temp.resolve("b").resolve(picture)))
          .isNotEqualTo(Files.readAllBytes(temp.resolve("a").resolve(picture)));
    }
  }

  private static Tensor doubled(Tensor tensor) {
    float[] data = tensor.data().clone();
    for (int i = 0; i < data.length; i++) {
      data[i] *= 2;
    }
    return new Tensor(tensor.shape(), data);
  }

  @Test
  void whatIsNotTrainedIsWrittenAsItWasRead() throws IOException {
    Settings settings =
        settings(
            "model.from = \"../testdata/models/tiny-sd3\"",
            "optimizer.learning_rate = 0",
            "model.depth = 3");
    Settings unaveraged = settings.with(LoopKeys.EMA_EVERY, 0L);
    Path checkpoint = train(temp.resolve("run"), unaveraged, 2);
    try (DiffusersFolder written = DiffusersFolder.open(checkpoint);
        DiffusersFolder read = DiffusersFolder.open(TINY)) {
      for (Part part : Part.values()) {
        WeightSource now = written.require(part);
        WeightSource before = read.require(part);
        assertThat(now.names()).containsExactlyInAnyOrderElementsOf(before.names());
        for (String name : before.names()) {
          assertThat(now.require(name).shape()).isEqualTo(before.require(name).shape());
          assertThat(unsignedZeros(now.require(name).toFloats()))
              .isEqualTo(unsignedZeros(before.require(name).toFloats()));
        }
      }
    }
    assertThat(Files.readString(checkpoint.resolve("rectiflow.json")))
        .contains("\"formulation\" : \"rf/lognorm(0.00,1.00)\"");
  }

  /** A step of no length makes 0 of -0. */
  private static float[] unsignedZeros(float[] values) {
    for (int i = 0; i < values.length; i++) {
      values[i] += 0;
    }
    return values;
  }

  @Test
  void trainedTensorsChangeAndPositionsDoNot() throws IOException {
    Path a = train(temp.resolve("a"), settings("model.depth = 1"), 2);
    Path b =
        train(temp.resolve("b"), settings("model.depth = 1", "optimizer.learning_rate = 0"), 2);
    String file = "transformer/diffusion_pytorch_model.safetensors";
    try (TensorSource now = TensorSource.open(a.resolve(file));
        TensorSource before = TensorSource.open(b.resolve(file))) {
      WeightSource trained = new StoredWeights(now);
      WeightSource initial = new StoredWeights(before);
      for (String name : initial.names()) {
        boolean same =
            Arrays.equals(trained.require(name).toFloats(), initial.require(name).toFloats());
        // Nobody sees what the last block's text tokens ask for.
        boolean still =
            name.equals("pos_embed.pos_embed")
                || name.equals("transformer_blocks.0.attn.add_q_proj.bias");
        assertThat(same).as(name).isEqualTo(still);
      }
      assertThat(initial.require("proj_out.weight").toFloats()).containsOnly(0);
    }
  }

  private static float[] feed(Map<String, Feed> batch, String name) {
    return ((Feed.Floats) batch.get(name)).tensor().data();
  }

  @Test
  void encodersAreDroppedIndependently() throws IOException {
    Settings settings =
        settings("model.depth = 1").with(LoopKeys.BATCH, 64L).with(TransformerKeys.DROP_T5, 0.2);
    int[] counts = new int[8];
    int samples = 0;
    try (Backend backend = backend(2);
        Task task = new TransformerTaskFactory().open(settings, backend, Progress.NONE)) {
      for (int step = 1; step <= 8; step++) {
        Map<String, Feed> batch = task.batch(step, 0);
        float[] context = feed(batch, "context");
        float[] pooled = feed(batch, "pooled");
        int tokens = context.length / 64 / 320;
        for (int i = 0; i < 64; i++) {
          // CLIP-L has 128 channels, CLIP-G 192, T5 the last four tokens.
          boolean l = pooled[i * 320] == 0 && context[i * tokens * 320] == 0;
          boolean g = pooled[i * 320 + 319] == 0 && context[i * tokens * 320 + 319] == 0;
          boolean t5 = context[(i * tokens + tokens - 1) * 320] == 0;
          counts[(l ? 1 : 0) + (g ? 2 : 0) + (t5 ? 4 : 0)]++;
          samples++;
        }
      }
    }
    for (int which = 0; which < 8; which++) {
      double l = (which & 1) != 0 ? 0.464 : 0.536;
      double g = (which & 2) != 0 ? 0.464 : 0.536;
      double t5 = (which & 4) != 0 ? 0.2 : 0.8;
      assertThat((double) counts[which] / samples).isCloseTo(l * g * t5, within(0.06));
    }
  }

  /** Contexts and pooled embeddings of some batches, sample by sample. */
  private static List<float[]> prompts(Settings settings, int steps) throws IOException {
    List<float[]> prompts = new ArrayList<>();
    try (Backend backend = backend(2);
        Task task = new TransformerTaskFactory().open(settings, backend, Progress.NONE)) {
      for (int step = 1; step <= steps; step++) {
        Map<String, Feed> batch = task.batch(step, 0);
        float[] context = feed(batch, "context");
        float[] pooled = feed(batch, "pooled");
        int size = task.batchSize();
        int n = context.length / size;
        int p = pooled.length / size;
        for (int i = 0; i < size; i++) {
          float[] both = Arrays.copyOfRange(context, i * n, (i + 1) * n + p);
          System.arraycopy(pooled, i * p, both, n, p);
          prompts.add(both);
        }
      }
    }
    return prompts;
  }

  @Test
  void allTextIsDroppedBesidesTheSingleEncoders() throws IOException {
    Settings none =
        settings("model.depth = 1")
            .with(LoopKeys.BATCH, 64L)
            .with(TransformerKeys.DROP_CLIP_L, 0.0)
            .with(TransformerKeys.DROP_CLIP_G, 0.0)
            .with(TransformerKeys.DROP_T5, 0.0);
    List<float[]> whole = prompts(none, 8);
    List<float[]> some = prompts(none.with(TransformerKeys.DROP_ALL, 0.25), 8);
    List<float[]> empty =
        prompts(
            none.with(TransformerKeys.DROP_ALL, 0.25)
                .with(TransformerKeys.SAMPLE_UNCONDITIONAL, "empty"),
            8);
    float[] nothing = null;
    int dropped = 0;
    for (int i = 0; i < whole.size(); i++) {
      if (Arrays.equals(some.get(i), new float[whole.get(i).length])) {
        dropped++;
        nothing = nothing == null ? empty.get(i) : nothing;
        assertThat(empty.get(i)).isEqualTo(nothing);
      } else {
        assertThat(some.get(i)).isEqualTo(whole.get(i));
        assertThat(empty.get(i)).isEqualTo(whole.get(i));
      }
    }
    assertThat((double) dropped / whole.size()).isCloseTo(0.25, within(0.06));
    assertThat(nothing).isEqualTo(encodingOfNothing());
  }

  @Test
  void aSampleThatHappensToLoseAllEncodersHasTheUnconditionalPrompt() throws IOException {
    Settings all =
        settings("model.depth = 1")
            .with(TransformerKeys.DROP_CLIP_L, 1.0)
            .with(TransformerKeys.DROP_CLIP_G, 1.0)
            .with(TransformerKeys.DROP_T5, 1.0);
    assertThat(prompts(all, 1)).allSatisfy(prompt -> assertThat(prompt).containsOnly(0));
    Settings empty = all.with(TransformerKeys.SAMPLE_UNCONDITIONAL, "empty");
    float[] nothing = encodingOfNothing();
    assertThat(prompts(empty, 1)).allSatisfy(prompt -> assertThat(prompt).isEqualTo(nothing));
  }

  private static float[] encodingOfNothing() {
    try (Backend backend = backend(2);
        DiffusersFolder base = DiffusersFolder.open(TINY);
        PromptEncoder encoder =
            TextToImage.withoutTransformer(base, backend).encoders(4, Set.of())) {
      PromptEmbedding embedding = encoder.encode(Prompts.all("")).embedding();
      float[] context = embedding.context().data();
      float[] pooled = embedding.pooled().data();
      float[] both = Arrays.copyOf(context, context.length + pooled.length);
      System.arraycopy(pooled, 0, both, context.length, pooled.length);
      return both;
    }
  }

  @Test
  void aModelThatAnswersZeroHasTheTargetsVariance() throws IOException {
    Settings settings = settings("model.depth = 1", "formulation = \"eps/cos\"");
    try (Backend backend = backend(2);
        Task task = new TransformerTaskFactory().open(settings, backend, Progress.NONE)) {
      Map<String, Tensor> start = task.objective().parameters();
      Task.Validation validation = task.validate(start);
      // The target is standard normal noise.
      assertThat(validation.loss()).isCloseTo(1, within(0.1));
      assertThat(validation.details().keySet())
          .containsExactly(
              "t=0.0625",
              "t=0.1875",
              "t=0.3125",
              "t=0.4375",
              "t=0.5625",
              "t=0.6875",
              "t=0.8125",
              "t=0.9375");
      assertThat(task.validate(start)).isEqualTo(validation);
      assertThat(task.attention(start).orElseThrow().entropy()).hasSize(1);
    }
  }

  private void refuses(String line, String... parts) {
    Settings settings = settings(line);
    try (Backend backend = backend(1)) {
      var thrown =
          assertThatThrownBy(
                  () -> new TransformerTaskFactory().open(settings, backend, Progress.NONE))
              .isInstanceOf(UserException.class);
      for (String part : parts) {
        thrown.hasMessageContaining(part);
      }
    }
  }

  @Test
  void refusesWhatCannotBe() {
    assertThatThrownBy(() -> settings("model.width = 100"))
        .isInstanceOf(UserException.class)
        .hasMessageContaining(
            "line 16: model.width must be a multiple of 64 from 0 to 65536, found 100");
    refuses("model.backbone = \"unet\"", "line 16: model.backbone", "mmdit");
    refuses("model.from = \"nowhere\"", "line 16: model.from: there is no model", "nowhere");
    refuses("model.patch_size = 3", "line 9: data.size: 32 pixels do not divide");
    refuses(
        "model.from = \"../testdata/models/tiny-sd3\"\nmodel.depth = 7",
        "line 17: model.depth: the model in model.from has 3");
    try (Backend backend = backend(1)) {
      Settings nowhere = settings().with(TransformerKeys.BASE, "/no/such/model");
      assertThatThrownBy(() -> new TransformerTaskFactory().open(nowhere, backend, Progress.NONE))
          .isInstanceOf(UserException.class)
          .hasMessageContaining("model.base: there is no folder /no/such/model");
    }
    assertThatThrownBy(() -> settings("encoders.train = [\"clip\"]"))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("line 16: encoders.train must be a list of clip_l, clip_g and t5")
        .hasMessageContaining("or true for all or false for none");
    assertThatThrownBy(() -> settings("formulation = \"rf/lognormal(0,1)\""))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("line 16: formulation")
        .hasMessageContaining("'lognormal' is no density");
  }
}
