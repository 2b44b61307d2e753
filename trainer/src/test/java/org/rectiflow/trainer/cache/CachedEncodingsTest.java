package org.rectiflow.trainer.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rectiflow.datasets.Dataset;
import org.rectiflow.datasets.Example;
import org.rectiflow.datasets.shapes.ShapesWorld;
import org.rectiflow.encoders.PromptEncoder;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.BackendProvider;
import org.rectiflow.engine.Backends;
import org.rectiflow.engine.Tensor;
import org.rectiflow.evaluation.PixelImage;
import org.rectiflow.evaluation.PreEncoding;
import org.rectiflow.pipeline.Progress;
import org.rectiflow.pipeline.TextToImage;
import org.rectiflow.pipeline.checkpoint.Checkpoint;
import org.rectiflow.pipeline.checkpoint.DiffusersFolder;
import org.rectiflow.pipeline.checkpoint.Part;
import org.rectiflow.pipeline.io.UserException;
import org.rectiflow.trainer.data.Encoded;
import org.rectiflow.trainer.data.Encodings;
import org.rectiflow.trainer.transformer.ModelFolder;
import org.rectiflow.vae.Autoencoder;

class CachedEncodingsTest {
  private static final int SIDE = 64;
  private static final int EXAMPLES = 40;
  private static final int T5_TOKENS = 32;
  private static final PreEncoding.Encoder ENCODER =
      new PreEncoding.Encoder("CLIP-L", 1_000_000, 500, 100);
  private static final PreEncoding.Encoder OTHER = new PreEncoding.Encoder("T5", 9, 9, 0);

  private static Checkpoint base;
  private static Backend backend;

  @TempDir private Path temp;
  private Path folder;

  @BeforeEach
  void choosePlace() {
    folder = temp.resolve("cache");
  }

  @BeforeAll
  static void openTheBundledModel() {
    base = DiffusersFolder.open(Path.of("../testdata/models/shapes"));
    backend = Backends.open("cpu", new BackendProvider.Options(2));
  }

  @AfterAll
  static void close() {
    backend.close();
    base.close();
  }

  private static Dataset world(int count) {
    return new ShapesWorld(ShapesWorld.Settings.training(5, count));
  }

  /** Encodings, and what they cost. */
  private record Cached(CachedEncodings encodings, List<EncodingCost> costs)
      implements AutoCloseable {
    Encoded get(int index) {
      return encodings.get(index);
    }

    @Override
    public void close() {
      encodings.close();
    }
  }

  private Cached cached(Dataset data) {
    return cached(data, base);
  }

  private Cached cached(Dataset data, Checkpoint from) {
    EncodingCache cache =
        EncodingCache.open(folder, from, TextToImage.withoutTransformer(from, backend), T5_TOKENS);
    return new Cached(cache.encode(data, SIDE, backend, Progress.NONE), cache.costs());
  }

  private static Encodings direct(Dataset data) {
    return direct(data, base);
  }

  private static Encodings direct(Dataset data, Checkpoint from) {
    TextToImage model = TextToImage.withoutTransformer(from, backend);
    try (PromptEncoder encoders = model.encoders(T5_TOKENS, Set.of())) {
      return Encodings.of(
          data,
          SIDE,
          new Autoencoder(model.vaeConfig(), from.require(Part.VAE)),
          encoders,
          backend,
          Progress.NONE);
    }
  }

  private static void assertSame(Encoded a, Encoded b) {
    assertThat(a.latent()).isEqualTo(b.latent());
    assertThat(a.prompt().context()).isEqualTo(b.prompt().context());
    assertThat(a.prompt().pooled()).isEqualTo(b.prompt().pooled());
  }

  @Test
  void theCacheGivesTheBitsOfEncodingWithoutOne() {
    Dataset data = world(EXAMPLES);
    Encodings direct = direct(data);
    try (Cached first = cached(data)) {
      assertThat(first.encodings().size()).isEqualTo(EXAMPLES);
      for (int i = 0; i < EXAMPLES; i++) {
        assertSame(first.get(i), direct.get(i));
      }
      assertThat(first.costs()).extracting(EncodingCost::encoded).first().isEqualTo(40L);
      assertThat(folder.resolve("costs.csv")).content().startsWith("network,weights_GB");
      System.out.print(EncodingCost.csv(first.costs()));
    }
    try (Cached again = cached(data)) {
      assertThat(again.costs()).allSatisfy(cost -> assertThat(cost.encoded()).isZero());
      assertSame(again.get(EXAMPLES - 1), direct.get(EXAMPLES - 1));
    }
  }

