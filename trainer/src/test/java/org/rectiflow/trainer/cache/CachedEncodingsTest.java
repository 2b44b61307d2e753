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
import org.rectiflow.evaluation.PreEncoding;
import org.rectiflow.pipeline.Progress;
import org.rectiflow.pipeline.TextToImage;
import org.rectiflow.pipeline.checkpoint.Checkpoint;
import org.rectiflow.pipeline.checkpoint.DiffusersFolder;
import org.rectiflow.pipeline.checkpoint.Part;
import org.rectiflow.pipeline.io.UserException;
import org.rectiflow.trainer.data.Encoded;
import org.rectiflow.trainer.data.Encodings;
import org.rectiflow.vae.Autoencoder;

class CachedEncodingsTest {
  private static final int SIDE = 64;
  private static final int EXAMPLES = 40;
  private static final int T5_TOKENS = 32;

  private static Checkpoint base;
  private static Backend backend;
  private static TextToImage pipeline;

  @TempDir private Path folder;

  @BeforeAll
  static void openTheBundledModel() {
    base = DiffusersFolder.open(Path.of("../models/shapes"));
    backend = Backends.open("cpu", new BackendProvider.Options(2));
    pipeline = new TextToImage(base, backend);
  }

  @AfterAll
  static void close() {
    backend.close();
    base.close();
  }

  private static Dataset world(int count) {
    return new ShapesWorld(ShapesWorld.Settings.training(5, count));
  }

  private CachedEncodings cached(Dataset data) {
    return CachedEncodings.of(
        folder, data, SIDE, base, pipeline, T5_TOKENS, backend, Progress.NONE);
  }

  private static Encodings direct(Dataset data) {
    try (PromptEncoder encoders = pipeline.encoders(T5_TOKENS, Set.of())) {
      return Encodings.of(
          data,
          SIDE,
          new Autoencoder(pipeline.vaeConfig(), base.require(Part.VAE)),
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
    try (CachedEncodings first = cached(data)) {
      assertThat(first.size()).isEqualTo(EXAMPLES);
      for (int i = 0; i < EXAMPLES; i++) {
        assertSame(first.get(i), direct.get(i));
      }
      assertThat(first.costs()).extracting(EncodingCost::encoded).first().isEqualTo(40L);
      assertThat(folder.resolve("costs.csv")).content().startsWith("network,weights_GB");
      System.out.print(EncodingCost.csv(first.costs()));
    }
    try (CachedEncodings again = cached(data)) {
      assertThat(again.costs()).allSatisfy(cost -> assertThat(cost.encoded()).isZero());
      assertSame(again.get(EXAMPLES - 1), direct.get(EXAMPLES - 1));
    }
  }

  /** A process that was killed leaves some shards, and a temporary file. */
  @Test
  void whatWasFinishedIsNotEncodedAgain() throws IOException {
    cached(world(EXAMPLES / 2)).close();
    Files.writeString(folder.resolve(".left.safetensors.part"), "half");
    try (CachedEncodings rest = cached(world(EXAMPLES))) {
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
    try (CachedEncodings before = cached(data);
        CachedEncodings after = cached(swapped)) {
      assertThat(after.costs()).allSatisfy(cost -> assertThat(cost.encoded()).isZero());
      for (int i = 0; i < 6; i++) {
        assertThat(after.get(i).latent()).isEqualTo(before.get(i).latent());
        Tensor context = after.get(i).prompt().context();
        assertThat(context).isEqualTo(before.get((i + 1) % 6).prompt().context());
      }
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
    PreEncoding.Encoder encoder = new PreEncoding.Encoder("CLIP-L", 1_000_000, 500, 100);
    EncodingCost cost = new EncodingCost(encoder, 10, 5, 0.2);
    assertThat(EncodingCost.csv(List.of(cost)))
        .isEqualTo(
            """
            network,weights_GB,forward_ms,storage_kB,storage_fp16_kB,encoded,reused
            CLIP-L,0.004000,20.000,2.400,1.400,10,5
            """);
    assertThat(new EncodingCost(encoder, 0, 5, 0).milliseconds()).isNaN();
  }
}
