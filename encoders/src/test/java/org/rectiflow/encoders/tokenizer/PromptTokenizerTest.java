package org.rectiflow.encoders.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.rectiflow.encoders.Golden;

class PromptTokenizerTest {
  private static final Path SHAPES = Path.of("../testdata/models/shapes");
  private static final Path TINY = Path.of("../testdata/models/tiny-sd3");

  @ParameterizedTest
  @CsvSource({
    "shapes, ../testdata/models/shapes",
    "tiny-sd3, ../testdata/models/tiny-sd3",
    "tiny-sd35m, ../testdata/models/tiny-sd35m"
  })
  void idsAreThoseOfTransformers(String name, Path model) throws Exception {
    int compared = 0;
    try (Golden golden = Golden.open(name);
        PromptTokenizer clipL = PromptTokenizer.clip(model.resolve("tokenizer"));
        PromptTokenizer clipG = PromptTokenizer.clip(model.resolve("tokenizer_2"));
        PromptTokenizer t5 = PromptTokenizer.t5(model.resolve("tokenizer_3"))) {
      Map<String, PromptTokenizer> tokenizers = Map.of("clip_l", clipL, "clip_g", clipG, "t5", t5);
      for (Map.Entry<String, JsonNode> testCase : golden.cases().entrySet()) {
        for (Map.Entry<String, String> text : Golden.texts(testCase.getValue()).entrySet()) {
          for (Map.Entry<String, PromptTokenizer> tokenizer : tokenizers.entrySet()) {
            String tensor =
                String.join(".", testCase.getKey(), text.getKey(), "ids", tokenizer.getKey());
            int[] expected = golden.ints(tensor);
            assertThat(tokenizer.getValue().encode(text.getValue(), expected.length).ids())
                .as(tensor)
                .isEqualTo(expected);
            compared++;
          }
        }
      }
      assertThat(compared).isEqualTo(6 * golden.cases().size()).isPositive();
    }
  }

  @Test
  void clipDoesWhatAPlainImplementationDoes() throws Exception {
    PlainClip plain = new PlainClip(TINY.resolve("tokenizer"));
    try (PromptTokenizer clip = PromptTokenizer.clip(TINY.resolve("tokenizer"))) {
      for (String text : AwkwardTexts.all(2000)) {
        if (text.contains("<|")) {
          continue; // the plain one knows no special tokens
        }
        List<Integer> expected = plain.ids(text);
        TokenizedPrompt actual = clip.encode(text, 77);
        int kept = Math.min(expected.size(), 75);
        assertThat(Arrays.stream(actual.ids()).skip(1).limit(kept).boxed())
            .as("\"%s\"", text)
            .isEqualTo(expected.subList(0, kept));
        assertThat(actual.tokenCount()).as("\"%s\"", text).isEqualTo(expected.size() + 2);
        assertThat(actual.ids()[kept + 1]).isEqualTo(clip.eos());
      }
    }
  }

  @Test
  void clipIgnoresCaseSpacingAndComposition() {
    try (PromptTokenizer clip = PromptTokenizer.clip(TINY.resolve("tokenizer"))) {
      assertThat(clip.encode("  A\tRED \n CAFE\u0301 ", 77))
          .isEqualTo(clip.encode("a red caf\u00e9", 77));
    }
  }

  @Test
  void anExclamationMarkIsClipGsPadding() {
    try (PromptTokenizer clipL = PromptTokenizer.clip(TINY.resolve("tokenizer"));
        PromptTokenizer clipG = PromptTokenizer.clip(TINY.resolve("tokenizer_2"))) {
      assertThat(Arrays.copyOf(clipL.encode("a!", 77).ids(), 5))
          .containsExactly(685, 320, 256, 686, 686);
      assertThat(Arrays.copyOf(clipG.encode("a!", 77).ids(), 5))
          .containsExactly(685, 320, 0, 686, 0);
      assertThat(clipL.pad()).isEqualTo(686);
      assertThat(clipG.pad()).isZero();
    }
  }

  @Test
  void specialTokensInThePromptAreSpecial() {
    try (PromptTokenizer clip = PromptTokenizer.clip(TINY.resolve("tokenizer"));
        PromptTokenizer t5 = PromptTokenizer.t5(TINY.resolve("tokenizer_3"))) {
      TokenizedPrompt prompt = clip.encode("a<|endoftext|>a", 77);
      assertThat(Arrays.copyOf(prompt.ids(), 5)).containsExactly(685, 320, 686, 320, 686);
      assertThat(prompt.indexOf(clip.eos())).isEqualTo(2);
      assertThat(t5.encode("</s>", 2).ids()).containsExactly(1, 1);
    }
  }

  @Test
  void aLongPromptKeepsItsEndTokenAndTellsWhatWasCut() {
    String prompt = "🦄 " + "a red circle ".repeat(40);
    try (PromptTokenizer clip = PromptTokenizer.clip(TINY.resolve("tokenizer"));
        PromptTokenizer t5 = PromptTokenizer.t5(TINY.resolve("tokenizer_3"))) {
      TokenizedPrompt cut = clip.encode(prompt, 77);
      int unicorn = clip.encode("🦄", 77).tokenCount() - 2;
      assertThat(cut.isCut()).isTrue();
      assertThat(cut.tokenCount()).isEqualTo(2 + unicorn + 120);
      assertThat(cut.ids()[76]).isEqualTo(clip.eos());
      assertThat(cut.indexOf(clip.eos())).isEqualTo(76);
      int keptWords = 75 - unicorn;
      assertThat(cut.cut())
          .endsWith("a red circle ")
          .satisfies(c -> assertThat(c.trim().split(" ")).hasSize(120 - keptWords));

      TokenizedPrompt t5Cut = t5.encode("a red circle", 3);
      assertThat(t5Cut.ids()).containsExactly(t5.encode("a red", 3).ids());
      assertThat(t5Cut.ids()[2]).isEqualTo(1);
      assertThat(t5Cut.tokenCount()).isEqualTo(4);
      assertThat(t5Cut.cut()).isEqualTo("circle");

      TokenizedPrompt whole = t5.encode("a red circle", 4);
      assertThat(whole.isCut()).isFalse();
      assertThat(whole.cut()).isEmpty();
    }
  }

  @Test
  void lengthsFollowTheTokenizersOwnLimit() {
    try (PromptTokenizer clip = PromptTokenizer.clip(SHAPES.resolve("tokenizer"));
        PromptTokenizer t5 = PromptTokenizer.t5(SHAPES.resolve("tokenizer_3"))) {
      assertThat(clip.maxLength()).hasValue(32);
      assertThat(t5.maxLength()).hasValue(32);
      assertThat(PromptTokenizer.maxLength(SHAPES.resolve("tokenizer_3"))).hasValue(32);
      assertThat(clip.encode("", 2).ids()).containsExactly(685, 686);
      assertThatThrownBy(() -> clip.encode("a", 33))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("33")
          .hasMessageContaining("2 to 32");
      assertThatThrownBy(() -> clip.encode("a", 1)).isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> t5.encode("a", 0)).isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void halfASurrogatePairIsRefused() {
    try (PromptTokenizer t5 = PromptTokenizer.t5(SHAPES.resolve("tokenizer_3"))) {
      for (String text : List.of("a\ud83d", "\ude00b", "\ud83d\ud83d\ude00")) {
        assertThatThrownBy(() -> t5.encode(text, 32))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining("surrogate");
      }
      assertThat(t5.encode("\ud83d\ude00", 32).isCut()).isFalse();
    }
  }
}
