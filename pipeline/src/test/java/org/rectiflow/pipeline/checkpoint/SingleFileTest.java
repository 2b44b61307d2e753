package org.rectiflow.pipeline.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.rectiflow.pipeline.ModelFolders.TINY_SD3;
import static org.rectiflow.pipeline.SingleFiles.CLIP_G;
import static org.rectiflow.pipeline.SingleFiles.CLIP_L;
import static org.rectiflow.pipeline.SingleFiles.MMDIT_VAE;
import static org.rectiflow.pipeline.SingleFiles.T5_FP8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.CheckpointException;
import org.rectiflow.engine.Weight;
import org.rectiflow.engine.WeightSource;
import org.rectiflow.engine.cpu.CpuBackend;
import org.rectiflow.pipeline.ModelFolders;
import org.rectiflow.pipeline.SingleFiles;
import org.rectiflow.pipeline.verify.Comparison;
import org.rectiflow.pipeline.verify.Verification;
import org.rectiflow.safetensors.DType;
import org.rectiflow.safetensors.SafetensorsWriter;
import org.rectiflow.safetensors.TensorSource;

/** The original layout against diffusers' numbers and against the folder of the same weights. */
class SingleFileTest {
  @TempDir private Path folder;

  private Checkpoint open(Path file) {
    return OverriddenCheckpoint.of(Checkpoint.open(file), Map.of(), Optional.of(TINY_SD3));
  }

  private static Checkpoint open(Path file, Map<Part, Path> parts) {
    return OverriddenCheckpoint.of(Checkpoint.open(file), parts, Optional.of(TINY_SD3));
  }

  /** Every tensor of the cases the checkpoint can answer; returns these cases. */
  private static Set<String> verify(Checkpoint checkpoint) {
    try (checkpoint;
        TensorSource golden =
            TensorSource.open(ModelFolders.GOLDEN.resolve("tiny-sd3-single.safetensors"));
        Backend backend = new CpuBackend(2)) {
      Verification result =
          Verification.of(
              golden,
              checkpoint,
              backend,
              c -> {
                assertThat(c.passes()).as(c.toString()).isTrue();
              });
      System.out.printf(
          "%s: largest relative difference %.1e, %d left out%n",
          checkpoint.path().getFileName(),
          result.comparisons().stream().mapToDouble(Comparison::relative).max().orElseThrow(),
          result.leftOut().size());
      assertThat(result.passes()).isTrue();
      return result.comparisons().stream()
          .filter(c -> c.name().endsWith(".image"))
          .map(c -> c.name().substring(0, c.name().indexOf('.')))
          .collect(Collectors.toCollection(TreeSet::new));
    }
  }

  @Test
  void withClipsItDrawsWhatDiffusersDrawsWithoutT5() {
    assertThat(verify(open(SingleFiles.inclClips(folder)))).containsExactly("no_t5");
  }

  @Test
  void withT5InFloat16ItDrawsWhatDiffusersDraws() {
    assertThat(verify(open(SingleFiles.inclClipsT5Fp16(folder)))).containsExactly("fp16", "no_t5");
  }

  @Test
  void withT5InFloat8ItDrawsWhatDiffusersDraws() {
    assertThat(verify(open(SingleFiles.inclClipsT5Fp8(folder)))).containsExactly("fp8", "no_t5");
  }

  @Test
  void encodersAreFoundBesideTheFileByTheirTensors() {
    assertThat(verify(open(MMDIT_VAE))).containsExactly("fp8", "no_t5");
    Path model = SingleFiles.copy(MMDIT_VAE, folder.resolve("model.safetensors"));
    SingleFiles.copy(CLIP_G, folder.resolve("a.safetensors"));
    SingleFiles.copy(CLIP_L, folder.resolve("text_encoders/b.safetensors"));
    try (Checkpoint checkpoint = open(model)) {
      assertThat(checkpoint.files(Part.CLIP_G).toString()).contains("a.safetensors");
      assertThat(checkpoint.files(Part.CLIP_L).toString()).contains("b.safetensors");
      assertThat(checkpoint.weights(Part.T5)).isEmpty();
    }
  }

