package org.rectiflow.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.rectiflow.encoders.ClipConfig;
import org.rectiflow.encoders.ClipTextModel;
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
import org.rectiflow.mmdit.Mmdit;
import org.rectiflow.mmdit.MmditConfig;
import org.rectiflow.training.PromptTower.Encoder;

/** The transformer's loss with text encoders in its graph. */
class PromptTowersTest {
  private static final int BATCH = 3;
  private static final int CLIP_TOKENS = 4;
  private static final int T5_TOKENS = 3;
  private static final int EOS = 9;

  /** CLIP tokens of 8 + 6 channels in contexts of 16; pooled 5 + 7. */
  private static final ClipConfig L =
      new ClipConfig(10, CLIP_TOKENS, 8, 2, 2, 12, Activation.QUICK_GELU, 1e-5f, 5, true);

  private static final ClipConfig G =
      new ClipConfig(10, CLIP_TOKENS, 6, 2, 2, 9, Activation.GELU_ERF, 1e-5f, 7, true);

  private static final T5Config T5 = new T5Config(10, 16, 2, 2, 4, 7, 32, 128, 1e-6f);

  private static final MmditConfig MMDIT =
      new MmditConfig(1, 64, 1, 2, 2, 16, 12, 4, true, Set.of());

  private final Random random = new Random(5);

  private static PromptTower clipL() {
    return PromptTower.clip(
        Encoder.CLIP_L,
        "text_encoder.",
        new ClipTextModel(L, new RandomWeights(2)),
        BATCH,
        CLIP_TOKENS);
  }

  private static PromptTower clipG() {
    return PromptTower.clip(
        Encoder.CLIP_G,
        "text_encoder_2.",
        new ClipTextModel(G, new RandomWeights(3)),
        BATCH,
        CLIP_TOKENS);
  }

  private static PromptTower t5() {
    return PromptTower.t5(
        "text_encoder_3.", new T5Encoder(T5, new RandomWeights(4)), BATCH, T5_TOKENS);
  }

  private static PromptTowers towers(PromptTower... towers) {
    return new PromptTowers(CLIP_TOKENS, L.width(), L.pooledWidth(), List.of(towers));
  }

  private static Objective objective(Recompute recompute, PromptTower... towers) {
    return TransformerObjective.of(
        new Mmdit(MMDIT, new RandomWeights(1)),
        BATCH,
        4,
        4,
        CLIP_TOKENS + T5_TOKENS,
        name -> !name.equals(TransformerObjective.POSITIONS),
        recompute,
        towers(towers));
  }

  private static TokenizedPrompt prompt(int... ids) {
    return new TokenizedPrompt(ids, ids.length, "");
  }

  private static Map<String, Feed> texts(PromptTower tower, boolean... dropped) {
    List<TokenizedPrompt> prompts =
        tower.encoder() == Encoder.T5
            ? List.of(prompt(1, 2, 0), prompt(3, 4, 5), prompt(6, 0, 0))
            : List.of(prompt(4, 2, EOS, 0), prompt(1, EOS, 0, 0), prompt(2, 3, 4, EOS));
    return tower.data(prompts, EOS, dropped);
  }

  private Map<String, Feed> batch() {
    Map<String, Feed> data = new HashMap<>();
    TransformerObjective.rectifiedFlow(
            values(BATCH, 2, 4, 4),
            values(BATCH, 2, 4, 4),
            Tensor.of(new float[] {0.2f, 0.5f, 0.9f}, BATCH),
            values(BATCH, CLIP_TOKENS + T5_TOKENS, 16),
            values(BATCH, 12))
        .forEach((name, tensor) -> data.put(name, Feed.of(tensor)));
    return data;
  }

  private Tensor values(int... dims) {
    Tensor tensor = Tensor.zeros(Shape.of(dims));
    for (int i = 0; i < tensor.data().length; i++) {
      tensor.data()[i] = (float) random.nextGaussian();
    }
    return tensor;
  }

  @Test
  void gradientsOfAllThreeEncodersAgreeWithDifferences() {
    Objective objective = objective(Recompute.NONE, clipL(), clipG(), t5());
    Map<String, Feed> data = batch();
    // A loss of about 1: differences of a large one would drown gradients that are none.
    data.put("weight", Feed.of(Tensor.of(new float[] {3e-4f, 2e-4f, 5e-4f}, BATCH)));
    data.putAll(texts(clipL(), false, true, false));
    data.putAll(texts(clipG(), false, false, true));
    data.putAll(texts(t5(), true, false, false));
    Map<String, Double> differences =
        DoubleDifferences.of(objective.graph(), objective.parameters(), data, 9);
    double worst = differences.values().stream().mapToDouble(d -> d).max().orElseThrow();
    System.out.printf(
        "transformer with encoders: %d tensors, largest difference to central differences %.1e%n",
        differences.size(), worst);
    assertThat(objective.parameters())
        .containsKeys(
            "text_encoder.text_projection.weight",
            "text_encoder_2.text_model.embeddings.token_embedding.weight",
            "text_encoder_3.shared.weight",
            "context_embedder.weight");
    differences.values().removeIf(d -> d < 1e-5);
    assertThat(differences).isEmpty();
  }

