package org.rectiflow.encoders.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every tokenizer folder that cannot be used is refused with the file's name and a remedy. */
class TokenizerErrorsTest {
  private static final Path MODEL = Path.of("../testdata/models/tiny-sd3");
  private static final String CONFIG = "tokenizer_config.json";

  @TempDir private Path temp;
  private Path clip;
  private Path t5;

  @BeforeEach
  void copyTheTokenizers() throws IOException {
    clip = copy("tokenizer_2");
    t5 = copy("tokenizer_3");
  }

  @Test
  void aFolderThatDoesNotExist() {
    Path none = temp.resolve("none");
    assertThatThrownBy(() -> PromptTokenizer.clip(none))
        .isInstanceOf(TokenizerException.class)
        .hasMessageContaining(none.toString())
        .hasMessageContaining("does not exist")
        .hasMessageContaining("copy");
  }

  @Test
  void aMissingFileIsNamed() throws IOException {
    Files.delete(clip.resolve("merges.txt"));
    refusesClip(clip.resolve("merges.txt").toString(), "missing");
    Files.delete(clip.resolve("vocab.json"));
    refusesClip("neither tokenizer.json nor vocab.json and merges.txt");
    Files.delete(clip.resolve(CONFIG));
    refusesClip(clip.resolve(CONFIG).toString(), "missing");
    Files.delete(t5.resolve("tokenizer.json"));
    Files.delete(t5.resolve("spiece.model"));
    refusesT5("neither tokenizer.json nor spiece.model");
  }

  @Test
  void filesThatAreNotWhatTheyShouldBe() throws IOException {
    Files.writeString(clip.resolve("merges.txt"), "#version: 0.2\nl e</w>\na n g\n");
    refusesClip("merges.txt", "line 3", "a n g");
    Files.writeString(clip.resolve("merges.txt"), "#version: 0.2\nl e</w>\nqqq n\n");
    refusesClip("vocab.json", "qqq");
    Files.writeString(clip.resolve("vocab.json"), "{");
    refusesClip("vocab.json", "not valid JSON");
    Files.writeString(clip.resolve("vocab.json"), "[1]");
    refusesClip("vocab.json", "not a JSON object");
    Files.writeString(clip.resolve("vocab.json"), "{}");
    refusesClip("vocab.json", "no vocabulary");
    Files.writeString(t5.resolve("tokenizer.json"), "{\"version\": \"1.0\"}");
    refusesT5("tokenizer.json", "not a tokenizer");
  }

  @Test
  void aConfigThatDoesNotSayWhatIsNeeded() throws IOException {
    Files.delete(clip.resolve("special_tokens_map.json"));
    change(clip.resolve(CONFIG), c -> c.remove("pad_token"));
    refusesClip(CONFIG, "names no pad_token");
    change(clip.resolve(CONFIG), c -> c.put("pad_token", "<|pad|>"));
    refusesClip("vocab.json", "lacks the special token <|pad|>");
    change(clip.resolve(CONFIG), c -> c.put("pad_token", 7));
    refusesClip(CONFIG, "pad_token");
    change(clip.resolve(CONFIG), c -> c.put("pad_token", "!").put("model_max_length", "77"));
    refusesClip(CONFIG, "model_max_length");
    change(t5.resolve(CONFIG), c -> c.put("eos_token", "</nowhere>"));
    refusesT5(CONFIG, "eos_token", "</nowhere>");
  }

  @Test
  void aSentencePieceModelThatIsNone() throws IOException {
    Files.delete(t5.resolve("tokenizer.json"));
    byte[] whole = Files.readAllBytes(t5.resolve("spiece.model"));
    Files.write(t5.resolve("spiece.model"), Arrays.copyOf(whole, 1001));
    refusesT5("spiece.model", "not a SentencePiece model");
    Files.write(t5.resolve("spiece.model"), new byte[0]);
    refusesT5("spiece.model", "0 pieces");
    Files.writeString(t5.resolve("spiece.model"), "version https://git-lfs.github.com/spec/v1\n");
    refusesT5("spiece.model", "not a SentencePiece model");
  }

  @Test
  void noLimitIsNoLimit() throws IOException {
    change(t5.resolve(CONFIG), c -> c.put("model_max_length", 1e30));
    try (PromptTokenizer tokenizer = PromptTokenizer.t5(t5)) {
      assertThat(tokenizer.maxLength()).isEmpty();
      assertThat(tokenizer.encode("a", 2000).ids()).hasSize(2000);
    }
  }

  @Test
  void specialTokensMayComeFromTheMapOrAsObjects() throws IOException {
    change(
        clip.resolve(CONFIG),
        c -> {
          c.remove("pad_token");
          c.putObject("eos_token").put("content", "<|endoftext|>").put("normalized", false);
          c.putObject("added_tokens_decoder")
              .putObject("685")
              .put("content", "<|startoftext|>")
              .put("normalized", true);
        });
    try (PromptTokenizer tokenizer = PromptTokenizer.clip(clip);
        PromptTokenizer original = PromptTokenizer.clip(MODEL.resolve("tokenizer_2"))) {
      assertThat(tokenizer.encode("a RED circle!", 77))
          .isEqualTo(original.encode("a RED circle!", 77));
      // A normalised special token is looked for in lower-cased text.
      assertThat(tokenizer.encode("<|STARTOFTEXT|>", 3).ids()).containsExactly(685, 685, 686);
      assertThat(original.encode("<|STARTOFTEXT|>", 77).tokenCount()).isGreaterThan(3);
    }
  }

  @Test
  void aClipFolderMayHaveOnlyTokenizerJson() throws IOException {
    TokenizerFiles files = new TokenizerFiles(clip);
    ObjectNode json = (ObjectNode) ClipTokenizerJson.read(files, TokenizerConfig.read(files));
    json.putArray("added_tokens"); // the config names them all the same
    new ObjectMapper().writeValue(clip.resolve("tokenizer.json").toFile(), json);
    Files.delete(clip.resolve("vocab.json"));
    Files.delete(clip.resolve("merges.txt"));
    try (PromptTokenizer tokenizer = PromptTokenizer.clip(clip);
        PromptTokenizer original = PromptTokenizer.clip(MODEL.resolve("tokenizer_2"))) {
      for (String text : AwkwardTexts.all(500)) {
        assertThat(tokenizer.encode(text, 77)).isEqualTo(original.encode(text, 77));
      }
    }
  }

  private void refusesClip(String... parts) {
    assertThatThrownBy(() -> PromptTokenizer.clip(clip))
        .isInstanceOf(TokenizerException.class)
        .hasMessageContainingAll(parts)
        .hasMessageContaining("copy");
  }

  private void refusesT5(String... parts) {
    assertThatThrownBy(() -> PromptTokenizer.t5(t5))
        .isInstanceOf(TokenizerException.class)
        .hasMessageContainingAll(parts)
        .hasMessageContaining("copy");
  }

  private Path copy(String name) throws IOException {
    Path folder = Files.createDirectory(temp.resolve(name));
    try (var files = Files.list(MODEL.resolve(name))) {
      for (Path file : files.toList()) {
        Files.copy(file, folder.resolve(file.getFileName()));
      }
    }
    return folder;
  }

  private static void change(Path file, Consumer<ObjectNode> change) throws IOException {
    ObjectMapper mapper = new ObjectMapper();
    ObjectNode node = (ObjectNode) mapper.readTree(file.toFile());
    change.accept(node);
    mapper.writeValue(file.toFile(), node);
  }
}
