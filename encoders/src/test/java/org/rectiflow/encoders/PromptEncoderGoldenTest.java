package org.rectiflow.encoders;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.rectiflow.encoders.PromptEmbedding.Layout;
import org.rectiflow.encoders.PromptEncoder.Clip;
import org.rectiflow.encoders.PromptEncoder.T5;
import org.rectiflow.encoders.PromptEncoding.ClipOutput;
import org.rectiflow.encoders.tokenizer.PromptTokenizer;
import org.rectiflow.engine.Activation;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.reference.ReferenceBackend;

/** Every encoder output and prompt embedding against transformers and diffusers. */
class PromptEncoderGoldenTest {

  @ParameterizedTest
  @CsvSource({
    "shapes, ../testdata/models/shapes, 32",
    "tiny-sd3, ../testdata/models/tiny-sd3, 77",
    "tiny-sd35m, ../testdata/models/tiny-sd35m, 77"
  })
  void outputsAreThoseOfDiffusers(String name, Path folder, int clipTokens) throws Exception {
    try (Golden golden = Golden.open(name);
        Backend backend = new ReferenceBackend();
        TestModel model = new TestModel(folder);
        PromptEncoder encoder = model.encoder(backend, layout(golden, clipTokens))) {
      List<String> names = new ArrayList<>();
      List<PromptTokens> prompts = new ArrayList<>();
      for (Map.Entry<String, JsonNode> testCase : golden.cases().entrySet()) {
        for (Map.Entry<String, String> text : Golden.texts(testCase.getValue()).entrySet()) {
          names.add(testCase.getKey() + "." + text.getKey());
          prompts.add(encoder.tokenize(Prompts.all(text.getValue())));
        }
      }
      List<PromptEncoding> encodings = encoder.encode(prompts);
      for (int i = 0; i < names.size(); i++) {
        check(golden, names.get(i), encodings.get(i));
      }
    }
  }

  private static void check(Golden golden, String name, PromptEncoding encoding) {
    String item = name.substring(0, name.indexOf('.'));
    String sign = name.endsWith("negative") ? "negative_" : "";
    golden.check(item + "." + sign + "prompt_embeds", encoding.embedding().context());
    golden.check(item + "." + sign + "pooled", encoding.embedding().pooled());
    if (golden.has(name + ".clip_l.penultimate")) {
      checkClip(golden, name + ".clip_l", encoding.clipL());
      checkClip(golden, name + ".clip_g", encoding.clipG());
      golden.check(name + ".t5.last", encoding.t5().orElseThrow());
    }
  }

  private static void checkClip(Golden golden, String name, Optional<ClipOutput> clip) {
    golden.check(name + ".penultimate", clip.orElseThrow().penultimate());
    golden.check(name + ".pooled", clip.orElseThrow().pooled());
  }

  @ParameterizedTest
  @CsvSource({
    "tiny-sd3, ../testdata/models/tiny-sd3, p0",
    "tiny-sd35m, ../testdata/models/tiny-sd35m, p0"
  })
  void withoutT5(String name, Path folder, String item) throws Exception {
    try (Golden golden = Golden.open(name);
        Backend backend = new ReferenceBackend();
        TestModel model = new TestModel(folder);
        PromptEncoder encoder =
            new PromptEncoder(
                backend, layout(golden, 77), model.clipL(), model.clipG(), Optional.empty())) {
      String prompt = golden.cases().get(item).path("prompt").textValue();
      PromptEncoding encoding = encoder.encode(Prompts.all(prompt));
      golden.check("no_t5.prompt_embeds", encoding.embedding().context());
      assertThat(encoding.t5()).isEmpty();
    }
  }

  /** As in the single files: sizes from the tensors, float16, CLIP-L without a projection. */
  @Test
  void encodersWithoutAConfiguration() throws Exception {
    Path folder = Path.of("../testdata/models/tiny-sd3");
    try (Golden golden = Golden.open("tiny-sd3-single");
        Backend backend = new ReferenceBackend();
        TestModel model = new TestModel(folder)) {
      EditedWeights l =
          EditedWeights.of(model.weights("text_encoder"))
              .without("text_projection.weight")
              .halved();
      EditedWeights g = EditedWeights.of(model.weights("text_encoder_2")).halved();
      EditedWeights t5 = EditedWeights.of(model.weights("text_encoder_3")).halved();
      Clip clipL =
          new Clip(
              PromptTokenizer.clip(folder.resolve("tokenizer")),
              new ClipTextModel(ClipConfig.of(l, Activation.QUICK_GELU), l));
      Clip clipG =
          new Clip(
              PromptTokenizer.clip(folder.resolve("tokenizer_2")),
              new ClipTextModel(ClipConfig.of(g, Activation.GELU_ERF), g));
      T5 t =
          new T5(
              PromptTokenizer.t5(folder.resolve("tokenizer_3")),
              new T5Encoder(T5Config.of(t5), t5));
      Layout layout =
          PromptEncoder.layout(320, 320, List.of(clipL, clipG), 256, t.tokenizer().maxLength());
      try (PromptEncoder encoder =
          new PromptEncoder(
              backend, layout, Optional.of(clipL), Optional.of(clipG), Optional.of(t))) {
        JsonNode testCase = golden.cases().get("fp16");
        for (Map.Entry<String, String> text : Golden.texts(testCase).entrySet()) {
          PromptEmbedding embedding = encoder.encode(Prompts.all(text.getValue())).embedding();
          String sign = text.getKey().equals("negative") ? "negative_" : "";
          golden.check("fp16." + sign + "prompt_embeds", embedding.context());
          golden.check("fp16." + sign + "pooled", embedding.pooled());
        }
      }
    }
  }

  /** A prompt's encoding does not depend on what else is encoded with it. */
  @Test
  void promptsInABatchDoNotMix() throws Exception {
    Path folder = Path.of("../testdata/models/shapes");
    try (Golden golden = Golden.open("shapes");
        Backend backend = new ReferenceBackend();
        TestModel model = new TestModel(folder);
        PromptEncoder encoder = model.encoder(backend, layout(golden, 32))) {
      Prompts first = Prompts.all("three green triangles");
      Prompts second = Prompts.all("a big purple star").withClipG("").withT5("red");
      List<PromptEncoding> together =
          encoder.encode(
              List.of(encoder.tokenize(first), encoder.tokenize(second), encoder.tokenize(first)));
      assertThat(together.get(0)).isEqualTo(encoder.encode(first));
      assertThat(together.get(1)).isEqualTo(encoder.encode(second));
      assertThat(together.get(2)).isEqualTo(together.get(0));
      assertThat(together.get(0).embedding()).isNotEqualTo(together.get(1).embedding());

      PromptEncoding star = encoder.encode(Prompts.all("a big purple star"));
      PromptEncoding nothing = encoder.encode(Prompts.all(""));
      PromptEncoding red = encoder.encode(Prompts.all("red"));
      assertThat(together.get(1).clipL()).isEqualTo(star.clipL());
      assertThat(together.get(1).clipG()).isEqualTo(nothing.clipG());
      assertThat(together.get(1).t5()).isEqualTo(red.t5());
    }
  }

  private static Layout layout(Golden golden, int clipTokens) {
    int[] context = golden.shape("p0.prompt_embeds").dims();
    int pooled = golden.shape("p0.pooled").dim(1);
    return new Layout(context[2], pooled, clipTokens, context[1] - clipTokens);
  }
}
