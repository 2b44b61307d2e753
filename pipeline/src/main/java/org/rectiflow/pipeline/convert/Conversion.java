package org.rectiflow.pipeline.convert;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.rectiflow.encoders.T5Config;
import org.rectiflow.mmdit.MmditConfig;
import org.rectiflow.pipeline.Progress;
import org.rectiflow.pipeline.checkpoint.Checkpoint;
import org.rectiflow.pipeline.checkpoint.ConfigJson;
import org.rectiflow.pipeline.checkpoint.OpenPart;
import org.rectiflow.pipeline.checkpoint.Part;
import org.rectiflow.pipeline.checkpoint.SingleFile;
import org.rectiflow.pipeline.checkpoint.StoredPart;
import org.rectiflow.pipeline.io.Json;
import org.rectiflow.pipeline.io.UserException;
import org.rectiflow.safetensors.DType;
import org.rectiflow.safetensors.TensorInfo;
import org.rectiflow.safetensors.TensorSource;

/**
 * Writes a checkpoint anew in another layout, with other types, or both. Tensors stream from the
 * mapped source to the disk; in the same type they keep their bits. Configurations that a layout
 * has no place for travel in the metadata, so that the way there and back restores them.
 *
 * @param layout of the target
 * @param dtype of all parts; empty to keep what is stored
 * @param partDtypes of single parts, before {@code dtype}
 * @param maxShardBytes the most bytes in a file of a diffusers folder
 * @param parts which parts to write
 */
