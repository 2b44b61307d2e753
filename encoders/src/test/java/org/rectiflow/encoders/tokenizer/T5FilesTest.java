package org.rectiflow.encoders.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.sentencepiece.SpTokenizer;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** tokenizer.json and spiece.model of one folder are the same tokenizer. */
class T5FilesTest {
  private static final Path FOLDER = Path.of("../testdata/models/tiny-sd3/tokenizer_3");

  @TempDir private Path folder;

  @Test
  void spieceModelAndTokenizerJsonGiveTheSameIds() throws Exception {
    copy("spiece.model", "tokenizer_config.json", "special_tokens_map.json");
    try (PromptTokenizer json = PromptTokenizer.t5(FOLDER);
        PromptTokenizer spiece = PromptTokenizer.t5(folder)) {
      for (String text : AwkwardTexts.all(5000)) {
        assertThat(spiece.encode(text, 512)).as("\"%s\"", text).isEqualTo(json.encode(text, 512));
      }
    }
  }

  @Test
  void idsAreThoseOfSentencePieceItself() throws Exception {
    // SentencePiece alone knows no special tokens in a text. Hugging Face's library normalises a
    // character together with the marks on it and splits at more kinds of line end; transformers
    // uses it, so we do as it does.
    Pattern elsewhere = Pattern.compile("[<\\x00\\x85\\u2028]");
    Pattern grapheme = Pattern.compile("\\X");
    int compared = 0;
    List<String> different = new ArrayList<>();
    try (PromptTokenizer t5 = PromptTokenizer.t5(FOLDER);
        SpTokenizer sentencePiece = new SpTokenizer(FOLDER.resolve("spiece.model"))) {
      for (String text : AwkwardTexts.all(5000)) {
        boolean plain = grapheme.matcher(text).results().count() == text.codePoints().count();
        if (!plain || elsewhere.matcher(text).find()) {
          continue;
        }
        int[] expected = sentencePiece.getProcessor().encode(text);
        int[] actual = t5.encode(text, 512).ids();
        boolean same = actual[Math.min(expected.length, 511)] == t5.eos();
        for (int i = 0; same && i < Math.min(expected.length, 511); i++) {
          same = actual[i] == expected[i];
        }
        compared++;
        if (!same) {
          different.add(text);
        }
      }
    }
    System.out.println("compared with SentencePiece: " + compared + " texts");
    assertThat(different).isEmpty();
    assertThat(compared).isGreaterThan(1000);
  }

  @Test
  void truncationAndPaddingInTheFileDoNotMatter() throws Exception {
    copy("tokenizer_config.json");
    ObjectMapper mapper = new ObjectMapper();
    ObjectNode json = (ObjectNode) mapper.readTree(FOLDER.resolve("tokenizer.json").toFile());
    json.putObject("truncation")
        .put("direction", "Right")
        .put("max_length", 4)
        .put("strategy", "LongestFirst")
        .put("stride", 0);
    ObjectNode padding = json.putObject("padding");
    padding.putObject("strategy").put("Fixed", 40);
    padding
        .put("direction", "Left")
        .putNull("pad_to_multiple_of")
        .put("pad_id", 0)
        .put("pad_type_id", 0)
        .put("pad_token", "<pad>");
    mapper.writeValue(folder.resolve("tokenizer.json").toFile(), json);
    String prompt = "a red circle to the left of a blue square";
    try (PromptTokenizer plain = PromptTokenizer.t5(FOLDER);
        PromptTokenizer padded = PromptTokenizer.t5(folder)) {
      assertThat(padded.encode(prompt, 20)).isEqualTo(plain.encode(prompt, 20));
    }
  }

  private void copy(String... names) throws Exception {
    for (String name : names) {
      Files.copy(FOLDER.resolve(name), folder.resolve(name));
    }
  }
}