  /** A process that was killed leaves some shards, and a temporary file. */
  @Test
  void whatWasFinishedIsNotEncodedAgain() throws IOException {
    cached(world(EXAMPLES / 2)).close();
    Files.writeString(folder.resolve(".left.safetensors.part"), "half");
    try (Cached rest = cached(world(EXAMPLES))) {
      assertThat(rest.costs().getFirst().encoded()).isEqualTo(EXAMPLES / 2);
      assertThat(rest.costs().getFirst().reused()).isEqualTo(EXAMPLES / 2);
      Encodings direct = direct(world(EXAMPLES));
      for (int i = 0; i < EXAMPLES; i++) {
        assertSame(rest.get(i), direct.get(i));
      }
    }
  }

  /** Captions swapped between pictures: nothing is encoded anew, and everybody has his own. */
  @Test
  void aCaptionNeverMeetsAnothersLatent() {
    Dataset data = world(6);
    Dataset swapped = new Rotated(data);
    try (Cached before = cached(data);
        Cached after = cached(swapped)) {
      assertThat(after.costs()).allSatisfy(cost -> assertThat(cost.encoded()).isZero());
      for (int i = 0; i < 6; i++) {
        assertThat(after.get(i).latent()).isEqualTo(before.get(i).latent());
        Tensor context = after.get(i).prompt().context();
        assertThat(context).isEqualTo(before.get((i + 1) % 6).prompt().context());
      }
    }
  }

  private static List<Long> encoded(Cached cached) {
    return cached.costs().stream().map(EncodingCost::encoded).toList();
  }

  /** One picture's pixel and another's caption changed. */
  private record Touched(Dataset data) implements Dataset {
    @Override
    public int size() {
      return data.size();
    }

    @Override
    public Example get(int index) throws IOException {
      Example own = data.get(index);
      if (index == 1) {
        float[] levels = own.picture().data().clone();
        levels[7] = levels[7] < 0.5f ? levels[7] + 0.25f : levels[7] - 0.25f;
        PixelImage picture =
            new PixelImage(3, own.picture().height(), own.picture().width(), levels);
        return new Example(own.id(), own.caption(), picture);
      }
      return index == 2 ? new Example(own.id(), own.caption() + " again", own.picture()) : own;
    }

    @Override
    public String fingerprint() throws IOException {
      return "touched " + data.fingerprint();
    }
  }

  @Test
  void aChangedPictureOrCaptionIsEncodedAnew() {
    Dataset data = world(4);
    cached(data).close();
    Encodings direct = direct(new Touched(data));
    try (Cached touched = cached(new Touched(data))) {
      assertThat(encoded(touched)).containsExactly(1L, 1L, 1L, 1L);
      for (int i = 0; i < 4; i++) {
        assertSame(touched.get(i), direct.get(i));
      }
      assertThat(direct.get(1).latent()).isNotEqualTo(direct(data).get(1).latent());
    }
  }

  /** The bundled model with one number of one part changed. */
  private Path changed(Part part) throws IOException {
    Path model = temp.resolve("changed-" + part);
    Files.createDirectory(model);
    ModelFolder.copyParts(Path.of("../testdata/models/shapes"), model, Set.of(part.folder()));
    Path original = Path.of("../testdata/models/shapes").resolve(part.folder());
    Path own = Files.createDirectory(model.resolve(part.folder()));
    try (Stream<Path> files = Files.list(original)) {
      for (Path file : files.toList()) {
        Files.copy(file, own.resolve(file.getFileName()));
      }
    }
    Path weights = own.resolve(base.files(part).getFirst().getFileName());
    byte[] bytes = Files.readAllBytes(weights);
    // The last bytes belong to the last tensor; the lowest bit of a number's first byte.
    bytes[bytes.length - Float.BYTES] ^= 1;
    Files.write(weights, bytes);
    return model;
  }

