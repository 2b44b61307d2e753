package org.rectiflow.pipeline.verify;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.rectiflow.encoders.ClipConfig;
import org.rectiflow.encoders.ClipTextModel;
import org.rectiflow.encoders.ClipVisionConfig;
import org.rectiflow.encoders.ClipVisionModel;
import org.rectiflow.encoders.PixelNorm;
import org.rectiflow.encoders.WeightsUnder;
import org.rectiflow.encoders.tokenizer.TokenizedPrompt;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Executable;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.StoredWeights;
import org.rectiflow.engine.Tensor;
import org.rectiflow.pipeline.io.Json;
import org.rectiflow.pipeline.io.TensorFiles;
import org.rectiflow.pipeline.io.UserException;
import org.rectiflow.pipeline.verify.Comparison.Rule;
import org.rectiflow.safetensors.TensorSource;
import org.rectiflow.training.ContrastiveObjective;
import org.rectiflow.training.Objective;
import org.rectiflow.training.TextTower;

/**
 * A CLIP pair that lies in one file with what torch computes with it: features of pictures, the
 * contrastive loss of matching pairs and its gradient by every tensor.
 */
public final class ClipPairGoldens {
  private static final String GOLDEN = "golden.";
  private static final double TOLERANCE = 3e-4;

  /** Gradients that cancel to nothing are held against this. */
  private static final double LEAST = 1e-3;

  private ClipPairGoldens() {}

  /** Recomputes every {@code golden.} tensor of a file such as {@code tiny-clip.safetensors}. */
  public static List<Comparison> of(Path file, Backend backend) {
    try (TensorSource golden = TensorSource.open(file)) {
      StoredWeights stored = new StoredWeights(golden);
      ClipTextModel text = text(file, golden, stored);
      ClipVisionModel image = image(file, golden, stored, text);
      Tensor pixels = TensorFiles.read(golden, GOLDEN + "pixels");
      int batch = pixels.shape().dim(0);
      Map<String, float[]> ours = new TreeMap<>();
      try (Executable executable = backend.compile("image", image.graph(batch))) {
        executable
            .run(Map.of("pixels", Feed.of(pixels)))
            .forEach((name, tensor) -> ours.put(name, tensor.data()));
      }
      pair(golden, stored, text, image, pixels, backend, ours);
      List<Comparison> all = new ArrayList<>();
      ours.forEach((name, values) -> {
        if (golden.tensors().containsKey(GOLDEN + name)) {
          float[] expected = golden.floats(GOLDEN + name);
          all.add(Comparison.of(name, values, expected, Rule.RELATIVE, TOLERANCE, LEAST));
        }
      });
      return all;
    }
  }

  private static void pair(
      TensorSource golden,
      StoredWeights stored,
      ClipTextModel text,
      ClipVisionModel image,
      Tensor pixels,
      Backend backend,
      Map<String, float[]> ours) {
    int batch = pixels.shape().dim(0);
    int tokens = Math.toIntExact(golden.info(GOLDEN + "ids").shape().get(1));
    TextTower tower = TextTower.clip("", text, batch, tokens);
    float scale = stored.require(ContrastiveObjective.LOGIT_SCALE).toFloats()[0];
    Objective objective = ContrastiveObjective.of(image, List.of(tower), scale, batch);
    int eos = text.config().vocabulary() - 1;
    Map<String, Feed> prompts = tower.data(texts(golden, batch, tokens), eos);
    try (Executable executable = backend.compile("text", text.graph(batch, tokens))) {
      ours.put("textFeatures", executable.run(prompts).get("pooled").data());
    }
    Map<String, Feed> data = new HashMap<>(prompts);
    data.put("pixels", Feed.of(pixels));
    List<String> pairs = IntStream.range(0, batch).mapToObj(Integer::toString).toList();
    data.put("targets", Feed.of(ContrastiveObjective.targets(pairs)));
    try (Executable executable = backend.compile("clip", objective.graph())) {
      Objective.Result result = objective.evaluateFeeds(executable, data);
      ours.put("loss", new float[] {(float) result.loss()});
      result
          .gradients()
          .forEach((name, gradient) -> ours.put("grad." + name, gradient.data().clone()));
    }
  }

  private static List<TokenizedPrompt> texts(TensorSource golden, int batch, int tokens) {
    int[] ids = TensorFiles.readInts(golden, GOLDEN + "ids").data();
    return IntStream.range(0, batch)
        .mapToObj(b ->
            new TokenizedPrompt(Arrays.copyOfRange(ids, b * tokens, (b + 1) * tokens), tokens, ""))
        .toList();
  }

  private static ClipTextModel text(Path file, TensorSource golden, StoredWeights stored) {
    try {
      ClipConfig config = ClipConfig.read(file, Json.parse(golden.metadata().get("text")));
      return new ClipTextModel(
          config, new WeightsUnder(stored, Set.of("text_model.", "text_projection.")));
    } catch (JsonProcessingException e) {
      throw new UserException("%s: its metadata `text` is not JSON".formatted(file), e);
    }
  }

  private static ClipVisionModel image(
      Path file, TensorSource golden, StoredWeights stored, ClipTextModel text) {
    try {
      ClipVisionConfig config =
          ClipVisionConfig.read(
              file,
              Json.parse(golden.metadata().get("vision")),
              text.config().pooledWidth(),
              PixelNorm.OPENAI);
      return new ClipVisionModel(
          config, new WeightsUnder(stored, Set.of("vision_model.", "visual_projection.")));
    } catch (JsonProcessingException e) {
      throw new UserException("%s: its metadata `vision` is not JSON".formatted(file), e);
    }
  }
}