  @Test
  void encodersAreTakenFromFilesGivenByFlags() {
    Path model = SingleFiles.copy(MMDIT_VAE, folder.resolve("model.safetensors"));
    Map<Part, Path> files =
        Map.of(
            Part.CLIP_L, CLIP_L,
            Part.CLIP_G, CLIP_G,
            Part.T5, TINY_SD3.resolve("text_encoder_3/model.safetensors"));
    assertThat(verify(open(model, files))).containsExactly("fp16", "no_t5");
  }

  /** A folder's transformer and CLIPs with the float8 T5: the mixture of two layouts. */
  @Test
  void aFoldersEncoderCanBeReplaced() {
    try (Checkpoint mixed =
        OverriddenCheckpoint.of(
            Checkpoint.open(TINY_SD3),
            Map.of(Part.T5, T5_FP8, Part.VAE, MMDIT_VAE),
            Optional.empty())) {
      assertThat(mixed.require(Part.T5).require("shared.weight").dtype()).isEqualTo(DType.F8_E4M3);
      assertThat(mixed.files(Part.VAE)).containsExactly(MMDIT_VAE);
      assertThat(mixed.vaeConfig().groups()).isEqualTo(8);
      assertThat(mixed.schedulerConfig().shift()).isEqualTo(3);
    }
    try (Checkpoint other =
        OverriddenCheckpoint.of(
            Checkpoint.open(MMDIT_VAE), Map.of(Part.CLIP_L, TINY_SD3), Optional.empty())) {
      assertThat(other.files(Part.CLIP_L).getFirst().toString()).contains("text_encoder");
      assertThat(other.clipConfig(Part.CLIP_L).projected()).isTrue();
    }
  }

  /** qkv split, halves swapped, 1x1 convolutions squeezed: the bytes are those of the folder. */
  @ParameterizedTest
  @EnumSource(names = {"TRANSFORMER", "VAE", "CLIP_G"})
  void everyTensorIsTheFoldersBitForBit(Part part) {
    try (Checkpoint single = open(MMDIT_VAE);
        Checkpoint diffusers = Checkpoint.open(TINY_SD3)) {
      WeightSource ours = single.require(part);
      WeightSource theirs = diffusers.require(part);
      assertThat(ours.names()).containsExactlyInAnyOrderElementsOf(theirs.names());
      for (String name : theirs.names()) {
        Weight a = ours.require(name);
        Weight b = theirs.require(name);
        assertThat(a.shape()).as(name).isEqualTo(b.shape());
        assertThat(a.dtype()).as(name).isEqualTo(b.dtype());
        assertThat(a.data().mismatch(b.data())).as(name).isEqualTo(-1);
      }
    }
  }

  @Test
  void sizesAreThoseOfTheFoldersConfigurations() {
    try (Checkpoint single = open(SingleFiles.inclClipsT5Fp16(folder));
        Checkpoint diffusers = Checkpoint.open(TINY_SD3)) {
      assertThat(single.vaeConfig()).isEqualTo(diffusers.vaeConfig());
      assertThat(single.t5Config()).isEqualTo(diffusers.t5Config());
      assertThat(single.clipConfig(Part.CLIP_G)).isEqualTo(diffusers.clipConfig(Part.CLIP_G));
      assertThat(single.clipConfig(Part.CLIP_L).projected()).isFalse();
      assertThat(single.defaults().size()).isEqualTo(diffusers.defaults().size());
    }
  }