  private void changesOnly(Part part, Long... encoded) throws IOException {
    Dataset data = world(3);
    cached(data).close();
    try (Checkpoint other = DiffusersFolder.open(changed(part));
        Cached again = cached(data, other)) {
      assertThat(encoded(again)).as(part.folder()).containsExactly(encoded);
      Encodings direct = direct(data, other);
      for (int i = 0; i < 3; i++) {
        assertSame(again.get(i), direct.get(i));
      }
    }
    try (Cached before = cached(data)) {
      assertThat(encoded(before)).containsOnly(0L);
    }
  }

  @Test
  void aChangedNetworkNeverGetsAnothersEntries() throws IOException {
    changesOnly(Part.VAE, 3L, 0L, 0L, 0L);
    changesOnly(Part.CLIP_L, 0L, 3L, 0L, 0L);
    changesOnly(Part.CLIP_G, 0L, 0L, 3L, 0L);
    changesOnly(Part.T5, 0L, 0L, 0L, 3L);
  }

  @Test
  void costsOfTheLastEncodingStay() {
    Dataset data = world(2);
    cached(data).close();
    Path costs = folder.resolve(EncodingCache.COSTS);
    String before = read(costs);
    cached(data).close();
    assertThat(read(costs)).isEqualTo(before);
    assertThat(EncodingCost.table(List.of(new EncodingCost(ENCODER, 0, 5, 0))))
        .contains("Mem [GB]", "FP [ms]", "Storage [kB]")
        .containsPattern("CLIP-L +0.0040 +- +2.40 +0 +5");
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  /** Each picture with the next one's caption. */
  private record Rotated(Dataset data) implements Dataset {
    @Override
    public int size() {
      return data.size();
    }

    @Override
    public Example get(int index) throws IOException {
      Example own = data.get(index);
      return new Example(own.id(), data.get((index + 1) % size()).caption(), own.picture());
    }

    @Override
    public String fingerprint() throws IOException {
      return "rotated " + data.fingerprint();
    }
  }

  @Test
  void aDamagedShardIsNamed() throws IOException {
    cached(world(2)).close();
    Path shard;
    try (Stream<Path> files = Files.list(folder)) {
      shard = files.filter(f -> f.toString().endsWith(".safetensors")).findFirst().orElseThrow();
    }
    Files.writeString(shard, "damaged");
    assertThatThrownBy(() -> cached(world(2)))
        .isInstanceOf(UserException.class)
        .hasMessageContaining(shard.getFileName().toString())
        .hasMessageContaining("Remove the file from the cache");
  }

  @Test
  void picturesOfAnotherSizeAreRefused() {
    Dataset small = new ShapesWorld(ShapesWorld.Settings.training(5, 1).withResolution(32));
    assertThatThrownBy(() -> cached(small))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("is 32x32, the run trains on 64x64");
  }

  @Test
  void theCostTableHasTable7sForm() {
    EncodingCost cost = new EncodingCost(ENCODER, 10, 5, 0.2);
    assertThat(EncodingCost.csv(List.of(cost)))
        .isEqualTo(
            """
            network,weights_GB,forward_ms,storage_kB,storage_fp16_kB,encoded,reused
            CLIP-L,0.004000,20.000,2.400,1.400,10,5
            """);
    assertThat(new EncodingCost(ENCODER, 0, 5, 0).milliseconds()).isNaN();
  }

  /** 20 ms for each of 25 samples a second are half a second more each second. */
  @Test
  void theStepIncreaseIsThatOfThisRunsOwnSpeed() {
    EncodingCost cost = new EncodingCost(ENCODER, 10, 5, 0.2);
    assertThat(EncodingCost.table(List.of(cost, new EncodingCost(OTHER, 0, 5, 0)), 25))
        .contains("(25.0/s with the cache)", "\u0394 step [%]")
        .containsPattern("CLIP-L +0.0040 +20.000 +2.40 +50.0")
        .doesNotContain("T5");
  }
}
