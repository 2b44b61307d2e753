package org.rectiflow.pipeline.checkpoint;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.rectiflow.engine.CheckpointException;
import org.rectiflow.mmdit.MmditConfig;
import org.rectiflow.safetensors.TensorSource;
import org.rectiflow.scheduler.FlowMatchConfig;

/**
 * A model in the original layout: one file with the transformer and usually the autoencoder, and
 * with the text encoders or without. What is not in the file is looked for beside it, see {@link
 * Beside}; tokenizers, which no such file carries, in the folders {@code tokenizer}, {@code
 * tokenizer_2} and {@code tokenizer_3} beside it; CLIP's own vocabulary comes with the program.
 *
 * <p>Sizes come from shapes and the rest is as published, see {@link OpenPart}, unless the file's
 * metadata says otherwise, see {@link ConfigJson}. The scheduler is FlowMatchEuler with a shift of
 * 3, as all of SD3 and SD3.5 have it.
 */
public final class SingleFile implements Checkpoint {
  private static final double SHIFT = 3;

  /** Released transformers are trained for latents of 128, and so are their tables at least. */
  private static final int SAMPLE_SIZE = 128;

  private final Path file;
  private final TensorSource source;
  private final Map<Part, Optional<OpenPart>> parts = new EnumMap<>(Part.class);
  private final Set<TensorSource> others = new LinkedHashSet<>();
  private Optional<String> problem = Optional.empty();
  private Beside beside;

  private SingleFile(Path file, TensorSource source) {
    this.file = file;
    this.source = source;
  }

  /**
   * Opens a single file. Only headers are read.
   *
   * @throws CheckpointException if it holds no transformer of Stable Diffusion 3, saying what it
   *     holds instead, or tensors that belong to no part
   */
  public static SingleFile open(Path file) {
    TensorSource source = TensorSource.open(file);
    try {
      SingleFile model = new SingleFile(file, source);
      model.read(FileContents.of(source));
      return model;
    } catch (RuntimeException e) {
      source.close();
      throw e;
    }
  }

  /** As {@link #open}, but tensors that belong to nothing are only {@link #problem reported}. */
  static SingleFile openLenient(Path file) {
    TensorSource source = TensorSource.open(file);
    SingleFile model = new SingleFile(file, source);
    FileContents contents = FileContents.of(source);
    contents.parts().forEach((part, p) -> model.parts.put(part, Optional.of(model.open(p))));
    try {
      contents.requireAllKnown();
    } catch (CheckpointException e) {
      model.problem = Optional.of(e.getMessage());
    }
    return model;
  }

  private void read(FileContents contents) {
    if (contents.foreign().isPresent()) {
      Foreign foreign = contents.foreign().get();
      throw new CheckpointException(
          "%s is %s. %s".formatted(file, foreign.what(), foreign.remedy()));
    }
    if (!contents.parts().containsKey(Part.TRANSFORMER)) {
      String flags =
          String.join(" and ", contents.parts().keySet().stream().map(Part::flag).toList());
      throw new CheckpointException(
          "%s is %s; --model takes a file with the transformer.%s"
              .formatted(
                  file,
                  contents.describe(),
                  flags.isEmpty() ? "" : " Give this one with " + flags + ", beside a --model."));
    }
    contents.requireAllKnown();
    contents.parts().forEach((part, stored) -> parts.put(part, Optional.of(open(stored))));
  }

  private OpenPart open(StoredPart stored) {
    return new OpenPart(
        stored, () -> config(stored.source(), stored.part().folder() + "/config.json"));
  }

  private static Optional<ConfigJson> config(TensorSource source, String name) {
    return ConfigJson.inMetadata(source.path(), source.metadata(), name);
  }

  private Beside beside() {
    if (beside == null) {
      beside = Beside.of(file);
    }
    return beside;
  }

  @Override
  public Path path() {
    return file;
  }

  @Override
  public String layout() {
    return "single file";
  }

  @Override
  public Optional<String> problem() {
    return problem;
  }

  @Override
  public Optional<OpenPart> part(Part part) {
    return parts.computeIfAbsent(part, this::openBeside);
  }

  private Optional<OpenPart> openBeside(Part part) {
    Optional<FileContents> contents = beside().open(part);
    contents.ifPresent(c -> others.add(c.source()));
    return contents.map(c -> open(c.as(part)));
  }

  @Override
  public Optional<ConfigJson> config(String name) {
    return config(source, name);
  }

  @Override
  public Optional<Path> tokenizer(Part encoder) {
    return Optional.of(file.resolveSibling(encoder.tokenizerFolder()))
        .filter(Files::isDirectory)
        .or(() -> BundledTokenizers.find(encoder, this));
  }

  @Override
  public String howToSupply(Part part) {
    String published =
        switch (part) {
          case TRANSFORMER, VAE -> "any single file of SD3 or SD3.5 has it";
          case CLIP_L -> "published as text_encoders/clip_l.safetensors beside the single files";
          case CLIP_G -> "published as text_encoders/clip_g.safetensors beside the single files";
          case T5 -> "published as text_encoders/t5xxl_fp16.safetensors beside the single files";
        };
    return "%s Give a file with %s (%s).".formatted(beside().where(), part.flag(), published);
  }

  @Override
  public String howToSupplyTokenizer(Part encoder) {
    return OverriddenCheckpoint.tokenizersWanted(encoder, file.toAbsolutePath().getParent());
  }

  @Override
  public FlowMatchConfig schedulerConfig() {
    return config(source, "scheduler/scheduler_config.json")
        .map(c -> SchedulerConfigFile.of(c.origin(), c.json()))
        .orElseGet(() -> FlowMatchConfig.builder().shift(SHIFT).build());
  }

  @Override
  public GenerationDefaults defaults() {
    MmditConfig sizes = MmditConfig.of(require(Part.TRANSFORMER));
    int sampleSize =
        config(source, "transformer/config.json")
            .map(c -> c.json().path("sample_size").asInt(SAMPLE_SIZE))
            .orElseGet(() -> sampleSize(sizes));
    int size = sampleSize * vaeConfig().factor();
    return config(source, "rectiflow.json")
        .map(c -> GenerationDefaults.of(c.json(), size))
        .orElseGet(() -> GenerationDefaults.of(size));
  }

  /** Two thirds of the position table as in SD3-medium and SD3.5-large, 128 at most. */
  public static int sampleSize(MmditConfig sizes) {
    int latents = sizes.positionTableSize() * 2 / 3;
    return Math.min(
        SAMPLE_SIZE, Math.max(sizes.patchSize(), latents / sizes.patchSize() * sizes.patchSize()));
  }

  @Override
  public Stream<TensorSource> openSources() {
    return Stream.concat(Stream.of(source), others.stream());
  }

  @Override
  public void close() {
    openSources().forEach(TensorSource::close);
  }
}
