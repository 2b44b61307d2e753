package org.rectiflow.pipeline.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.rectiflow.engine.CheckpointException;
import org.rectiflow.mmdit.MmditConfig;
import org.rectiflow.pipeline.io.Json;
import org.rectiflow.safetensors.TensorSource;
import org.rectiflow.scheduler.FlowMatchConfig;

/**
 * A model in diffusers' layout: {@code model_index.json} and a folder for each part, with one file
 * of tensors or shards and an index. Parts are opened when they are first asked for.
 */
public final class DiffusersFolder implements Checkpoint {
  private static final List<String> PIPELINES = List.of("StableDiffusion3Pipeline");

  private final Path folder;
  private final Map<Part, OpenPart> open = new EnumMap<>(Part.class);

  private DiffusersFolder(Path folder) {
    this.folder = folder;
  }

  /**
   * Opens a model folder. Nothing is read but {@code model_index.json} and the transformer's sizes.
   *
   * @throws CheckpointException if it is no folder of a Stable Diffusion 3 model
   */
  public static DiffusersFolder open(Path folder) {
    Path index = folder.resolve("model_index.json");
    if (!Files.exists(index)) {
      throw new CheckpointException(
          "%s is no model folder: it has no model_index.json. A model is a folder in diffusers' layout (model_index.json, transformer/, vae/, text_encoder/ ...) or a single .safetensors file.%s%s"
              .formatted(folder, singleFiles(folder), checkpoints(folder)));
    }
    String pipeline = Json.readObject(index).path("_class_name").asText();
    if (!PIPELINES.contains(pipeline)) {
      throw new CheckpointException(
          "%s is a model for %s; this version runs %s".formatted(folder, pipeline, PIPELINES));
    }
    DiffusersFolder model = new DiffusersFolder(folder);
    try {
      model.checkTransformerConfig();
      return model;
    } catch (RuntimeException e) {
      model.close();
      throw e;
    }
  }

  /** Names the files in a folder that could be meant. */
  private static String singleFiles(Path folder) {
    List<Path> files = Beside.safetensorsIn(folder);
    if (files.isEmpty()) {
      return "";
    }
    return " The folder holds "
        + String.join(", ", files.stream().map(f -> f.getFileName().toString()).toList())
        + ": if one of them is the model, name that file.";
  }

  /** Names the latest model in a training run's folder. */
  private static String checkpoints(Path folder) {
    Path checkpoints = folder.resolve("checkpoints");
    if (!Files.isDirectory(checkpoints)) {
      return "";
    }
    try (Stream<Path> models = Files.list(checkpoints)) {
      return models
          .filter(model -> Files.exists(model.resolve("model_index.json")))
          .max(Comparator.naturalOrder())
          .map(model ->
              " It is the folder of a training run, whose latest model is %s.".formatted(model))
          .orElse("");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The shapes decide; a configuration that contradicts them belongs to other weights. */
  private void checkTransformerConfig() {
    Path file = folder.resolve("transformer/config.json");
    if (!Files.exists(file)) {
      return;
    }
    JsonNode json = Json.readObject(file);
    int headSize = json.path("attention_head_dim").asInt(MmditConfig.HEAD_SIZE);
    if (headSize != MmditConfig.HEAD_SIZE) {
      throw new CheckpointException(
          "%s: attention_head_dim is %d; Rectiflow knows transformers with heads of %d channels"
              .formatted(file, headSize, MmditConfig.HEAD_SIZE));
    }
    MmditConfig shapes = MmditConfig.of(require(Part.TRANSFORMER));
    int layers = json.path("num_layers").asInt(shapes.depth());
    int heads = json.path("num_attention_heads").asInt(shapes.heads());
    if (layers != shapes.depth() || heads != shapes.heads()) {
      throw new CheckpointException(
          "%s says %d layers and %d heads, the tensors beside it are a model of %d and %d. Download both from the same place."
              .formatted(file, layers, heads, shapes.depth(), shapes.heads()));
    }
  }

  @Override
  public Path path() {
    return folder;
  }

  @Override
  public String layout() {
    return "diffusers folder";
  }

  @Override
  public Optional<OpenPart> part(Part part) {
    OpenPart known = open.get(part);
    if (known == null) {
      Path config = folder.resolve(part.folder()).resolve("config.json");
      known = PartFolder.open(part, folder.resolve(part.folder()), () -> config(part, config));
      if (known != null) {
        open.put(part, known);
      }
    }
    return Optional.ofNullable(known);
  }

  /** Every part of this layout has a configuration, but the transformer can do without. */
  private static Optional<ConfigJson> config(Part part, Path file) {
    return part == Part.TRANSFORMER && !Files.exists(file)
        ? Optional.empty()
        : Optional.of(ConfigJson.read(file));
  }

  @Override
  public Optional<ConfigJson> config(String name) {
    return Optional.of(folder.resolve(name)).filter(Files::exists).map(ConfigJson::read);
  }

  @Override
  public Optional<Path> tokenizer(Part encoder) {
    return Optional.of(folder.resolve(encoder.tokenizerFolder())).filter(Files::isDirectory);
  }

  @Override
  public String howToSupply(Part part) {
    return "Its folder %s is missing: download it from where the model came from%s."
        .formatted(
            part.folder(), part == Part.TRANSFORMER ? "" : ", or give a file with " + part.flag());
  }

  @Override
  public String howToSupplyTokenizer(Part encoder) {
    return "Its folder %s is missing: download it from where the model came from, or give a folder that has it with --tokenizers."
        .formatted(encoder.tokenizerFolder());
  }

  @Override
  public FlowMatchConfig schedulerConfig() {
    return SchedulerConfigFile.read(folder.resolve("scheduler/scheduler_config.json"));
  }

  /** {@code rectiflow.json}, and the size in pixels that the transformer was trained for. */
  @Override
  public GenerationDefaults defaults() {
    int sampleSize =
        Json.readObject(folder.resolve("transformer/config.json")).path("sample_size").asInt(128);
    int size = sampleSize * vaeConfig().factor();
    Path file = folder.resolve("rectiflow.json");
    return Files.exists(file)
        ? GenerationDefaults.of(Json.readObject(file), size)
        : GenerationDefaults.of(size);
  }

  @Override
  public Stream<TensorSource> openSources() {
    return open.values().stream().map(part -> part.stored().source());
  }

  @Override
  public void close() {
    openSources().forEach(TensorSource::close);
    open.clear();
  }
}