  @ParameterizedTest
  @CsvSource({"vae., model.diffusion_model.", "vae., ''", "first_stage_model., some.wrapper."})
  void otherPrefixesAreUnderstood(String vae, String transformer) {
    Path file = folder.resolve("renamed.safetensors");
    SafetensorsWriter writer = new SafetensorsWriter();
    try (TensorSource source = TensorSource.open(MMDIT_VAE)) {
      for (String name : source.tensors().keySet()) {
        String renamed =
            name.replace("first_stage_model.", vae).replace("model.diffusion_model.", transformer);
        writer.copy(renamed, source, name);
      }
      // ComfyUI stores these beside the encoders; they mean nothing here.
      writer.addZeros("text_encoders.clip_l.logit_scale", DType.F32, List.of());
      writer.write(file);
    }
    try (Checkpoint single = open(file);
        Checkpoint diffusers = Checkpoint.open(TINY_SD3)) {
      for (Part part : List.of(Part.TRANSFORMER, Part.VAE)) {
        assertThat(single.require(part).names())
            .containsExactlyInAnyOrderElementsOf(diffusers.require(part).names());
      }
    }
  }

  @Test
  void aTransformerWithoutPrefixAndWithoutAutoencoderNeedsOnlyAnAutoencoder() {
    Path bare = folder.resolve("bare.safetensors");
    SafetensorsWriter writer = new SafetensorsWriter();
    String prefix = "model.diffusion_model.";
    try (TensorSource source = TensorSource.open(MMDIT_VAE)) {
      source.tensors().keySet().stream()
          .filter(name -> name.startsWith(prefix))
          .forEach(name -> writer.copy(name.substring(prefix.length()), source, name));
      writer.write(bare);
    }
    try (Checkpoint checkpoint = open(bare)) {
      assertThatThrownBy(checkpoint::vaeConfig)
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("bare.safetensors has no autoencoder")
          .hasMessageContaining("--vae");
    }
    try (Checkpoint checkpoint = open(bare, Map.of(Part.VAE, MMDIT_VAE))) {
      assertThat(checkpoint.vaeConfig().latentChannels()).isEqualTo(16);
    }
  }

  @Test
  void aMissingPartIsNamedWithItsFlagAndWhereItWasLookedFor() throws IOException {
    Path model = SingleFiles.copy(MMDIT_VAE, folder.resolve("model.safetensors"));
    Files.writeString(folder.resolve("clip_l.safetensors"), "version https://git-lfs.github.com");
    try (Checkpoint checkpoint = open(model)) {
      assertThatThrownBy(() -> checkpoint.require(Part.CLIP_L))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("model.safetensors has no CLIP-L")
          .hasMessageContaining("text_encoders")
          .hasMessageContaining("git-lfs pointer")
          .hasMessageContaining("--clip-l")
          .hasMessageContaining("clip_l.safetensors")
          .hasMessageContaining("--no-clip-l");
    }
  }

  @Test
  void severalFilesWithThePartAreAQuestionForTheUser() {
    Path model = SingleFiles.copy(MMDIT_VAE, folder.resolve("model.safetensors"));
    SingleFiles.copy(T5_FP8, folder.resolve("t5_a.safetensors"));
    SingleFiles.copy(T5_FP8, folder.resolve("t5_b.safetensors"));
    try (Checkpoint checkpoint = open(model)) {
      assertThatThrownBy(() -> checkpoint.weights(Part.T5))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContainingAll("t5_a.safetensors", "t5_b.safetensors", "--t5");
      // Whoever leaves T5 out is not asked.
      assertThat(Checkpoint.open(model).tokenizer(Part.T5)).isEmpty();
    }
    try (Checkpoint checkpoint = open(model, Map.of(Part.T5, folder.resolve("t5_b.safetensors")))) {
      assertThat(checkpoint.files(Part.T5)).containsExactly(folder.resolve("t5_b.safetensors"));
    }
  }

