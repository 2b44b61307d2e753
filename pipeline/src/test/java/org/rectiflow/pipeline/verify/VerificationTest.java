package org.rectiflow.pipeline.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.rectiflow.pipeline.ModelFolders.GOLDEN;
import static org.rectiflow.pipeline.ModelFolders.SHAPES;
import static org.rectiflow.pipeline.ModelFolders.TINY_SD3;
import static org.rectiflow.pipeline.ModelFolders.TINY_SD35M;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.cpu.CpuBackend;
import org.rectiflow.pipeline.checkpoint.Checkpoint;
import org.rectiflow.pipeline.checkpoint.DiffusersFolder;
import org.rectiflow.pipeline.io.TensorFiles;
import org.rectiflow.pipeline.verify.Comparison.Rule;
import org.rectiflow.safetensors.TensorSource;

/** Everything diffusers computed for the small models, on the cpu backend. */
class VerificationTest {

  static List<Arguments> models() {
    return List.of(
        Arguments.of(SHAPES, "shapes.safetensors", 72),
        Arguments.of(TINY_SD3, "tiny-sd3.safetensors", 75),
        Arguments.of(TINY_SD3, "tiny-sd3-gradients.safetensors", 287),
        Arguments.of(TINY_SD35M, "tiny-sd35m.safetensors", 44));
  }

  @ParameterizedTest
  @MethodSource("models")
  void agreesWithDiffusers(Path model, String golden, int tensors) {
    try (TensorSource source = TensorSource.open(GOLDEN.resolve(golden));
        Checkpoint checkpoint = DiffusersFolder.open(model);
        Backend backend = new CpuBackend(2)) {
      Verification result = Verification.of(source, checkpoint, backend, c -> {});
      result.comparisons().stream()
          .filter(c -> c.rule() == Rule.RELATIVE)
          .max((a, b) -> Double.compare(a.relative(), b.relative()))
          .ifPresent(
              c -> System.out.printf("%s: largest %.1e at %s%n", golden, c.relative(), c.name()));

      assertThat(result.comparisons()).hasSize(tensors).allMatch(Comparison::passes);
      assertThat(result.unknown()).isEmpty();
      assertThat(result.leftOut()).isEmpty();
      assertThat(result.passes()).isTrue();
    }
  }

  @Test
  void aWrongTensorFailsAndAStrangeNameIsReported(@TempDir Path temporary) {
    Path golden = temporary.resolve("golden.safetensors");
    try (TensorSource source = TensorSource.open(GOLDEN.resolve("tiny-sd3.safetensors"))) {
      Tensor embeds = TensorFiles.read(source, "p0.pooled");
      embeds.data()[17] += 1e-3f;
      TensorFiles.write(
          golden,
          Map.of(
              "p0.pooled", embeds,
              "p0.noise", TensorFiles.read(source, "p0.noise"),
              "p0.mystery", embeds,
              "other.noise", embeds),
          source.metadata());
    }
    try (TensorSource source = TensorSource.open(golden);
        Checkpoint checkpoint = DiffusersFolder.open(TINY_SD3);
        Backend backend = new CpuBackend(2)) {
      Verification result = Verification.of(source, checkpoint, backend, c -> {});

      assertThat(result.comparisons())
          .filteredOn(c -> !c.passes())
          .extracting(Comparison::name)
          .containsExactly("p0.pooled");
      assertThat(result.unknown()).containsExactly("other.noise", "p0.mystery");
      assertThat(result.passes()).isFalse();
    }
  }

  @Test
  void comparisons() {
    float[] golden = {1, -2, 0};
    assertThat(Comparison.of("x", new float[] {1, -2.0001f, 0}, golden, Rule.RELATIVE, 1e-4))
        .matches(Comparison::passes);
    assertThat(Comparison.of("x", new float[] {1, -2.0003f, 0}, golden, Rule.RELATIVE, 1e-4))
        .matches(c -> !c.passes());
    assertThat(Comparison.of("x", new float[] {1, Float.NaN, 0}, golden, Rule.RELATIVE, 1e-4))
        .matches(c -> !c.passes());
    assertThat(Comparison.of("x", new float[] {Math.nextUp(1f), -2, 0}, golden, Rule.EQUAL, 0))
        .matches(c -> !c.passes());
    float[] levels = {0.4f, 1};
    assertThat(
            Comparison.of("x", new float[] {0.4f + 1 / 255f, 1}, levels, Rule.LEVELS, 1).absolute())
        .isEqualTo(1);
    assertThat(Comparison.of("x", new float[] {0.41f, 1}, levels, Rule.LEVELS, 1))
        .matches(c -> !c.passes());
  }
}
