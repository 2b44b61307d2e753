package org.rectiflow.encoders;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.rectiflow.encoders.PromptEmbedding.Layout;
import org.rectiflow.encoders.PromptEncoder.Clip;
import org.rectiflow.encoders.PromptEncoder.T5;
import org.rectiflow.encoders.tokenizer.PromptTokenizer;
import org.rectiflow.engine.Activation;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.CheckpointException;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.Weight;
import org.rectiflow.engine.reference.ReferenceBackend;

/** Checkpoints that are incomplete, too rich or put together of parts that do not fit. */
class PromptEncoderErrorsTest {
  private static final Path FOLDER = Path.of("../testdata/models/tiny-sd3");

  private final TestModel model = new TestModel(FOLDER);
  private final Backend backend = new ReferenceBackend();

  @AfterEach
  void close() {
    model.close();
    backend.close();
  }

  @Test
  void aTensorThatIsMissingMisshapedOrTooMuch() {
    String k = "text_model.encoder.layers.1.self_attn.k_proj.weight";
    EditedWeights clip = EditedWeights.of(model.weights("text_encoder"));
    ClipConfig config = model.clip("text_encoder").config();
    clip.with(k, Weight.of(k, Tensor.of(new float[128 * 64], 128, 64)));
    refuses(() -> new ClipTextModel(config, clip).graph(1, 77), k, "[128, 64]", "[128, 128]");
    clip.without(k);
    refuses(() -> new ClipTextModel(config, clip).graph(1, 77), k, "edited.safetensors");

    EditedWeights t5 = EditedWeights.of(model.weights("text_encoder_3"));
    t5.with("decoder.final_layer_norm.weight", Weight.of("", Tensor.of(new float[1], 1)));
    refuses(
        () -> new T5Encoder(model.t5().config(), t5).graph(1, 8),
        "decoder.final_layer_norm.weight",
        "edited.safetensors");
  }

  @Test
  void tensorsKnownToBeUselessMayBeThere() {
    EditedWeights clip = EditedWeights.of(model.weights("text_encoder"));
    clip.with("text_model.embeddings.position_ids", Weight.of("", Tensor.of(new float[77], 1, 77)));
    assertThat(new ClipTextModel(model.clip("text_encoder").config(), clip).graph(1, 77).outputs())
        .containsOnlyKeys("penultimate", "pooled");

    EditedWeights t5 = EditedWeights.of(model.weights("text_encoder_3"));
    Weight table = t5.require("shared.weight");
    t5.with("encoder.embed_tokens.weight", table);
    assertThat(new T5Encoder(model.t5().config(), t5).graph(1, 8).outputs())
        .containsOnlyKeys("last");
    t5.without("shared.weight");
    assertThat(T5Config.of(t5)).isEqualTo(model.t5().config());
    assertThat(new T5Encoder(model.t5().config(), t5).graph(1, 8).outputs())
        .containsOnlyKeys("last");
    t5.without("encoder.embed_tokens.weight");
    refuses(() -> T5Config.of(t5), "shared.weight");
  }

  @Test
  void aSequenceLongerThanThePositionTable() {
    assertThatThrownBy(() -> model.clip("text_encoder").graph(1, 78))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("78 tokens")
        .hasMessageContaining("77 positions");
    refuses(
        () ->
            new PromptEncoder(
                backend,
                new Layout(320, 320, 78, 256),
                model.clipL(),
                Optional.empty(),
                Optional.empty()),
        "CLIP-L",
        "78",
        "77",
        "model_max_length");
    refuses(
        () ->
            new PromptEncoder(
                backend,
                new Layout(320, 320, 77, 513),
                Optional.empty(),
                Optional.empty(),
                model.t5Part()),
        "T5",
        "513",
        "512");
  }

  @Test
  void aTransformerOfOtherSizes() {
    refusesLayout(new Layout(320, 321, 77, 64), "128 and 192", "321");
    refusesLayout(new Layout(256, 320, 77, 64), "[1, 77, 192]", "256", "channel 128");
    refusesLayout(new Layout(321, 320, 77, 64), "T5 has 320", "321");
  }

  private void refusesLayout(Layout layout, String... parts) {
    refuses(() -> model.encoder(backend, layout), parts);
  }

  @Test
  void aTokenizerOfAnotherModel() {
    EditedWeights weights = EditedWeights.of(model.weights("text_encoder"));
    String name = "text_model.embeddings.token_embedding.weight";
    weights.with(name, weights.require(name).rows(0, 600));
    ClipTextModel small = new ClipTextModel(ClipConfig.of(weights, Activation.QUICK_GELU), weights);
    Clip clip = new Clip(PromptTokenizer.clip(FOLDER.resolve("tokenizer")), small);
    try (PromptEncoder encoder =
        new PromptEncoder(
            backend,
            new Layout(320, 320, 77, 77),
            Optional.of(clip),
            Optional.empty(),
            Optional.empty())) {
      refuses(
          () -> encoder.encode(Prompts.all("a")), "CLIP-L", "token 685", "600 rows", "tokenizer");
    }
  }

  @Test
  void clipsOfDifferentLengths() {
    try (TestModel shapes = new TestModel(Path.of("../testdata/models/shapes"))) {
      Clip l = model.clipL().orElseThrow();
      Clip g = shapes.clipG().orElseThrow();
      refuses(
          () -> PromptEncoder.layout(320, 320, List.of(l, g), 256, OptionalInt.empty()),
          "77",
          "32");
      assertThat(PromptEncoder.layout(256, 256, List.of(g), 256, OptionalInt.of(32)))
          .isEqualTo(new Layout(256, 256, 32, 32));
      assertThat(PromptEncoder.layout(256, 256, List.of(), 77, OptionalInt.of(512)))
          .isEqualTo(new Layout(256, 256, 77, 77));
      l.tokenizer().close();
      g.tokenizer().close();
    }
  }

  @Test
  void whatDoesNotFitIsReportedForEachEncoder() {
    Layout layout = new Layout(320, 320, 77, 40);
    Optional<T5> t5 = model.t5Part();
    try (PromptEncoder encoder =
        new PromptEncoder(backend, layout, model.clipL(), model.clipG(), t5)) {
      assertThat(encoder.tokenize(Prompts.all("a red circle ".repeat(13))).cuts()).isEmpty();
      List<PromptTokens.Cut> cuts =
          encoder.tokenize(Prompts.all("a red circle ".repeat(26))).cuts();
      assertThat(cuts)
          .extracting(PromptTokens.Cut::encoder)
          .containsExactly("CLIP-L", "CLIP-G", "T5");
      assertThat(cuts.getFirst().message())
          .isEqualTo(
              "the prompt has 80 tokens for CLIP-L, which takes 77; it will not see \"a red circle\"");
      assertThat(cuts.getLast().tokens()).isEqualTo(79);
      assertThat(cuts.getLast().limit()).isEqualTo(40);
    }
  }

  private static void refuses(ThrowingCallable call, String... parts) {
    assertThatThrownBy(call).isInstanceOf(CheckpointException.class).hasMessageContainingAll(parts);
  }
}