  @Test
  void clipsOwnVocabularyComesWithTheProgram() throws IOException {
    Path model = SingleFiles.inclClips(folder);
    String table = "text_encoders.clip_l.transformer.text_model.embeddings.token_embedding.weight";
    ModelFolders.rewrite(
        model,
        (writer, source) ->
            source
                .tensors()
                .keySet()
                .forEach(name -> {
                  if (name.equals(table)) {
                    writer.addZeros(name, DType.F16, List.of(49408L, 128L));
                  } else {
                    writer.copy(name, source, name);
                  }
                }));
    System.setProperty("rectiflow.home", "..");
    try (Checkpoint checkpoint = Checkpoint.open(model)) {
      Path own = checkpoint.requireTokenizer(Part.CLIP_L);
      assertThat(own).isEqualTo(Path.of("../models/clip-tokenizers/tokenizer"));
      try (Checkpoint swapped =
          OverriddenCheckpoint.of(
              Checkpoint.open(MMDIT_VAE), Map.of(Part.CLIP_L, model), Optional.empty())) {
        assertThat(swapped.requireTokenizer(Part.CLIP_L)).isEqualTo(own);
      }
      // CLIP-G of this file has another vocabulary, T5's is nowhere.
      assertThat(checkpoint.tokenizer(Part.CLIP_G)).isEmpty();
      assertThat(checkpoint.tokenizer(Part.T5)).isEmpty();
    } finally {
      System.clearProperty("rectiflow.home");
    }
  }

  @Test
  void missingTokenizersAreNamedWithWhereTheyArePublished() {
    Path model = SingleFiles.inclClips(folder);
    try (Checkpoint checkpoint = Checkpoint.open(model)) {
      assertThatThrownBy(() -> checkpoint.requireTokenizer(Part.CLIP_G))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContainingAll("tokenizer_2", "vocab.json", "Hugging Face", "--tokenizers");
    }
    assertThatThrownBy(
            () -> OverriddenCheckpoint.of(Checkpoint.open(model), Map.of(), Optional.of(folder)))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContainingAll("holds none of the folders", "tokenizer_3");
    ModelFolders.copy(TINY_SD3.resolve("tokenizer"), folder.resolve("tokenizer"));
    try (Checkpoint checkpoint = Checkpoint.open(model)) {
      assertThat(checkpoint.tokenizer(Part.CLIP_L)).isPresent();
    }
    try (Checkpoint checkpoint =
        OverriddenCheckpoint.of(Checkpoint.open(model), Map.of(), Optional.of(folder))) {
      assertThatThrownBy(() -> checkpoint.requireTokenizer(Part.T5))
          .hasMessageContainingAll("no tokenizer for T5", "tokenizer_3", "spiece.model", "--no-t5");
    }
  }

  @Test
  void aFileGivenForTheWrongPartIsNamedForWhatItIs() {
    assertThatThrownBy(() -> open(MMDIT_VAE, Map.of(Part.T5, CLIP_L)))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContainingAll(
            "--t5 ", "clip_l.safetensors: expected T5, found a file with CLIP-L", "--clip-l");
    assertThatThrownBy(() -> open(MMDIT_VAE, Map.of(Part.VAE, folder.resolve("none"))))
        .hasMessageContainingAll("none: no such file", "--vae", "autoencoder");
    assertThatThrownBy(() -> Checkpoint.open(T5_FP8))
        .hasMessageContainingAll("a file with T5", "--model takes", "--t5");
  }

  @Test
  void aFolderGivenForTheWrongPartIsNamedForWhatItIs() {
    assertThatThrownBy(
            () -> open(TINY_SD3, Map.of(Part.CLIP_L, TINY_SD3.resolve("text_encoder_3"))))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContainingAll("--clip-l ", "expected CLIP-L, found a file with T5", "--t5");
    assertThatThrownBy(() -> open(TINY_SD3, Map.of(Part.T5, TINY_SD3.resolve("text_encoder"))))
        .hasMessageContainingAll("--t5 ", "expected T5, found a file with CLIP", "--clip-");
    assertThatThrownBy(() -> open(TINY_SD3, Map.of(Part.CLIP_G, TINY_SD3.resolve("vae"))))
        .hasMessageContainingAll("--clip-g ", "has neither model.safetensors nor");
  }

