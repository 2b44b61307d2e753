package org.rectiflow.pipeline.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.rectiflow.pipeline.ModelFolders.SHAPES;
import static org.rectiflow.pipeline.ModelFolders.TINY_SD3;
import static org.rectiflow.pipeline.ModelFolders.TINY_SD35M;
import static org.rectiflow.pipeline.SingleFiles.CLIP_G;
import static org.rectiflow.pipeline.SingleFiles.CLIP_L;
import static org.rectiflow.pipeline.SingleFiles.MMDIT_VAE;
import static org.rectiflow.pipeline.SingleFiles.T5_FP8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.WeightSource;
import org.rectiflow.engine.cpu.CpuBackend;
import org.rectiflow.pipeline.ModelFolders;
import org.rectiflow.pipeline.Progress;
import org.rectiflow.pipeline.SingleFiles;
import org.rectiflow.pipeline.checkpoint.Checkpoint;
import org.rectiflow.pipeline.checkpoint.OverriddenCheckpoint;
import org.rectiflow.pipeline.checkpoint.Part;
import org.rectiflow.pipeline.io.UserException;
import org.rectiflow.pipeline.verify.Verification;
import org.rectiflow.safetensors.DType;
import org.rectiflow.safetensors.SafetensorsWriter;
import org.rectiflow.safetensors.TensorSource;

class ConversionTest {
  @TempDir private Path folder;

  private static Conversion to(TargetLayout layout) {
    return new Conversion(
        layout, Optional.empty(), Map.of(), OptionalLong.empty(), EnumSet.allOf(Part.class));
  }

  private static Conversion to(TargetLayout layout, DType dtype) {
    return new Conversion(
        layout, Optional.of(dtype), Map.of(), OptionalLong.empty(), EnumSet.allOf(Part.class));
  }

  private Path convert(Path source, String name, Conversion how) throws IOException {
    Path target = folder.resolve(name);
    try (Checkpoint checkpoint =
        OverriddenCheckpoint.of(Checkpoint.open(source), Map.of(), tokenizersFor(source))) {
      how.write(checkpoint, target, Progress.NONE);
    }
    return target;
  }

  private static Optional<Path> tokenizersFor(Path source) {
    return Files.isDirectory(source) ? Optional.empty() : Optional.of(TINY_SD3);
  }

  static List<Path> folders() {
    return List.of(TINY_SD3, TINY_SD35M, SHAPES);
  }

  /** Shards apart, every file is restored byte for byte: tensors, configurations, tokenizers. */
  @ParameterizedTest
  @MethodSource("folders")
  void fromAFolderToASingleFileAndBackRestoresTheFolder(Path model) throws IOException {
    Path single = convert(model, "single.safetensors", to(TargetLayout.SINGLE));
    Path back = folder.resolve("back");
    try (Checkpoint checkpoint =
        OverriddenCheckpoint.of(Checkpoint.open(single), Map.of(), Optional.of(model))) {
      to(TargetLayout.DIFFUSERS).write(checkpoint, back, Progress.NONE);
    }
    assertSameModel(model, back);
  }

  @ParameterizedTest
  @MethodSource("folders")
  void fromAFolderToSeparateFilesAndBackRestoresTheFolder(Path model) throws IOException {
    Path parts = convert(model, "parts", to(TargetLayout.SEPARATE));
    assertThat(parts.resolve("text_encoders/clip_l.safetensors")).exists();
    Path back = folder.resolve("back");
    try (Checkpoint checkpoint = Checkpoint.open(parts.resolve("model.safetensors"))) {
      to(TargetLayout.DIFFUSERS).write(checkpoint, back, Progress.NONE);
    }
    assertSameModel(model, back);
  }

