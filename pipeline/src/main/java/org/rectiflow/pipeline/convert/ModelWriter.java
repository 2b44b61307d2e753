package org.rectiflow.pipeline.convert;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.rectiflow.pipeline.checkpoint.ConfigJson;
import org.rectiflow.pipeline.checkpoint.Part;
import org.rectiflow.pipeline.checkpoint.StoredPart;
import org.rectiflow.pipeline.io.AtomicFolder;
import org.rectiflow.pipeline.io.OutputPlace;
import org.rectiflow.pipeline.io.UserException;
import org.rectiflow.safetensors.SafetensorsWriter;
import org.rectiflow.safetensors.TensorSource;

/**
 * Writes models in a layout. A folder appears under its name when all of it is written; tensors
 * stream from their source to the disk.
 */
final class ModelWriter {
  private final ModelPlan plan;
  private final List<TensorSource> sources;
  private final OptionalLong maxShardBytes;

  /**
   * @param sources files that are read from, and must not be written to
   * @param maxShardBytes the most bytes of data in a file of a diffusers folder
   */
  ModelWriter(ModelPlan plan, List<TensorSource> sources, OptionalLong maxShardBytes) {
    this.plan = plan;
    this.sources = sources;
    this.maxShardBytes = maxShardBytes;
  }

  /**
   * Writes one file of tensors with a source's metadata to {@code target}, which must not exist.
   */
  static void file(TensorSource source, Path target, List<TensorPlan> tensors) throws IOException {
    refuseExisting(target);
    Files.createDirectories(target.toAbsolutePath().getParent());
    SafetensorsWriter writer = new SafetensorsWriter().metadata(source.metadata());
    writer.readingFrom(source);
    tensors.forEach(t -> t.addTo(writer, ""));
    writer.write(target);
  }

  private static void refuseExisting(Path target) {
    if (Files.exists(target)) {
      throw new UserException(
          target
              + " exists, and nothing is overwritten. Choose another name, or remove it first if it is not needed.");
    }
  }

  /**
   * Writes to {@code target}, which must not exist.
   *
   * @throws UserException if it does, or its disk has no room for all parts together
   */
  void write(Path target, TargetLayout layout) throws IOException {
    refuseExisting(target);
    OutputPlace.requireRoom(target, plan.bytes(), "Free some space, or write to another disk.");
    switch (layout) {
      case SINGLE -> {
        Files.createDirectories(target.toAbsolutePath().getParent());
        single(target, _ -> true);
      }
      case SEPARATE -> AtomicFolder.write(target, this::separate);
      case DIFFUSERS -> AtomicFolder.write(target, this::diffusers);
    }
  }

  private void single(Path file, Predicate<Part> which) {
    SafetensorsWriter writer = writer();
    plan.configs()
        .forEach((name, text) -> {
          boolean ofOtherPart =
              Stream.of(Part.values())
                  .anyMatch(p -> name.startsWith(p.folder() + "/") && !which.test(p));
          if (!ofOtherPart) {
            writer.metadata(ConfigJson.KEY + name, text);
          }
        });
    plan.parts()
        .forEach((part, tensors) -> {
          if (which.test(part)) {
            tensors.forEach(t -> t.addTo(writer, prefix(part)));
          }
        });
    writer.write(file);
  }

  private SafetensorsWriter writer() {
    SafetensorsWriter writer = new SafetensorsWriter().metadata(plan.metadata());
    return writer.readingFrom(sources.toArray(new TensorSource[0]));
  }

  private static String prefix(Part part) {
    return switch (part) {
      case TRANSFORMER -> "model.diffusion_model.";
      case VAE -> "first_stage_model.";
      case CLIP_L -> "text_encoders.clip_l.transformer.";
      case CLIP_G -> "text_encoders.clip_g.transformer.";
      case T5 -> "text_encoders.t5xxl.transformer.";
    };
  }

  private void separate(Path folder) throws IOException {
    single(folder.resolve("model.safetensors"), part -> !part.isEncoder());
    Path encoders = Files.createDirectory(folder.resolve("text_encoders"));
    for (Map.Entry<Part, List<TensorPlan>> entry : plan.parts().entrySet()) {
      Part part = entry.getKey();
      if (part.isEncoder()) {
        SafetensorsWriter writer = writer().metadata(StoredPart.KEY, part.folder());
        String config = part.folder() + "/config.json";
        if (plan.configs().containsKey(config)) {
          writer.metadata(ConfigJson.KEY + config, plan.configs().get(config));
        }
        entry.getValue().forEach(t -> t.addTo(writer, ""));
        writer.write(encoders.resolve(encoderFile(part, entry.getValue())));
      }
    }
    copyTokenizers(folder);
  }

  /** As they are published: {@code t5xxl_fp8_e4m3fn.safetensors}. */
  private static String encoderFile(Part part, List<TensorPlan> tensors) {
    String dtype =
        switch (tensors.stream()
            .max((a, b) -> Long.compare(a.bytes(), b.bytes()))
            .orElseThrow()
            .dtype()) {
          case F16 -> "_fp16";
          case BF16 -> "_bf16";
          case F8_E4M3 -> "_fp8_e4m3fn";
          case F8_E5M2 -> "_fp8_e5m2";
          default -> "_fp32";
        };
    return switch (part) {
      case CLIP_L -> "clip_l.safetensors";
      case CLIP_G -> "clip_g.safetensors";
      default -> "t5xxl" + dtype + ".safetensors";
    };
  }

  private void diffusers(Path folder) throws IOException {
    for (Map.Entry<Part, List<TensorPlan>> entry : plan.parts().entrySet()) {
      Part part = entry.getKey();
      Path partFolder = Files.createDirectory(folder.resolve(part.folder()));
      SafetensorsWriter writer = writer();
      entry.getValue().forEach(t -> t.addTo(writer, ""));
      String stem = part.isEncoder() ? "model" : "diffusion_pytorch_model";
      writer.writeShards(partFolder, stem, maxShardBytes.orElse(Long.MAX_VALUE));
    }
    for (Map.Entry<String, String> config : new TreeMap<>(plan.configs()).entrySet()) {
      Path file = folder.resolve(config.getKey());
      Files.createDirectories(file.getParent());
      Files.writeString(file, config.getValue());
    }
    copyTokenizers(folder);
  }

  private void copyTokenizers(Path folder) throws IOException {
    for (Map.Entry<String, Path> entry : plan.tokenizers().entrySet()) {
      Path to = Files.createDirectory(folder.resolve(entry.getKey()));
      try (Stream<Path> files = Files.list(entry.getValue())) {
        for (Path file : files.filter(Files::isRegularFile).toList()) {
          Files.copy(file, to.resolve(file.getFileName()));
        }
      }
    }
  }
}
