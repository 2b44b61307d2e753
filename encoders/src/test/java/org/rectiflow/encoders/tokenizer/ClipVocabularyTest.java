package org.rectiflow.encoders.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** CLIP's published vocabulary, which comes with the program. */
class ClipVocabularyTest {

  @ParameterizedTest
  @CsvSource({"tokenizer, 49407", "tokenizer_2, 0"})
  void publishedIds(String folder, int pad) {
    Path path = Path.of("../models/clip-tokenizers", folder);
    try (PromptTokenizer tokenizer = PromptTokenizer.clip(path)) {
      int[] ids = tokenizer.encode("A photo of a cat", 77).ids();

      int[] expected = new int[77];
      Arrays.fill(expected, pad);
      int[] text = {49406, 320, 1125, 539, 320, 2368, 49407};
      System.arraycopy(text, 0, expected, 0, text.length);
      assertThat(ids).isEqualTo(expected);
      assertThat(Arrays.copyOf(tokenizer.encode("hello world", 77).ids(), 4))
          .containsExactly(49406, 3306, 1002, 49407);
    }
  }
}
