package org.rectiflow.pipeline.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.rectiflow.pipeline.Progress;
import org.rectiflow.pipeline.checkpoint.Inspection;
import org.rectiflow.pipeline.checkpoint.Inspection.PartReport;
import org.rectiflow.pipeline.checkpoint.Part;
import org.rectiflow.pipeline.io.UserException;
import org.rectiflow.safetensors.DType;
import org.rectiflow.safetensors.TensorSource;

/** Checkpoints of full size as sparse files: their shapes are the published ones. */
class RandomModelTest {
  @TempDir private Path folder;

  private static Map<Part, DType> all(DType dtype) {
    Map<Part, DType> dtypes = new EnumMap<>(Part.class);
    for (Part part : Part.values()) {
      dtypes.put(part, dtype);
    }
    return dtypes;
  }

  /** Tensor and parameter counts of the released files. */
  @ParameterizedTest
  @CsvSource({
    "SD3_MEDIUM, SD3-medium, 491, 683, 2084951104",
    "SD35_MEDIUM, SD3.5-medium, 665, 909, 2469663936",
    "SD35_LARGE, SD3.5-large or large-turbo, 923, 1227, 8146280768"
  })
  void bothLayoutsAreNamedByTheirShapes(
      Release release, String name, int original, int diffusers, long parameters)
      throws IOException {
    RandomModel model = new RandomModel(release, release.blocks(), all(DType.F16), true, 0);
    for (TargetLayout layout : new TargetLayout[] {TargetLayout.SINGLE, TargetLayout.DIFFUSERS}) {
      boolean single = layout == TargetLayout.SINGLE;
      Path target = folder.resolve(single ? "model.safetensors" : "model");
      model.write(target, layout, Progress.NONE);
      Inspection found = Inspection.of(target, false);
      assertThat(found.what()).isEqualTo(name);
      assertThat(found.hasProblem()).isFalse();
      assertThat(found.parts()).hasSize(5);
      PartReport transformer = found.parts().get("transformer");
      assertThat(transformer.tensors()).isEqualTo(single ? original : diffusers);
      assertThat(transformer.parameters()).isEqualTo(parameters);
      assertThat(found.parts().get("vae").parameters()).isEqualTo(83_819_683);
      assertThat(found.parts().get("vae").what()).isEqualTo("SD3's autoencoder");
      assertThat(found.parts().get("text_encoder").parameters())
          .isEqualTo(123_060_480 + (single ? 0 : 768 * 768));
      assertThat(found.parts().get("text_encoder_2").parameters()).isEqualTo(694_659_840);
      assertThat(found.parts().get("text_encoder_3").what()).isEqualTo("T5-v1.1-XXL encoder");
      assertThat(found.parts().get("text_encoder_3").parameters())
          .isEqualTo(4_762_310_656L + (single ? 32128 * 4096 : 0));
    }
  }

  @Test
  void weightsAreRandomOfAModestSize() throws IOException {
    Map<Part, DType> vae = Map.of(Part.VAE, DType.BF16);
    Path a = folder.resolve("a.safetensors");
    new RandomModel(Release.SD3_MEDIUM, 24, vae, false, 5)
        .write(a, TargetLayout.SINGLE, Progress.NONE);
    try (TensorSource source = TensorSource.open(a)) {
      float[] kernel = source.floats("first_stage_model.encoder.mid.block_1.conv1.weight");
      double sum = 0;
      double squares = 0;
      for (float value : kernel) {
        sum += value;
        squares += (double) value * value;
      }
      double expected = 0.5 / Math.sqrt(512 * 9);
      assertThat(Math.sqrt(squares / kernel.length)).isBetween(0.98 * expected, 1.02 * expected);
      assertThat(Math.abs(sum / kernel.length)).isLessThan(0.01 * expected);
      assertThat(source.floats("first_stage_model.encoder.mid.block_1.norm1.weight"))
          .containsOnly(1);
    }
    assertThatThrownBy(() ->
            new RandomModel(Release.SD3_MEDIUM, 24, vae, false, 5)
                .write(a, TargetLayout.SINGLE, Progress.NONE))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("nothing is overwritten");
  }

  @ParameterizedTest
  @CsvSource({
    "context_embedder.weight, 0.0078125",
    "time_text_embed.text_embedder.linear_1.weight, 0.0078125",
    "pos_embed.proj.weight, 0.0078125",
    "pos_embed.pos_embed, 0.5",
    "text_model.embeddings.token_embedding.weight, 0.5",
    "encoder.embed_tokens.weight, 0.5"
  })
  void onlyTablesHaveRowsOfTheSizeOfActivations(String name, double deviation) {
    assertThat(RandomModel.deviation(name, List.of(1536L, 4096L))).isEqualTo(deviation);
  }

  @Test
  void weightsAreOfNoOtherType() {
    Map<Part, DType> whole = all(DType.I64);
    assertThatThrownBy(() -> new RandomModel(Release.SD3_MEDIUM, 1, whole, true, 0))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("I64 is no type for weights; choose one of [");
  }
}
