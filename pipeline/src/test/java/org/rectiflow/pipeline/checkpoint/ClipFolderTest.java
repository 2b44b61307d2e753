package org.rectiflow.pipeline.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rectiflow.encoders.ClipScorer;
import org.rectiflow.encoders.PixelNorm;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.CheckpointException;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.cpu.CpuBackend;
import org.rectiflow.safetensors.TensorSource;

/**
 * A folder of transformers' CLIPModel, made of the golden file's pair, and what is done with it.
 */
class ClipFolderTest {
  private static final Path GOLDEN = Path.of("../testdata/golden/tiny-clip.safetensors");
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder;

  /** The pair, with one letter a token, so that prompts fit its vocabulary. */
  private void write() throws IOException {
    Files.copy(GOLDEN, folder.resolve(ClipFolder.WEIGHTS));
    ObjectNode config = JSON.createObjectNode().put("projection_dim", 16);
    try (TensorSource golden = TensorSource.open(GOLDEN)) {
      config.set("text_config", JSON.readTree(golden.metadata().get("text")));
      config.set("vision_config", JSON.readTree(golden.metadata().get("vision")));
    }
    JSON.writeValue(folder.resolve("config.json").toFile(), config);
    writePixelNorm(folder.resolve("preprocessor_config.json"), PixelNorm.OPENAI);
    ObjectNode vocabulary = JSON.createObjectNode();
    String letters = "abcdefghijklmnopqrstuvwx";
    for (int i = 0; i < letters.length(); i++) {
      vocabulary.put(letters.substring(i, i + 1), 2 * i);
      vocabulary.put(letters.charAt(i) + "</w>", 2 * i + 1);
    }
    vocabulary.put("<|startoftext|>", 48).put("<|endoftext|>", 49);
    JSON.writeValue(folder.resolve("vocab.json").toFile(), vocabulary);
    Files.writeString(folder.resolve("merges.txt"), "#version: 0.2\n");
    Files.writeString(
        folder.resolve("tokenizer_config.json"),
        """
        {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "model_max_length": 9,
         "pad_token": "<|endoftext|>", "unk_token": "<|endoftext|>"}
        """);
  }

  private static Tensor pictures(int count) {
    Tensor pixels = Tensor.zeros(Shape.of(count, 3, 16, 16));
    Random random = new Random(4);
    for (int i = 0; i < pixels.data().length; i++) {
      pixels.data()[i] = 2 * random.nextFloat() - 1;
    }
    return pixels;
  }

  @Test
  void featuresDoNotDependOnTheBatch() throws IOException {
    write();
    try (Backend backend = new CpuBackend(2);
        ClipFolder clip = ClipFolder.open(folder);
        ClipScorer one = new ClipScorer(backend, clip.vision(), clip.text(), clip.tokenizer(), 1);
        ClipScorer four =
            new ClipScorer(backend, clip.vision(), clip.text(), clip.tokenizer(), 4)) {
      Tensor pixels = pictures(6);
      List<String> texts = List.of("a", "b c", "hello", "x", "a a", "much too long for nine");
      Tensor images = four.imageFeatures(pixels);
      Tensor features = four.textFeatures(texts);

      assertThat(images.shape()).isEqualTo(Shape.of(6, 16));
      assertClose(images, one.imageFeatures(pixels));
      assertClose(features, one.textFeatures(texts));
      double[] alignment = ClipScorer.alignment(images, features);
      assertThat(alignment).hasSize(6);
      for (double cosine : alignment) {
        assertThat(cosine).isBetween(-1.0, 1.0);
      }
      assertThatThrownBy(() -> four.imageFeatures(Tensor.zeros(Shape.of(2, 3, 8, 16))))
          .hasMessage(
              "pictures [2, 3, 8, 16] for a CLIP image model of [N, 3, 16, 16]; scale them first");
    }
  }

  private static void assertClose(Tensor a, Tensor b) {
    assertThat(a.shape()).isEqualTo(b.shape());
    for (int i = 0; i < a.data().length; i++) {
      assertThat(a.data()[i]).isCloseTo(b.data()[i], within(1e-4f));
    }
  }

  @Test
  void inspectNamesBothTowersAndTheScale() throws IOException {
    write();
    Inspection found = Inspection.of(folder, true);
    assertThat(found.what()).isEqualTo("a pair of CLIP towers, features of 16 channels");
    assertThat(found.parts().keySet()).containsExactly("text_model", "vision_model", "logit_scale");
    assertThat(found.parts().get("text_model").sizes())
        .contains("layers of width", "heads", "tokens of", "projected to 16");
    assertThat(found.parts().get("vision_model").sizes())
        .contains("pictures of 16x16 in patches of");
    assertThat(found.parts().get("text_model").list())
        .containsKey("text_projection.weight")
        .doesNotContainKey("visual_projection.weight");
    assertThat(found.tokenizers()).containsEntry("tokenizer", folder.toString());
    // The golden file holds other numbers besides the pair's.
    assertThat(found.parts().get("logit_scale").problems().getFirst())
        .contains("tensors that a CLIPModel does not have: ");

    Files.delete(folder.resolve("vocab.json"));
    Inspection without = Inspection.of(folder, false);
    assertThat(without.missing()).containsKey("tokenizer");
    assertThat(without.tokenizers()).isEmpty();
  }

  @Test
  void whatIsMissingOrWrongIsNamed() throws IOException {
    assertThatThrownBy(() -> ClipFolder.open(folder))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("model.safetensors is missing");
    write();
    Path preprocessor = folder.resolve("preprocessor_config.json");
    Files.writeString(preprocessor, "{\"image_mean\": [0.5, 0.5, 0.5], \"image_std\": [1, 0, 1]}");
    assertThatThrownBy(() -> ClipFolder.open(folder))
        .hasMessageContaining("image_std is [1,0,1], expected three positive numbers");
    Files.delete(preprocessor);
    assertThatThrownBy(() -> ClipFolder.open(folder))
        .hasMessageContaining("preprocessor_config.json is missing: it says how pixels");
    writePixelNorm(preprocessor, PixelNorm.SYMMETRIC);
    Path config = folder.resolve("config.json");
    ObjectNode json = (ObjectNode) JSON.readTree(config.toFile());
    ((ObjectNode) json.get("vision_config")).put("patch_size", 5);
    JSON.writeValue(config.toFile(), json);
    assertThatThrownBy(() -> ClipFolder.open(folder))
        .hasMessageContaining("pictures of 16 pixels do not divide into patches of 5");
    json.remove("vision_config");
    JSON.writeValue(config.toFile(), json);
    assertThatThrownBy(() -> ClipFolder.open(folder))
        .hasMessageContaining("vision_config is missing, expected an object");
  }

  private static void writePixelNorm(Path path, PixelNorm norm) throws IOException {
    ObjectNode json = JSON.createObjectNode();
    ArrayNode mean = json.putArray("image_mean");
    norm.mean().forEach(mean::add);
    ArrayNode deviation = json.putArray("image_std");
    norm.deviation().forEach(deviation::add);
    JSON.writeValue(path.toFile(), json);
  }
}