  private static Objective.Result run(Objective objective, Map<String, Feed> data) {
    try (Backend backend = new CpuBackend(2);
        Executable executable = backend.compile("step", objective.graph())) {
      return objective.evaluateFeeds(executable, data);
    }
  }

  /** With the frozen encoder's outputs fed instead, the loss is the same. */
  @Test
  void outputsStandWhereTheFrozenEncodersStand() {
    Map<String, Feed> data = batch();
    float[] context = floats(data, "context");
    float[] pooled = floats(data, "pooled");
    Map<String, Feed> trained = new HashMap<>(data);
    trained.putAll(texts(clipG(), false, false, true));
    trained.put("context", Feed.of(Tensor.of(context.clone(), BATCH, 7, 16)));
    trained.put("pooled", Feed.of(Tensor.of(pooled.clone(), BATCH, 12)));
    double with = run(objective(Recompute.NONE, clipG()), trained).loss();

    Map<String, Feed> ids = texts(clipG(), false, false, false);
    try (Backend backend = new CpuBackend(2);
        Executable encoder = backend.compile("clip", clipG().graph())) {
      Map<String, Tensor> outputs =
          encoder.run(
              Map.of("ids", ids.get("text_encoder_2.ids"), "end", ids.get("text_encoder_2.end")));
      for (int i = 0; i < BATCH; i++) {
        float keep = i == 2 ? 0 : 1;
        for (int token = 0; token < CLIP_TOKENS; token++) {
          for (int c = 0; c < G.width(); c++) {
            context[(i * 7 + token) * 16 + L.width() + c] =
                keep * outputs.get("penultimate").data()[(i * CLIP_TOKENS + token) * G.width() + c];
          }
        }
        for (int c = 0; c < G.pooledWidth(); c++) {
          pooled[i * 12 + L.pooledWidth() + c] =
              keep * outputs.get("pooled").data()[i * G.pooledWidth() + c];
        }
      }
    }
    double without = run(objective(Recompute.NONE), data).loss();
    System.out.printf("loss with CLIP-G in the graph %s, fed %s%n", with, without);
    assertThat(Math.abs(with - without)).isLessThan(1e-6 * without);
  }

  private static float[] floats(Map<String, Feed> data, String name) {
    return ((Feed.Floats) data.get(name)).tensor().data();
  }

  @Test
  void aDroppedEncoderHasNoGradient() {
    Map<String, Feed> data = batch();
    data.putAll(texts(clipL(), true, true, true));
    data.putAll(texts(t5(), false, true, true));
    Objective.Result result = run(objective(Recompute.NONE, clipL(), t5()), data);
    result
        .gradients()
        .forEach((name, gradient) -> {
          boolean zero = name.startsWith("text_encoder.");
          boolean found = allZero(gradient);
          assertThat(found).as(name).isEqualTo(zero || (found && unseen(name)));
        });
  }

  private static boolean allZero(Tensor tensor) {
    for (float value : tensor.data()) {
      if (value != 0) {
        return false;
      }
    }
    return true;
  }

  /** Nobody sees what the last block's text tokens ask for. */
  private static boolean unseen(String name) {
    return name.startsWith("transformer_blocks.0.attn.add_q_proj")
        || name.startsWith("transformer_blocks.0.attn.norm_added_q");
  }

  @Test
  void layersComputedAgainGiveTheSameBits() {
    Map<String, Feed> data = batch();
    data.putAll(texts(clipL(), false, true, false));
    data.putAll(texts(clipG(), false, false, true));
    data.putAll(texts(t5(), true, false, false));
    assertThat(run(objective(Recompute.BLOCKS, clipL(), clipG(), t5()), data))
        .isEqualTo(run(objective(Recompute.NONE, clipL(), clipG(), t5()), data));
  }

  @Test
  void whatDoesNotFitIsRefused() {
    assertThatThrownBy(() -> texts(t5(), false))
        .hasMessageContaining("3 prompts of [3] tokens for a tower of 3 prompts of 3 tokens");
    assertThatThrownBy(() -> towers(t5(), t5())).hasMessageContaining("an encoder twice");
    assertThat(Arrays.asList(Encoder.values())).hasSize(3);
  }
}
