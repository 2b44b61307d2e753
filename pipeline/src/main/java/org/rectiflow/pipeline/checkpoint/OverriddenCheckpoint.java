package org.rectiflow.pipeline.checkpoint;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.rectiflow.engine.CheckpointException;
import org.rectiflow.mmdit.MmditConfig;
import org.rectiflow.safetensors.TensorSource;
import org.rectiflow.scheduler.FlowMatchConfig;

/** A checkpoint with some of its parts, or its tokenizers, taken from elsewhere. */
public final class OverriddenCheckpoint implements Checkpoint {
  private final Checkpoint base;
  private final Map<Part, OpenPart> parts = new EnumMap<>(Part.class);
  private final Optional<Path> tokenizers;

  private OverriddenCheckpoint(Checkpoint base, Optional<Path> tokenizers) {
    this.base = base;
    this.tokenizers = tokenizers;
  }

  /**
   * Takes over {@code base}: it is closed with this, and at once if this cannot be made.
   *
   * @param files for each part a safetensors file that has it, a shard index, or the part's folder
   *     of a diffusers model
   * @param tokenizers a folder that holds the folders of the three tokenizers
   * @throws CheckpointException if a file lacks the part it is given for, or is missing
   */
  public static Checkpoint of(Checkpoint base, Map<Part, Path> files, Optional<Path> tokenizers) {
    if (files.isEmpty() && tokenizers.isEmpty()) {
      return base;
    }
    OverriddenCheckpoint model = new OverriddenCheckpoint(base, tokenizers);
    try {
      tokenizers.ifPresent(OverriddenCheckpoint::checkTokenizers);
      files.forEach((part, path) -> model.parts.put(part, open(part, path)));
      return model;
    } catch (RuntimeException e) {
      model.close();
      throw e;
    }
  }

  private static OpenPart open(Part part, Path path) {
    if (!Files.exists(path)) {
      throw new CheckpointException(
          "%s: no such file or folder. %s takes a file with the %s, or its folder of a diffusers model."
              .formatted(path, part.flag(), part.title()));
    }
    if (Files.isDirectory(path)) {
      // The folder of the part, or the model's folder that has it.
      Path folder =
          Files.isDirectory(path.resolve(part.folder())) ? path.resolve(part.folder()) : path;
      return inFolder(part, path, folder);
    }
    TensorSource source = TensorSource.open(path);
    try {
      StoredPart stored = FileContents.of(source).as(part);
      return new OpenPart(
          stored,
          () -> ConfigJson.inMetadata(path, source.metadata(), part.folder() + "/config.json"));
    } catch (RuntimeException e) {
      source.close();
      throw e;
    }
  }

  private static OpenPart inFolder(Part part, Path path, Path folder) {
    Path config = folder.resolve("config.json");
    OpenPart opened;
    try {
      opened = PartFolder.open(part, folder, () -> Optional.of(ConfigJson.read(config)));
    } catch (CheckpointException e) {
      throw new CheckpointException("%s %s: %s".formatted(part.flag(), path, e.getMessage()));
    }
    try {
      FileContents.of(opened.stored().source()).as(part);
      return opened;
    } catch (RuntimeException e) {
      opened.stored().source().close();
      throw e;
    }
  }

  /**
   * Checks that encoders from elsewhere make embeddings as wide as the transformer reads them.
   * Generating finds out by itself; a conversion would write a model that cannot work.
   *
   * @throws CheckpointException if one does not
   */
  public void requireFit() {
    MmditConfig reads = MmditConfig.of(base.require(Part.TRANSFORMER));
    if (parts.containsKey(Part.T5)) {
      requireWidth(Part.T5, "a context", t5Config().width(), reads.contextWidth());
    }
    for (Part clip : List.of(Part.CLIP_L, Part.CLIP_G)) {
      Part other = clip == Part.CLIP_L ? Part.CLIP_G : Part.CLIP_L;
      if (parts.containsKey(clip) && part(other).isPresent()) {
        int wanted = reads.pooledWidth() - clipConfig(other).pooledWidth();
        requireWidth(
            clip,
            "beside its %s a pooled embedding".formatted(other.title()),
            clipConfig(clip).pooledWidth(),
            wanted);
      }
    }
  }

  private void requireWidth(Part part, String what, int found, int wanted) {
    if (found != wanted) {
      throw new CheckpointException(
          "%s %s: this %s makes %d channels, but %s reads %s of %d. It belongs to another model, or is another encoder."
              .formatted(
                  part.flag(), files(part).getFirst(), part.title(), found, path(), what, wanted));
    }
  }

  private static void checkTokenizers(Path folder) {
    for (Part part : Part.values()) {
      if (part.isEncoder() && Files.isDirectory(folder.resolve(part.tokenizerFolder()))) {
        return;
      }
    }
    throw new CheckpointException(
        "%s holds none of the folders tokenizer, tokenizer_2 and tokenizer_3. --tokenizers takes a folder that does, such as any SD3 model in diffusers' layout."
            .formatted(folder));
  }

  /** What to do when an encoder's tokenizer is not in {@code folder}. */
  static String tokenizersWanted(Part encoder, Path folder) {
    String files =
        encoder == Part.T5
            ? "tokenizer_config.json with spiece.model or tokenizer.json"
            : "tokenizer_config.json, vocab.json and merges.txt";
    return "%s has no folder %s (%s). Every SD3 and SD3.5 model in diffusers' layout is published with it, for instance stabilityai/stable-diffusion-3-medium-diffusers on Hugging Face: download the folders tokenizer, tokenizer_2 and tokenizer_3 and name the folder they are in with --tokenizers."
        .formatted(folder, encoder.tokenizerFolder(), files);
  }

  @Override
  public Path path() {
    return base.path();
  }

  @Override
  public String layout() {
    return base.layout();
  }

  @Override
  public Optional<OpenPart> part(Part part) {
    return parts.containsKey(part) ? Optional.of(parts.get(part)) : base.part(part);
  }

  @Override
  public Optional<ConfigJson> config(String name) {
    return base.config(name);
  }

  @Override
  public Optional<Path> tokenizer(Part encoder) {
    return tokenizers
        .map(t -> t.resolve(encoder.tokenizerFolder()))
        .filter(Files::isDirectory)
        .or(() -> base.tokenizer(encoder))
        .or(() -> BundledTokenizers.find(encoder, this));
  }

  @Override
  public String howToSupply(Part part) {
    return base.howToSupply(part);
  }

  @Override
  public String howToSupplyTokenizer(Part encoder) {
    return tokenizers
        .map(folder -> tokenizersWanted(encoder, folder))
        .orElseGet(() -> base.howToSupplyTokenizer(encoder));
  }

  @Override
  public FlowMatchConfig schedulerConfig() {
    return base.schedulerConfig();
  }

  @Override
  public GenerationDefaults defaults() {
    return base.defaults();
  }

  @Override
  public Stream<TensorSource> openSources() {
    return Stream.concat(
        base.openSources(), parts.values().stream().map(part -> part.stored().source()));
  }

  @Override
  public void close() {
    parts.values().forEach(part -> part.stored().source().close());
    base.close();
  }
}
