package org.rectiflow.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.rectiflow.encoders.ClipConfig;
import org.rectiflow.encoders.ClipTextModel;
import org.rectiflow.encoders.ClipVisionConfig;
import org.rectiflow.encoders.ClipVisionModel;
import org.rectiflow.encoders.PixelNorm;
import org.rectiflow.encoders.T5Config;
import org.rectiflow.encoders.T5Encoder;
import org.rectiflow.encoders.tokenizer.TokenizedPrompt;
import org.rectiflow.engine.Activation;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Executable;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Recompute;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.cpu.CpuBackend;
import org.rectiflow.engine.reference.DoubleDifferences;
import org.rectiflow.vae.Autoencoder;
import org.rectiflow.vae.VaeConfig;

/** Gradients of the objectives of towers and autoencoder against differences in double. */
class TowerGradientsTest {
  private static final int BATCH = 3;
  private static final int TOKENS = 6;
  private static final int EOS = 9;
  private static final int FEATURES = 5;
  private static final ClipVisionConfig VISION =
      new ClipVisionConfig(
          8, 4, 8, 2, 2, 12, Activation.GELU_ERF, 1e-5f, FEATURES, PixelNorm.SYMMETRIC);
  private static final ClipConfig TEXT =
      new ClipConfig(10, TOKENS, 8, 2, 2, 12, Activation.QUICK_GELU, 1e-5f, FEATURES, true);
  private static final T5Config T5 = new T5Config(10, 6, 2, 2, 4, 7, 32, 128, 1e-6f);
  private static final List<TokenizedPrompt> TEXTS =
      List.of(prompt(4, 2, EOS, 0, 0, 0), prompt(1, 2, 3, 4, 5, EOS), prompt(EOS, 0, 0, 0, 0, 0));

  private final Random random = new Random(5);

  @Test
  void contrastiveLossOfAPictureTowerAndThreeTextTowers() {
    ClipVisionModel image = vision();
    ClipTextModel text = new ClipTextModel(TEXT, new RandomWeights(2));
    ClipTextModel second = new ClipTextModel(TEXT, new RandomWeights(3));
    T5Encoder t5 = new T5Encoder(T5, new RandomWeights(4));
    RandomWeights projection = new RandomWeights(5);
    List<TextTower> towers =
        List.of(
            TextTower.clip("", text, BATCH, TOKENS),
            TextTower.clip("text_encoder_2.", second, BATCH, TOKENS),
            TextTower.t5("text_encoder_3.", t5, projection, FEATURES, BATCH, TOKENS));
    Function<Recompute, Objective> build =
        recompute ->
            ContrastiveObjective.of(
                image, towers, ContrastiveObjective.INITIAL_LOGIT_SCALE, BATCH, recompute);
    Objective objective = build.apply(Recompute.NONE);
    Map<String, Feed> data = new HashMap<>();
    towers.forEach(tower -> data.putAll(tower.data(TEXTS, EOS)));
    data.put("pixels", Feed.of(values(BATCH, 3, 8, 8)));
    data.put("targets", Feed.of(ContrastiveObjective.targets(List.of("a", "b", "a"))));

    check("contrastive", objective, data);
    sameInLessMemory("contrastive", build, data);
    assertThat(objective.parameters())
        .containsKeys(
            "logit_scale",
            "visual_projection.weight",
            "text_projection.weight",
            "text_encoder_2.text_projection.weight",
            "text_encoder_3.projection.weight",
            "text_encoder_3.shared.weight");
  }

  @Test
  void autoencoderWithAPerceptualTerm() {
    VaeConfig config = new VaeConfig(4, List.of(4, 6), 1, 2, 0.7f, 0.1f);
    Autoencoder model = new Autoencoder(config, new RandomWeights(6));
    Function<Recompute, Objective> build =
        recompute ->
            AutoencoderObjective.of(
                model, 2, 8, 8, 0.3f, Optional.of(new PerceptualTerm(vision(), 0.5f)), recompute);
    Objective objective = build.apply(Recompute.NONE);
    Map<String, Feed> data =
        Map.of(
            "pixels", Feed.of(values(2, 3, 8, 8)),
            "noise", Feed.of(values(2, 4, 4, 4)));

    check("autoencoder with perceptual term", objective, data);
    sameInLessMemory("autoencoder with perceptual term", build, data);
    assertThat(objective.graph().outputs()).containsKey("perceptual");
    assertThat(objective.parameters().keySet())
        .allMatch(name -> name.startsWith("encoder.") || name.startsWith("decoder."));
  }

  @Test
  void picturesOfAnotherSizeThanThePerceptualNetworksAreRefused() {
    VaeConfig config = new VaeConfig(4, List.of(4, 6), 1, 2, 1, 0);
    Autoencoder model = new Autoencoder(config, new RandomWeights(6));

    assertThatThrownBy(() ->
            AutoencoderObjective.of(
                model,
                2,
                16,
                8,
                0.3f,
                Optional.of(new PerceptualTerm(vision(), 1)),
                Recompute.NONE))
        .hasMessageContaining("pictures of 8x8, the autoencoder is trained with 16x8");
  }

  @Test
  void towersOfDifferentWidthsAreRefused() {
    T5Encoder t5 = new T5Encoder(T5, new RandomWeights(4));
    RandomWeights projection = new RandomWeights(5);
    TextTower tower = TextTower.t5("", t5, projection, FEATURES + 1, BATCH, TOKENS);

    assertThatThrownBy(() -> ContrastiveObjective.of(vision(), List.of(tower), 1, BATCH))
        .hasMessageContaining("features of texts are [3, 6], of pictures [3, 5]");
  }

  private static ClipVisionModel vision() {
    return new ClipVisionModel(VISION, new RandomWeights(1));
  }

  private static void check(String what, Objective objective, Map<String, Feed> data) {
    Map<String, Double> differences =
        DoubleDifferences.of(objective.graph(), objective.parameters(), data, 9);
    double worst = differences.values().stream().mapToDouble(d -> d).max().orElseThrow();
    System.out.printf(
        "%s: %d tensors, largest difference to central differences %.1e%n",
        what, differences.size(), worst);
    differences.values().removeIf(d -> d < 1e-5);
    assertThat(differences).isEmpty();
  }

  /** Blocks computed again: the same bits, and less to keep. */
  private static void sameInLessMemory(
      String what, Function<Recompute, Objective> build, Map<String, Feed> data) {
    try (Backend backend = new CpuBackend(2)) {
      Map<Recompute, Objective.Result> results = new EnumMap<>(Recompute.class);
      Map<Recompute, Long> bytes = new EnumMap<>(Recompute.class);
      for (Recompute recompute : Recompute.values()) {
        Objective objective = build.apply(recompute);
        try (Executable executable = backend.compile("step", objective.graph())) {
          results.put(recompute, objective.evaluateFeeds(executable, data));
          bytes.put(recompute, executable.arenaBytes());
        }
      }
      System.out.println(what + ": arena of a step: " + bytes);
      assertThat(results.get(Recompute.BLOCKS)).isEqualTo(results.get(Recompute.NONE));
      assertThat(bytes.get(Recompute.BLOCKS)).isLessThan(bytes.get(Recompute.NONE));
    }
  }

  private static TokenizedPrompt prompt(int... ids) {
    return new TokenizedPrompt(ids, ids.length, "");
  }

  private Tensor values(int... dims) {
    Tensor tensor = Tensor.zeros(Shape.of(dims));
    for (int i = 0; i < tensor.data().length; i++) {
      tensor.data()[i] = (float) random.nextGaussian();
    }
    return tensor;
  }
}
