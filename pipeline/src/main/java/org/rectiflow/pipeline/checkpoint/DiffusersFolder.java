package org.rectiflow.pipeline.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.rectiflow.encoders.ClipConfig;
import org.rectiflow.encoders.T5Config;
import org.rectiflow.engine.CheckpointException;
import org.rectiflow.engine.StoredWeights;
import org.rectiflow.engine.WeightSource;
import org.rectiflow.mmdit.MmditConfig;
import org.rectiflow.pipeline.io.Json;
import org.rectiflow.safetensors.TensorSource;
import org.rectiflow.scheduler.FlowMatchConfig;
import org.rectiflow.vae.VaeConfig;

/**
 * A model in diffusers' layout: {@code model_index.json} and a folder for each part, with one file
 * of tensors or shards and an index. Parts are opened when they are first asked for.
 */
public final class DiffusersFolder implements Checkpoint {
  private static final List<String> PIPELINES = List.of("StableDiffusion3Pipeline");

  private final Path folder;
  private final Map<Part, TensorSource> open = new EnumMap<>(Part.class);

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
          "%s is no model folder: it has no model_index.json. --model takes a folder in diffusers' layout (model_index.json, transformer/, vae/, text_encoder/ ...)."
              .formatted(folder));
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
  public Optional<WeightSource> weights(Part part) {
    return source(part).map(StoredWeights::new);
  }

  private Optional<TensorSource> source(Part part) {
    TensorSource known = open.get(part);
    if (known == null) {
      known = weightFile(part).map(TensorSource::open).orElse(null);
      if (known != null) {
        open.put(part, known);
      }
    }
    return Optional.ofNullable(known);
  }

  /** One file if there is one, else the index of the shards. */
  private Optional<Path> weightFile(Part part) {
    String name =
        switch (part) {
          case TRANSFORMER, VAE -> "diffusion_pytorch_model.safetensors";
          case CLIP_L, CLIP_G, T5 -> "model.safetensors";
        };
    Path partFolder = folder.resolve(part.folder());
    Path single = partFolder.resolve(name);
    Path index = partFolder.resolve(name + ".index.json");
    if (Files.exists(single) || Files.exists(index)) {
      return Optional.of(Files.exists(single) ? single : index);
    }
    if (Files.isDirectory(partFolder)) {
      throw new CheckpointException(
          "%s has neither %s nor %s.index.json: the download is incomplete, or its files have other names."
              .formatted(partFolder, name, name));
    }
    return Optional.empty();
  }

  @Override
  public List<Path> files(Part part) {
    return source(part).map(TensorSource::files).orElse(List.of());
  }

  @Override
  public Optional<TensorSummary> summary(Part part, boolean listed) {
    return source(part).map(source -> TensorSummary.of(source, listed));
  }

  @Override
  public Optional<Path> tokenizer(Part encoder) {
    return Optional.of(folder.resolve(encoder.tokenizerFolder())).filter(Files::isDirectory);
  }

  @Override
  public FlowMatchConfig schedulerConfig() {
    return SchedulerConfigFile.read(folder.resolve("scheduler/scheduler_config.json"));
  }

  @Override
  public VaeConfig vaeConfig() {
    Path file = folder.resolve("vae/config.json");
    JsonNode json = Json.readObject(file);
    if (json.path("use_quant_conv").asBoolean() || json.path("use_post_quant_conv").asBoolean()) {
      throw new CheckpointException(
          file + ": this autoencoder has quantisation convolutions; SD3's has none");
    }
    return VaeConfig.of(
        require(Part.VAE),
        json.path("norm_num_groups").asInt(VaeConfig.SD3_GROUPS),
        (float) number(file, json, "scaling_factor"),
        (float) number(file, json, "shift_factor"));
  }

  private static double number(Path file, JsonNode json, String key) {
    if (!json.path(key).isNumber()) {
      throw new CheckpointException(
          "%s: %s must be a number, found %s".formatted(file, key, json.path(key)));
    }
    return json.path(key).doubleValue();
  }

  @Override
  public ClipConfig clipConfig(Part clip) {
    return ClipConfig.read(folder.resolve(clip.folder()).resolve("config.json"));
  }

  @Override
  public T5Config t5Config() {
    return T5Config.read(folder.resolve(Part.T5.folder()).resolve("config.json"));
  }

  /** {@code rectiflow.json}, and the size in pixels that the transformer was trained for. */
  @Override
  public GenerationDefaults defaults() {
    int sampleSize =
        Json.readObject(folder.resolve("transformer/config.json")).path("sample_size").asInt(128);
    int size = sampleSize * vaeConfig().factor();
    Path file = folder.resolve("rectiflow.json");
    if (!Files.exists(file)) {
      return new GenerationDefaults(Optional.empty(), Optional.empty(), size);
    }
    JsonNode json = Json.readObject(file);
    return new GenerationDefaults(
        Optional.ofNullable(json.get("steps")).map(JsonNode::asInt),
        Optional.ofNullable(json.get("guidance")).map(JsonNode::asDouble),
        size);
  }

  @Override
  public void close() {
    open.values().forEach(TensorSource::close);
    open.clear();
  }
}