  @Test
  void encodersOfAnotherModelDoNotFit() {
    Map<Part, Path> others =
        Map.of(
            Part.CLIP_L, TINY_SD3.resolve("text_encoder_2"),
            Part.CLIP_G, TINY_SD3.resolve("text_encoder"),
            Part.T5, ModelFolders.SHAPES.resolve("text_encoder_3"));
    others.forEach((part, other) -> {
      try (Checkpoint mixed = open(TINY_SD3, Map.of(part, other))) {
        assertThatThrownBy(((OverriddenCheckpoint) mixed)::requireFit)
            .isInstanceOf(CheckpointException.class)
            .hasMessageContainingAll(part.flag() + " " + other, "channels", "another model");
      }
    });
    try (Checkpoint mixed = open(TINY_SD3, Map.of(Part.CLIP_L, CLIP_L, Part.T5, T5_FP8))) {
      ((OverriddenCheckpoint) mixed).requireFit();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "transformer.joint_blocks.0.attn.lora_A.weight, LoRA",
    "model.diffusion_model.joint_blocks.0.scale_weight, fp8_e4m3fn",
    "double_blocks.0.img_attn.qkv.weight, FLUX",
    "single_transformer_blocks.0.attn.to_q.weight, FLUX",
    "model.diffusion_model.input_blocks.0.0.weight, U-Net",
    "controlnet_blocks.0.weight, ControlNet",
    "some.tensor, no part of a Stable Diffusion 3 model"
  })
  void otherKindsOfFilesAreNamed(String tensor, String kind) {
    Path file = folder.resolve("other.safetensors");
    new SafetensorsWriter().addZeros(tensor, DType.F16, List.of(4L, 4L)).write(file);
    assertThatThrownBy(() -> Checkpoint.open(file))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContainingAll("other.safetensors", kind);
  }

  @Test
  void tensorsOfNoPartAreRefusedByName() {
    Path file = folder.resolve("more.safetensors");
    SafetensorsWriter writer = new SafetensorsWriter();
    try (TensorSource source = TensorSource.open(MMDIT_VAE)) {
      SingleFiles.add(writer, source, "", _ -> true);
      writer.addZeros("extra.weight", DType.F16, List.of(4L)).write(file);
    }
    assertThatThrownBy(() -> Checkpoint.open(file))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContainingAll("more.safetensors", "1 tensors", "extra.weight");
  }

  @Test
  void aDamagedOriginalTensorIsNamed() {
    Path file = folder.resolve("odd.safetensors");
    String qkv = "model.diffusion_model.joint_blocks.1.x_block.attn.qkv.bias";
    SafetensorsWriter writer = new SafetensorsWriter();
    try (TensorSource source = TensorSource.open(MMDIT_VAE)) {
      SingleFiles.add(writer, source, "", name -> !name.equals(qkv));
      writer.addZeros(qkv, DType.F16, List.of(385L)).write(file);
    }
    try (Checkpoint checkpoint = open(file)) {
      WeightSource weights = checkpoint.require(Part.TRANSFORMER);
      assertThatThrownBy(() -> weights.find("transformer_blocks.1.attn.to_q.bias"))
          .hasMessageContainingAll(qkv, "[385]", "divide into 3");
    }
  }

  @Test
  void aFolderOfSingleFilesIsNoModelButNamesThem() {
    SingleFiles.copy(MMDIT_VAE, folder.resolve("sd3.safetensors"));
    assertThatThrownBy(() -> Checkpoint.open(folder))
        .hasMessageContainingAll("no model_index.json", "sd3.safetensors", "name that file");
  }
}