  private static void assertSameModel(Path model, Path other) throws IOException {
    try (Checkpoint a = Checkpoint.open(model);
        Checkpoint b = Checkpoint.open(other);
        Stream<Path> files = Files.walk(model)) {
      for (Part part : Part.values()) {
        assertSameTensors(a.require(part), b.require(part));
        assertThat(b.part(part).orElseThrow().config().orElseThrow().text())
            .isEqualTo(a.part(part).orElseThrow().config().orElseThrow().text());
      }
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        String name = model.relativize(file).toString();
        boolean shard = name.contains("-of-") || name.endsWith(".index.json");
        if (!shard) {
          assertThat(other.resolve(name)).hasSameBinaryContentAs(file);
        }
      }
    }
  }

  private static void assertSameTensors(WeightSource a, WeightSource b) {
    assertThat(b.names()).containsExactlyInAnyOrderElementsOf(a.names());
    for (String name : a.names()) {
      assertThat(b.require(name).dtype()).as(name).isEqualTo(a.require(name).dtype());
      assertThat(b.require(name).data().mismatch(a.require(name).data())).as(name).isEqualTo(-1);
    }
  }

  /** What torch wrote comes back byte for byte, header and all. */
  @Test
  void fromASingleFileToAFolderAndBackRestoresTheFile() throws IOException {
    for (Path single :
        List.of(
            SingleFiles.inclClips(folder),
            SingleFiles.inclClipsT5Fp16(folder),
            SingleFiles.inclClipsT5Fp8(folder),
            SingleFiles.copy(MMDIT_VAE, folder.resolve("alone/mmdit_vae.safetensors")))) {
      Conversion present =
          new Conversion(
              TargetLayout.DIFFUSERS,
              Optional.empty(),
              Map.of(),
              OptionalLong.empty(),
              partsIn(single));
      Path model = convert(single, single.getFileName() + "-folder", present);
      Path back = convert(model, "back-" + single.getFileName(), to(TargetLayout.SINGLE));
      assertThat(back).hasSameBinaryContentAs(single);
    }
  }

  /** Without the encoders that lie beside the file. */
  private static Set<Part> partsIn(Path single) {
    Set<Part> parts = EnumSet.noneOf(Part.class);
    try (Checkpoint checkpoint = Checkpoint.open(single)) {
      for (Part part : Part.values()) {
        if (single.toString().contains("fp") || part != Part.T5) {
          checkpoint
              .part(part)
              .filter(p -> p.stored().source().path().equals(single))
              .ifPresent(_ -> parts.add(part));
        }
      }
    }
    return parts;
  }

  @Test
  void separateFilesAreThePublishedOnes() throws IOException {
    Path parts = convert(MMDIT_VAE, "parts", to(TargetLayout.SEPARATE));
    assertThat(parts.resolve("model.safetensors")).hasSameBinaryContentAs(MMDIT_VAE);
    assertSameTensorsIn(parts.resolve("text_encoders/clip_l.safetensors"), CLIP_L);
    assertSameTensorsIn(parts.resolve("text_encoders/clip_g.safetensors"), CLIP_G);
    assertSameTensorsIn(parts.resolve("text_encoders/t5xxl_fp8_e4m3fn.safetensors"), T5_FP8);
  }

  private static void assertSameTensorsIn(Path file, Path expected) {
    try (TensorSource a = TensorSource.open(file);
        TensorSource b = TensorSource.open(expected)) {
      assertThat(a.tensors().keySet()).isEqualTo(b.tensors().keySet());
      for (String name : b.tensors().keySet()) {
        assertThat(a.info(name).dtype()).as(name).isEqualTo(b.info(name).dtype());
        assertThat(a.data(name).mismatch(b.data(name))).as(name).isEqualTo(-1);
      }
    }
  }

  /** The published float8 file, which torch rounded, made from the float16 one. */
  @Test
  void t5InFloat8IsBitForBitWhatTorchMakesOfIt() throws IOException {
    Path t5 = folder.resolve("t5.safetensors");
    Conversion eightBits =
        new Conversion(
            TargetLayout.SEPARATE,
            Optional.empty(),
            Map.of(Part.T5, DType.F8_E4M3),
            OptionalLong.empty(),
            EnumSet.of(Part.T5));
    Path parts = convert(TINY_SD3, "parts", eightBits);
    assertSameTensorsIn(parts.resolve("text_encoders/t5xxl_fp8_e4m3fn.safetensors"), T5_FP8);

    try (TensorSource fp16 =
        TensorSource.open(TINY_SD3.resolve("text_encoder_3/model.safetensors"))) {
      Conversion.file(fp16, t5, Optional.of(DType.F8_E4M3));
      try (TensorSource fp8 = TensorSource.open(t5)) {
        assertThat(fp8.tensors().keySet()).isEqualTo(fp16.tensors().keySet());
        assertThat(fp8.info("shared.weight").dtype()).isEqualTo(DType.F8_E4M3);
        assertThat(fp8.info("encoder.final_layer_norm.weight").dtype()).isEqualTo(DType.F16);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"F32", "BF16", "F16"})
  void widerTypesAndBackLoseNothing(String name) throws IOException {
    DType wide = DType.valueOf(name);
    Path model = wide == DType.F16 ? SHAPES : TINY_SD35M;
    DType narrow = wide == DType.F16 ? DType.F16 : DType.BF16;
    Path widened = convert(model, "wide", to(TargetLayout.DIFFUSERS, DType.F32));
    Path back = convert(widened, "back", to(TargetLayout.DIFFUSERS, narrow));
    try (Checkpoint a = Checkpoint.open(model);
        Checkpoint w = Checkpoint.open(widened);
        Checkpoint b = Checkpoint.open(back)) {
      assertThat(w.require(Part.VAE).require("decoder.conv_in.weight").dtype())
          .isEqualTo(DType.F32);
      assertSameTensors(a.require(Part.TRANSFORMER), b.require(Part.TRANSFORMER));
      assertSameTensors(a.require(Part.VAE), b.require(Part.VAE));
    }
    assertThat(Files.readString(widened.resolve("text_encoder_2/config.json")))
        .contains("\"dtype\" : \"float32\"");
  }

  @Test
  void aConvertedFolderDrawsWhatTheSingleFileDraws() throws IOException {
    Path model = convert(SingleFiles.inclClipsT5Fp16(folder), "model", to(TargetLayout.DIFFUSERS));
    try (Checkpoint checkpoint = Checkpoint.open(model);
        TensorSource golden =
            TensorSource.open(ModelFolders.GOLDEN.resolve("tiny-sd3-single.safetensors"));
        Backend backend = new CpuBackend(2)) {
      Verification result = Verification.of(golden, checkpoint, backend, c -> {});
      assertThat(result.passes()).isTrue();
      assertThat(result.comparisons()).extracting("name").contains("fp16.image", "no_t5.image");
    }
  }

  @Test
  void shardsKeepToTheirSize() throws IOException {
    Conversion sharded =
        new Conversion(
            TargetLayout.DIFFUSERS,
            Optional.empty(),
            Map.of(),
            OptionalLong.of(1_000_000),
            EnumSet.of(Part.TRANSFORMER, Part.VAE));
    Path model = convert(TINY_SD3, "sharded", sharded);
    try (Checkpoint a = Checkpoint.open(TINY_SD3);
        Checkpoint b = Checkpoint.open(model)) {
      assertThat(b.files(Part.TRANSFORMER)).hasSizeGreaterThan(3);
      for (Path file : b.files(Part.TRANSFORMER)) {
        assertThat(Files.size(file)).isLessThan(1_100_000);
      }
      assertSameTensors(a.require(Part.TRANSFORMER), b.require(Part.TRANSFORMER));
    }
  }

  @Test
  void valuesThatTheNewTypeCannotHoldAreRefusedAndNothingIsLeft() throws IOException {
    Path wide = folder.resolve("wide.safetensors");
    new SafetensorsWriter()
        .add("big", DType.F32, List.of(1L, 2L), sink -> sink.write(new float[] {1, 70000}, 0, 2))
        .write(wide);
    try (TensorSource source = TensorSource.open(wide)) {
      Path target = folder.resolve("narrow.safetensors");
      assertThatThrownBy(() -> Conversion.file(source, target, Optional.of(DType.F16)))
          .isInstanceOf(UserException.class)
          .hasMessageContainingAll("wide.safetensors", "big", "70000", "F16", "65504", "BF16");
      assertThat(target).doesNotExist();
      Conversion.file(source, target, Optional.of(DType.BF16));
      assertThat(target).exists();
    }
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files).hasSize(2);
    }
  }

  @Test
  void nothingIsOverwrittenAndAFailedFolderIsRemoved() throws IOException {
    Path source = SingleFiles.inclClips(folder);
    try (Checkpoint checkpoint = Checkpoint.open(source)) {
      assertThatThrownBy(() -> to(TargetLayout.SINGLE).write(checkpoint, source, Progress.NONE))
          .isInstanceOf(UserException.class)
          .hasMessageContainingAll(source.toString(), "exists", "nothing is overwritten");
    }
    Path big = folder.resolve("big.safetensors");
    SafetensorsWriter writer = new SafetensorsWriter();
    String tensor = "model.diffusion_model.pos_embed";
    try (TensorSource mmdit = TensorSource.open(MMDIT_VAE)) {
      SingleFiles.add(writer, mmdit, "", name -> !name.equals(tensor));
      long rows = mmdit.info(tensor).shape().get(1);
      float[] values = new float[(int) (rows * 128)];
      values[7] = 1e30f;
      writer
          .add(
              tensor,
              DType.F32,
              List.of(1L, rows, 128L),
              sink -> sink.write(values, 0, values.length))
          .write(big);
    }
    assertThatThrownBy(() -> convert(big, "model", to(TargetLayout.DIFFUSERS, DType.F16)))
        .hasMessageContainingAll("pos_embed", "1.0E30");
    assertThat(folder.resolve("model")).doesNotExist();
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files.map(f -> f.getFileName().toString()))
          .containsExactlyInAnyOrder("incl_clips.safetensors", "big.safetensors");
    }
  }
}