public record Conversion(
    TargetLayout layout,
    Optional<DType> dtype,
    Map<Part, DType> partDtypes,
    OptionalLong maxShardBytes,
    Set<Part> parts) {
  private static final String SCHEDULER = "scheduler/scheduler_config.json";
  private static final String INDEX = "model_index.json";
  private static final String DEFAULTS = "rectiflow.json";

  /**
   * What was written.
   *
   * @param parts bytes of each part's tensors
   * @param missing parts that were asked for and are not in the source
   * @param tokenizers whether the tokenizers of all written encoders were
   */
  public record Written(Map<Part, Long> parts, List<Part> missing, boolean tokenizers) {}

  /**
   * Writes to {@code target}, which must not exist.
   *
   * @throws UserException if it exists, the source has none of the parts, or a value does not fit
   *     the new type
   * @throws org.rectiflow.safetensors.SafetensorsException if it cannot be written
   */
  public Written write(Checkpoint source, Path target, Progress progress) throws IOException {
    Map<Part, List<TensorPlan>> plans = new EnumMap<>(Part.class);
    Map<Part, OpenPart> open = new EnumMap<>(Part.class);
    Map<String, String> metadata = new TreeMap<>();
    Map<String, Path> tokenizers = new LinkedHashMap<>();
    for (Part part : parts) {
      Optional<OpenPart> found = source.part(part);
      found.ifPresent(p -> {
        open.put(part, p);
        plans.put(part, tensors(p));
        p.stored().source().metadata().forEach(metadata::putIfAbsent);
      });
      if (found.isPresent() && part.isEncoder()) {
        source.tokenizer(part).ifPresent(t -> tokenizers.put(part.tokenizerFolder(), t));
      }
    }
    if (plans.isEmpty()) {
      throw new UserException(source.path() + " has none of the parts that were asked for");
    }
    metadata.keySet().removeIf(key -> key.startsWith(ConfigJson.KEY) || key.equals(StoredPart.KEY));
    ModelPlan plan = new ModelPlan(plans, metadata, configs(source, open), tokenizers);
    List<TensorSource> sources = source.openSources().distinct().toList();
    new ModelWriter(plan.with(progress), sources, maxShardBytes).write(target, layout);
    Map<Part, Long> written = new EnumMap<>(Part.class);
    plans.forEach((part, t) -> written.put(part, t.stream().mapToLong(TensorPlan::bytes).sum()));
    return new Written(
        written,
        parts.stream().filter(p -> !plans.containsKey(p)).toList(),
        plans.keySet().stream()
            .filter(Part::isEncoder)
            .allMatch(p -> tokenizers.containsKey(p.tokenizerFolder())));
  }

  private List<TensorPlan> tensors(OpenPart part) {
    Optional<DType> wanted =
        Optional.ofNullable(partDtypes.get(part.stored().part())).or(() -> dtype);
    return PartTensors.of(part.stored(), layout.names()).stream()
        .map(t -> t.as(target(wanted, t.dtype(), t.shape().size())))
        .toList();
  }

  /** Norms and biases stay wider than eight bits, as in the published float8 files. */
  private static DType target(Optional<DType> wanted, DType stored, int rank) {
    boolean eightBits = wanted.isPresent() && wanted.get().bits() == 8;
    return !stored.isWidenable() || (eightBits && rank < 2) ? stored : wanted.orElse(stored);
  }

  private Map<String, String> configs(Checkpoint source, Map<Part, OpenPart> open) {
    Map<String, String> configs = new TreeMap<>();
    open.forEach((part, p) ->
        put(configs, part.folder() + "/config.json", config(part, p), generated(part, p)));
    if (open.containsKey(Part.TRANSFORMER)) {
      Map<String, Object> scheduler = DiffusersConfigs.scheduler(source.schedulerConfig());
      put(configs, SCHEDULER, text(source, SCHEDULER), scheduler);
      Optional<String> index = text(source, INDEX).filter(t -> names(parse(t), open.keySet()));
      put(configs, INDEX, index, DiffusersConfigs.modelIndex(open.keySet()));
      text(source, DEFAULTS).ifPresent(text -> configs.put(DEFAULTS, text));
    }
    return configs;
  }

  /** Whether a {@code model_index.json} names these parts and no others. */
  private static boolean names(JsonNode index, Set<Part> parts) {
    return Stream.of(Part.values())
        .allMatch(p -> index.path(p.folder()).path(0).isTextual() == parts.contains(p));
  }

  /** A folder gets every configuration; a file only what its tensors do not say anyway. */
  private void put(
      Map<String, String> configs,
      String name,
      Optional<String> own,
      Map<String, Object> generated) {
    String otherwise = Json.pretty(generated);
    if (layout == TargetLayout.DIFFUSERS) {
      configs.put(name, own.orElse(otherwise));
    } else if (own.isPresent() && !parse(own.get()).equals(parse(otherwise))) {
      configs.put(name, own.get());
    }
  }

  private static JsonNode parse(String json) {
    try {
      return Json.parse(json);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a configuration that was read before is not JSON", e);
    }
  }

  private static Optional<String> text(Checkpoint source, String name) {
    return source.config(name).map(ConfigJson::text);
  }

  private Optional<String> config(Part part, OpenPart open) {
    Optional<DType> changed = Optional.ofNullable(partDtypes.get(part)).or(() -> dtype);
    return open.config()
        .map(c -> changed.map(d -> DiffusersConfigs.withDtype(c.json(), d)).orElse(c.text()));
  }

  /** The configuration of the same sizes as published. */
  static Map<String, Object> generated(Part part, OpenPart open) {
    return switch (part) {
      case TRANSFORMER -> {
        MmditConfig sizes = MmditConfig.of(open.weights());
        yield DiffusersConfigs.transformer(sizes, SingleFile.sampleSize(sizes));
      }
      case VAE -> DiffusersConfigs.vae(OpenPart.vaeFromShapes(open.weights()));
      case CLIP_L, CLIP_G ->
          DiffusersConfigs.clip(part, OpenPart.clipFromShapes(part, open.weights()));
      case T5 -> DiffusersConfigs.t5(T5Config.of(open.weights()));
    };
  }

  /** Writes any safetensors file anew in another type, names and shapes unchanged. */
  public static void file(TensorSource source, Path target, Optional<DType> dtype)
      throws IOException {
    List<TensorPlan> tensors =
        source.tensors().values().stream()
            .map(info -> StoredTensor.of(info, source).as(target(dtype, info)))
            .toList();
    ModelWriter.file(source, target, tensors);
  }

  private static DType target(Optional<DType> dtype, TensorInfo info) {
    return target(dtype, info.dtype(), info.rank());
  }
}
