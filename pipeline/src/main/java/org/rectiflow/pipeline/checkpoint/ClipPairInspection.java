package org.rectiflow.pipeline.checkpoint;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.rectiflow.encoders.ClipConfig;
import org.rectiflow.encoders.ClipModelConfig;
import org.rectiflow.encoders.ClipTextModel;
import org.rectiflow.encoders.ClipVisionConfig;
import org.rectiflow.encoders.ClipVisionModel;
import org.rectiflow.encoders.WeightsUnder;
import org.rectiflow.encoders.tokenizer.PromptTokenizer;
import org.rectiflow.encoders.tokenizer.TokenizerException;
import org.rectiflow.engine.CheckpointException;
import org.rectiflow.engine.StoredWeights;
import org.rectiflow.engine.Weight;
import org.rectiflow.pipeline.checkpoint.Inspection.PartReport;
import org.rectiflow.pipeline.io.Json;
import org.rectiflow.safetensors.TensorSource;

/** Looks at a folder of transformers' CLIPModel, as {@link ClipFolder} reads it. */
final class ClipPairInspection {
  private static final String SCALE = "logit_scale";

  private ClipPairInspection() {}

  /** Whether a folder's configuration says that it holds both models of a pair. */
  static boolean isPair(Path folder) {
    Path config = folder.resolve("config.json");
    return Files.isRegularFile(config)
        && Files.isRegularFile(folder.resolve(ClipFolder.WEIGHTS))
        && Json.readObject(config).has("vision_config");
  }

  /**
   * Looks at the folder.
   *
   * @throws CheckpointException if its configuration does not say what is needed
   */
  static Inspection of(Path folder, boolean listed) {
    ClipModelConfig config = ClipModelConfig.read(folder);
    try (TensorSource source = TensorSource.open(folder.resolve(ClipFolder.WEIGHTS))) {
      StoredWeights stored = new StoredWeights(source);
      Map<String, PartReport> parts = new LinkedHashMap<>();
      WeightsUnder text = new WeightsUnder(stored, ClipFolder.TEXT);
      WeightsUnder vision = new WeightsUnder(stored, ClipFolder.VISION);
      parts.put(
          "text_model",
          report(
              source,
              listed,
              text.names()::contains,
              "CLIP text tower",
              sizes(config.text()),
              problem(() -> new ClipTextModel(config.text(), text).graph(1, 1))));
      parts.put(
          "vision_model",
          report(
              source,
              listed,
              vision.names()::contains,
              "CLIP image tower",
              sizes(config.vision()),
              problem(() -> new ClipVisionModel(config.vision(), vision).graph(1))));
      Predicate<String> others =
          name -> !text.names().contains(name) && !vision.names().contains(name);
      parts.put(
          SCALE,
          report(
              source,
              listed,
              others,
              "what cosines are multiplied by",
              scale(stored),
              leftOver(source, others)));
      Map<String, String> tokenizers = new LinkedHashMap<>();
      Map<String, String> missing = new LinkedHashMap<>();
      try (PromptTokenizer _ = PromptTokenizer.clip(folder)) {
        tokenizers.put("tokenizer", folder.toString());
      } catch (TokenizerException e) {
        missing.put("tokenizer", e.getMessage());
      }
      return new Inspection(
          folder.toString(),
          "a pair of CLIP towers, features of %d channels".formatted(config.text().pooledWidth()),
          "transformers' CLIPModel",
          parts,
          missing,
          tokenizers,
          new TreeMap<>(source.metadata()),
          List.of());
    }
  }

  private static PartReport report(
      TensorSource source,
      boolean listed,
      Predicate<String> owned,
      String what,
      String sizes,
      Optional<String> problem) {
    TensorSummary summary = TensorSummary.of(source, listed, owned);
    return new PartReport(
        what,
        sizes,
        source.files().stream().map(Path::toString).toList(),
        summary.tensors(),
        summary.parameters(),
        summary.bytes(),
        summary.dtypes(),
        problem.stream().toList(),
        summary.list());
  }

  /** Recording a graph asks for every tensor, and for no other. */
  private static Optional<String> problem(Runnable record) {
    try {
      record.run();
      return Optional.empty();
    } catch (CheckpointException e) {
      return Optional.of(e.getMessage());
    }
  }

  private static Optional<String> leftOver(TensorSource source, Predicate<String> others) {
    List<String> unknown =
        source.tensors().keySet().stream()
            .filter(others)
            .filter(name -> !name.equals(SCALE))
            .toList();
    return unknown.isEmpty()
        ? Optional.empty()
        : Optional.of("tensors that a CLIPModel does not have: " + String.join(", ", unknown));
  }

  private static String sizes(ClipConfig c) {
    return "%d layers of width %d, %d heads, %s, %d tokens of %d, projected to %d"
        .formatted(
            c.layers(),
            c.width(),
            c.heads(),
            c.activation().name().toLowerCase(Locale.ROOT),
            c.positions(),
            c.vocabulary(),
            c.pooledWidth());
  }

  private static String sizes(ClipVisionConfig c) {
    return "%d layers of width %d, %d heads, %s, pictures of %dx%d in patches of %dx%d, projected to %d"
        .formatted(
            c.layers(),
            c.width(),
            c.heads(),
            c.activation().name().toLowerCase(Locale.ROOT),
            c.imageSize(),
            c.imageSize(),
            c.patchSize(),
            c.patchSize(),
            c.featureWidth());
  }

  /** The one number that is read: the scale's logarithm is what is stored. */
  private static String scale(StoredWeights stored) {
    Optional<Weight> weight = stored.find(SCALE).filter(w -> w.shape().count() == 1);
    return weight
        .map(w -> {
          float logarithm = w.toFloats()[0];
          return String.format(Locale.ROOT, "exp(%.4f) = %.2f", logarithm, Math.exp(logarithm));
        })
        .orElse("not stored");
  }
}
