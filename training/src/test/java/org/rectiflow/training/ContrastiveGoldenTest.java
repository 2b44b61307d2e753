package org.rectiflow.training;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
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
import org.rectiflow.engine.cpu.CpuBackend;
import org.rectiflow.safetensors.TensorSource;

/** A small CLIP pair, its contrastive loss and gradients against torch. */
class ContrastiveGoldenTest {
  private static final Path GOLDEN = Path.of("../testdata/golden/tiny-clip.safetensors");
  private static final double TOLERANCE = 3e-4;
  private static final int BATCH = 5;
  private static final int TOKENS = 9;

  @Test
  void lossFeaturesAndGradients() throws IOException {
    try (TensorSource golden = TensorSource.open(GOLDEN);
        Backend backend = new CpuBackend(2)) {
      ObjectMapper json = new ObjectMapper();
      Map<String, String> metadata = golden.metadata();
      ClipConfig text = ClipConfig.read(GOLDEN, json.readTree(metadata.get("text")));
      ClipVisionConfig vision =
          ClipVisionConfig.read(
              GOLDEN, json.readTree(metadata.get("vision")), text.pooledWidth(), PixelNorm.OPENAI);
      StoredWeights stored = new StoredWeights(golden);
      ClipVisionModel image =
          new ClipVisionModel(
              vision, new WeightsUnder(stored, Set.of("vision_model.", "visual_projection.")));
      ClipTextModel model =
          new ClipTextModel(
              text, new WeightsUnder(stored, Set.of("text_model.", "text_projection.")));
      TextTower tower = TextTower.clip("", model, BATCH, TOKENS);
      float scale = stored.require(ContrastiveObjective.LOGIT_SCALE).toFloats()[0];
      Objective objective = ContrastiveObjective.of(image, List.of(tower), scale, BATCH);
      Tensor pixels = tensor(stored, "golden.pixels");
      Map<String, Feed> data = new HashMap<>(tower.data(texts(golden), text.vocabulary() - 1));
      data.put("pixels", Feed.of(pixels));
      data.put("targets", Feed.of(ContrastiveObjective.targets(List.of("a", "b", "c", "d", "e"))));
      Map<String, Double> differences = new TreeMap<>();
      try (Executable executable = backend.compile("clip", objective.graph())) {
        Objective.Result result = objective.evaluateFeeds(executable, data);
        differences.put("loss", compare(stored, "loss", new float[] {(float) result.loss()}));
        result
            .gradients()
            .forEach((name, gradient) ->
                differences.put(name, compare(stored, "grad." + name, gradient.data())));
      }
      try (Executable executable = backend.compile("image", image.graph(BATCH))) {
        Map<String, Tensor> outputs = executable.run(Map.of("pixels", Feed.of(pixels)));
        for (String name : List.of("pooled", "features", "hidden.0", "hidden.1")) {
          differences.put(name, compare(stored, name, outputs.get(name).data()));
        }
      }
      double worst = differences.values().stream().mapToDouble(d -> d).max().orElseThrow();
      System.out.printf(
          "CLIP pair: %d numbers and tensors, largest difference to torch %.1e%n",
          differences.size(), worst);
      assertThat(objective.parameters())
          .hasSameSizeAs(
              golden.tensors().keySet().stream()
                  .filter(name -> name.startsWith("golden.grad."))
                  .collect(Collectors.toSet()));
      differences.values().removeIf(d -> d < TOLERANCE);
      assertThat(differences).isEmpty();
    }
  }

  private static List<TokenizedPrompt> texts(TensorSource golden) {
    int[] ids = LongStream.of(golden.integers("golden.ids")).mapToInt(Math::toIntExact).toArray();
    return IntStream.range(0, BATCH)
        .mapToObj(b ->
            new TokenizedPrompt(Arrays.copyOfRange(ids, b * TOKENS, (b + 1) * TOKENS), TOKENS, ""))
        .toList();
  }

  private static Tensor tensor(StoredWeights stored, String name) {
    var weight = stored.require(name);
    return new Tensor(weight.shape(), weight.toFloats());
  }

  /** Largest difference relative to the tensor's largest value, as a gradient may cancel to 0. */
  private static double compare(StoredWeights stored, String name, float[] actual) {
    float[] expected = stored.require("golden." + name).toFloats();
    assertThat(actual).as(name).hasSameSizeAs(expected);
    double size = 1e-3;
    double worst = 0;
    for (int i = 0; i < expected.length; i++) {
      size = Math.max(size, Math.abs(expected[i]));
      worst = Math.max(worst, Math.abs(expected[i] - actual[i]));
    }
    return worst / size;
  }
}
