package org.rectiflow.pipeline.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.rectiflow.pipeline.ModelFolders.GOLDEN;
import static org.rectiflow.pipeline.ModelFolders.TINY_SD3;
import static org.rectiflow.pipeline.SingleFiles.CLIP_L;
import static org.rectiflow.pipeline.SingleFiles.MMDIT_VAE;
import static org.rectiflow.pipeline.SingleFiles.T5_FP8;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rectiflow.mmdit.MmditConfig;
import org.rectiflow.pipeline.ModelFolders;
import org.rectiflow.pipeline.SingleFiles;
import org.rectiflow.pipeline.checkpoint.Checkpoint;
import org.rectiflow.pipeline.checkpoint.Part;
import org.rectiflow.pipeline.io.Json;
import org.rectiflow.safetensors.DType;
import org.rectiflow.safetensors.SafetensorsWriter;
import picocli.CommandLine;

/** The commands on checkpoints of all layouts, and their errors, as the command line has them. */
class LayoutCommandsTest {
  @TempDir private Path folder;

  private record Outcome(int status, String out, String err) {}

  private static Outcome rectiflow(Object... arguments) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    CommandLine commandLine = Rectiflow.commandLine();
    commandLine.setOut(new PrintWriter(out));
    commandLine.setErr(new PrintWriter(err));
    int status =
        commandLine.execute(Stream.of(arguments).map(Object::toString).toArray(String[]::new));
    return new Outcome(status, out.toString(), err.toString());
  }

  private static void fails(Outcome outcome, int status, String... messages) {
    assertThat(outcome.err()).contains(messages).doesNotContain("this is a bug");
    assertThat(outcome.status()).isEqualTo(status);
  }

  @Test
  void generateTakesASingleFileAndItsMissingPartsByFlags() {
    Path model = SingleFiles.copy(MMDIT_VAE, folder.resolve("sd3.safetensors"));
    Path out = folder.resolve("a.png");
    Object[] few = {"generate", "x", "--model", model, "--steps", 1, "--size", 32, "--quiet"};
    fails(rectiflow(few), 1, "sd3.safetensors has no CLIP-L", "--clip-l", "--no-clip-l");
    fails(
        rectiflow(with(few, "--clip-l", CLIP_L)),
        1,
        "no tokenizer for CLIP-L",
        "vocab.json",
        "--tokenizers");
    fails(
        rectiflow(with(few, "--clip-l", CLIP_L, "--tokenizers", TINY_SD3)),
        1,
        "no CLIP-G",
        "--clip-g");
    Object[] all =
        with(
            few,
            "--clip-l",
            CLIP_L,
            "--clip-g",
            TINY_SD3.resolve("text_encoder_2"),
            "--tokenizers",
            TINY_SD3,
            "--out",
            out);
    fails(rectiflow(all), 1, "no T5", "--t5", "t5xxl_fp16.safetensors", "--no-t5");
    assertThat(rectiflow(with(all, "--no-t5")).status()).isZero();
    assertThat(rectiflow(with(all, "--t5", T5_FP8)).status()).isZero();
    assertThat(out).exists();
  }

  @Test
  void generateSaysWhatMemoryItTakesUnlessQuiet() {
    Object[] few = {
      "generate", "x", "--model", TINY_SD3, "--steps", 1, "--size", 32, "--out", folder
    };
    assertThat(rectiflow(few).err())
        .contains("memory: weights", "transformer 3.7 MB", "T5 4.9 MB", "activations", "available");
    assertThat(rectiflow(with(few, "--no-t5", "--quiet", "--force-memory")).err()).isEmpty();
  }

  @Test
  void makeRandomWritesModelsThatInspectNames() {
    Path model = folder.resolve("large.safetensors");
    assertThat(rectiflow("make-random", "sd35-large", model, "--sparse").status()).isZero();
    Outcome found = rectiflow("inspect", model);
    assertThat(found.out())
        .contains("SD3.5-large or large-turbo (single file)", "8,146,280,768 parameters")
        .contains("text_encoder_3   missing.");
    Path small = folder.resolve("two-blocks");
    assertThat(
            rectiflow("make-random", "sd35-medium", small, "--sparse", "--no-clip", "--blocks", 2)
                .status())
        .isZero();
    try (Checkpoint two = Checkpoint.open(small)) {
      MmditConfig config = MmditConfig.of(two.require(Part.TRANSFORMER));
      assertThat(config.depth()).isEqualTo(2);
      assertThat(config.width()).isEqualTo(1536);
      assertThat(config.dualAttentionBlocks()).containsExactlyInAnyOrder(0, 1);
    }
    fails(
        rectiflow("make-random", "sd3-medium", folder.resolve("y"), "--blocks", 25),
        2,
        "--blocks must be 1 to 24 for sd3-medium, got 25");
    fails(rectiflow("make-random", "sd4", folder.resolve("x")), 2, "no model sd4", "sd35-medium");
    fails(rectiflow("make-random", "sd3-medium", model), 1, "exists", "nothing is overwritten");
    fails(
        rectiflow("make-random", "sd3-medium", model.resolve("x")),
        1,
        model + " is a file, not a folder");
    fails(
        rectiflow("make-random", "sd3-medium", folder.resolve("z"), "--dtype", "F64"),
        2,
        "F64 is no type for weights");
  }

  @Test
  void machineFaultsAreMessages() {
    StringWriter err = new StringWriter();
    CommandLine commandLine = Rectiflow.commandLine();
    commandLine.setErr(new PrintWriter(err));
    assertThat(Failures.fault(new OutOfMemoryError("Java heap space"), commandLine)).isEqualTo(1);
    assertThat(Failures.fault(new InternalError("unsafe access"), commandLine)).isEqualTo(1);
    assertThat(err.toString())
        .contains("out of memory: Java heap space", "--size", "--tile", "--no-t5")
        .contains("a mapped file could not be read");
  }

  private static Object[] with(Object[] arguments, Object... more) {
    return Stream.concat(Stream.of(arguments), Stream.of(more)).toArray();
  }

  @Test
  void verifySaysWhatItLeftOutAndWhy() {
    Path model = SingleFiles.inclClips(folder);
    Outcome outcome =
        rectiflow(
            "verify",
            "--model",
            model,
            "--tokenizers",
            TINY_SD3,
            "--golden",
            GOLDEN.resolve("tiny-sd3-single.safetensors"));
    assertThat(outcome.out())
        .contains("no_t5.image", "left out  fp16.image: this model has no T5; give it with --t5");
    assertThat(outcome.status()).isZero();
  }

  @Test
  void inspectNamesLayoutPartsAndWhatIsMissing() throws Exception {
    Path model = SingleFiles.copy(MMDIT_VAE, folder.resolve("sd3.safetensors"));
    Outcome outcome = rectiflow("inspect", model);
    assertThat(outcome.out())
        .contains("a model of SD3-medium's kind (single file)", "MMDiT, 3 blocks of width 128")
        .contains("text_encoder_3   missing.", "Give a file with --t5")
        .contains("tokenizer, tokenizer_2, tokenizer_3 missing.", "--tokenizers")
        .contains("metadata         modelspec.architecture = stable-diffusion-v3-medium");
    assertThat(outcome.status()).isZero();
    var json = Json.parse(rectiflow("inspect", "--json", MMDIT_VAE).out());
    assertThat(json.at("/parts/text_encoder_3/dtypes/F8_E4M3").asLong()).isPositive();
    assertThat(json.at("/missing/text_encoder").isMissingNode()).isTrue();
    assertThat(rectiflow("inspect", "--tensors", T5_FP8).out())
        .contains("part of a model", "an encoder of T5-v1.1's kind", "F8_E4M3 [384, 320]");
    Path lora = folder.resolve("lora.safetensors");
    new SafetensorsWriter()
        .addZeros("transformer.x.lora_A.weight", DType.F16, List.of(4L, 4L))
        .write(lora);
    Outcome other = rectiflow("inspect", lora);
    assertThat(other.out()).contains("a LoRA", "problem");
    assertThat(other.status()).isEqualTo(1);
  }

  @Test
  void inspectFindsWhatADownloadLacks() throws IOException {
    Path model = ModelFolders.copy(TINY_SD3, folder.resolve("model"));
    ModelFolders.rewrite(
        model.resolve("vae/diffusion_pytorch_model.safetensors"),
        (writer, source) ->
            SingleFiles.add(writer, source, "", name -> !name.equals("decoder.conv_out.bias")));
    Path t5 = model.resolve("text_encoder_3/model.safetensors");
    byte[] half = Files.readAllBytes(t5);
    Files.write(t5, java.util.Arrays.copyOf(half, half.length / 2));
    Outcome outcome = rectiflow("inspect", model);
    assertThat(outcome.out()).contains("problem", "has no tensor decoder.conv_out.bias");
    assertThat(outcome.out()).contains("text_encoder_3   damaged", t5.toString());
    assertThat(outcome.status()).isEqualTo(1);
  }

  @Test
  void convertSaysWhatItWroteAndWhatItCannot() {
    Path single = folder.resolve("sd3.safetensors");
    Outcome outcome = rectiflow("convert", TINY_SD3, single, "--part-dtype", "t5=F8_E4M3");
    assertThat(outcome.err()).isEmpty();
    assertThat(outcome.out()).contains("T5", "2.6 MB", "--tokenizers", single.toString());
    assertThat(rectiflow("inspect", single).out()).contains("F8_E4M3");
    fails(rectiflow("convert", TINY_SD3, single), 1, "exists", "nothing is overwritten");
    fails(rectiflow("convert", single, single), 1, "exists", "nothing is overwritten");
    fails(rectiflow("convert", folder.resolve("none"), single), 1, "none: no such file");
    Path other = folder.resolve("other");
    fails(rectiflow("convert", single, other, "--dtype", "I32"), 2, "I32 is no type for weights");
    fails(rectiflow("convert", single, other, "--dtype", "f8"), 2, "'--dtype': f8 is no type");
    fails(
        rectiflow("convert", single, other, "--part-dtype", "vae"),
        2,
        "for option '--part-dtype' (PART=TYPE) should be in PART=TYPE format but was vae");
    fails(
        rectiflow("convert", single, other, "--part-dtype", "unet=F16"),
        2,
        "--part-dtype: there is no part unet");
    fails(
        rectiflow("convert", single, other, "--parts", "unet"),
        2,
        "--parts: there is no part unet",
        "clip-l");
    fails(
        rectiflow("convert", single, other, "--max-shard-size", "5"),
        2,
        "--max-shard-size: '5' is no size",
        "5GB");
    fails(
        rectiflow("convert", single, other, "--max-shard-size", "big"),
        2,
        "'big' is no size",
        "5GB");
    fails(rectiflow("convert", single, other, "--layout", "single"), 2, "must end in .safetensors");
    Path two = folder.resolve("two.safetensors");
    fails(rectiflow("convert", single, two, "--layout", "separate"), 2, "must not end in");
    fails(rectiflow("convert", single, two, "--max-shard-size", "1MB"), 2, "diffusers only");
    fails(rectiflow("convert", T5_FP8, two, "--parts", "t5"), 2, "is no whole model", "--dtype");
    fails(rectiflow("convert", T5_FP8, other), 2, "TARGET must end in .safetensors");
    fails(
        rectiflow(
            "convert",
            SingleFiles.copy(MMDIT_VAE, folder.resolve("alone/m.safetensors")),
            two,
            "--parts",
            "t5"),
        1,
        "has no T5",
        "--t5");
    assertThat(rectiflow("convert", T5_FP8, two, "--dtype", "f16").status()).isZero();
    assertThat(rectiflow("convert", single, other).out()).contains("Tokenizers are missing");
    assertThat(other.resolve("model_index.json")).exists();
  }
}
