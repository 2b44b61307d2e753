package org.rectiflow.pipeline.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.rectiflow.pipeline.ModelFolders.SHAPES;
import static org.rectiflow.pipeline.ModelFolders.TINY_SD3;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;
import org.rectiflow.pipeline.ModelFolders;
import org.rectiflow.pipeline.io.Json;
import org.rectiflow.pipeline.io.TensorFiles;
import org.rectiflow.safetensors.DType;
import org.rectiflow.safetensors.TensorSource;
import picocli.CommandLine;

/** Commands and their errors, run inside this process. */
class CommandLineTest {
  @TempDir private Path folder;

  private record Outcome(int status, String out, String err) {}

  private static Outcome rectiflow(Object... arguments) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    CommandLine commandLine = Rectiflow.commandLine();
    commandLine.setOut(new PrintWriter(out));
    commandLine.setErr(new PrintWriter(err));
    List<String> words = new ArrayList<>();
    for (Object argument : arguments) {
      words.add(argument.toString());
    }
    int status = commandLine.execute(words.toArray(new String[0]));
    return new Outcome(status, out.toString(), err.toString());
  }

  private static void fails(Outcome outcome, int status, String... messages) {
    assertThat(outcome.err()).contains(messages).doesNotContain("this is a bug");
    assertThat(outcome.status()).isEqualTo(status);
  }

  private Outcome generate(Path model, Object... more) {
    List<Object> arguments =
        new ArrayList<>(
            List.of(
                "generate",
                "two stars",
                "--model",
                model,
                "--steps",
                3,
                "--quiet",
                "--out",
                folder));
    arguments.addAll(List.of(more));
    return rectiflow(arguments.toArray());
  }

  @Test
  void helpTeaches() {
    assertThat(rectiflow("--help").out())
        .contains("generate", "inspect", "schedule", "verify", "devices", "Examples:");
    assertThat(rectiflow("generate", "--help").out())
        .contains("--negative", "--guidance", "--no-t5", "--latents", "Examples:");
    for (CommandLine command : Rectiflow.commandLine().getSubcommands().values()) {
      if (!command.getCommandName().equals("help")) {
        assertThat(command.getUsageMessage()).contains("Example", "--help");
      }
    }
    assertThat(rectiflow().out()).contains("Usage: rectiflow", "Exit status:", "a mistake in the");
  }

  @Test
  void aMistypedFlagOrCommandIsAnsweredWithWhatWasMeant() {
    fails(
        rectiflow("generate", "x", "--giudance", "3"),
        2,
        "Unknown option",
        "'--giudance'",
        "Did you mean --guidance?");
    fails(rectiflow("generat", "x"), 2, "generat", "Did you mean generate?");
    fails(rectiflow("generate"), 2, "Missing: a PROMPT in quotes", "--prompts");
    fails(rectiflow("generate", "a star", "--prompts", "p.txt"), 2, "not both");
    fails(rectiflow("generate", "--prompts", folder.resolve("p.txt")), 1, "no such file", "p.txt");
    fails(rectiflow("generate", "x", "--preset", "papr"), 2, "--preset", "papr");
    fails(rectiflow("generate", "x", "--steps", "many"), 2, "--steps", "many");
    fails(rectiflow("schedule", "--size", "large"), 2, "'large' is no size");
  }

  @Test
  void sizesThatDoNotFitAreRefusedWithTheNearestOne() {
    fails(
        generate(TINY_SD3, "--size", "60x100"),
        2,
        "60x100",
        "multiples of 16",
        "The nearest size is 64x96");
    fails(generate(TINY_SD3, "--size", "400"), 2, "too large for this model", "384x384");
  }

  @Test
  void missingFoldersAreNamed() throws IOException {
    fails(generate(folder.resolve("nowhere")), 1, "nowhere: no such file or folder");
    fails(generate(folder), 1, "has no model_index.json");
    Path latest = Files.createDirectories(folder.resolve("checkpoints/step-00000020"));
    Files.createFile(latest.resolve("model_index.json"));
    Files.createDirectories(folder.resolve("checkpoints/step-00000030"));
    fails(generate(folder), 1, "the folder of a training run, whose latest model is " + latest);
    Path model = ModelFolders.copy(TINY_SD3, folder.resolve("model"));
    delete(model.resolve("text_encoder_3"));
    fails(generate(model), 1, "text_encoder_3", "T5", "--no-t5");
    assertThat(generate(model, "--no-t5").status()).isZero();
    delete(model.resolve("tokenizer"));
    fails(generate(model, "--no-t5"), 1, "tokenizer", "CLIP-L", "--no-clip-l");
    Files.delete(model.resolve("transformer/diffusion_pytorch_model.safetensors"));
    fails(generate(model), 1, "transformer", "diffusion_pytorch_model.safetensors");
  }

  private static void delete(Path folder) throws IOException {
    try (var files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(folder);
  }

  @Test
  void missingTensorsAreNamed() {
    Path model = ModelFolders.copy(TINY_SD3, folder.resolve("model"));
    Path file = model.resolve("transformer/diffusion_pytorch_model.safetensors");
    ModelFolders.rewrite(
        file,
        (writer, source) ->
            source.tensors().keySet().stream()
                .filter(name -> !name.equals("transformer_blocks.1.ff.net.2.bias"))
                .forEach(name -> writer.copy(name, source, name)));
    fails(generate(model), 1, file.toString(), "has no tensor transformer_blocks.1.ff.net.2.bias");
  }

  @Test
  void tensorsOfAnotherShapeAreNamed() {
    Path model = ModelFolders.copy(TINY_SD3, folder.resolve("model"));
    Path file = model.resolve("vae/diffusion_pytorch_model.safetensors");
    ModelFolders.rewrite(
        file,
        (writer, source) ->
            source
                .tensors()
                .keySet()
                .forEach(name -> {
                  if (name.equals("decoder.conv_out.bias")) {
                    writer.addZeros(name, DType.F32, List.of(4L));
                  } else {
                    writer.copy(name, source, name);
                  }
                }));
    fails(
        generate(model),
        1,
        file.toString(),
        "decoder.conv_out.bias has shape [4], this model needs [3]");
  }

  @Test
  void tensorsNobodyKnowsAreNamed() {
    Path model = ModelFolders.copy(TINY_SD3, folder.resolve("model"));
    Path file = model.resolve("transformer/diffusion_pytorch_model.safetensors");
    ModelFolders.rewrite(
        file,
        (writer, source) -> {
          source.tensors().keySet().forEach(name -> writer.copy(name, source, name));
          writer.addZeros("control.weight", DType.F32, List.of(4L));
        });
    fails(generate(model), 1, file.toString(), "does not know", "control.weight");
  }

  @Test
  void aLongPromptIsDrawnWithAWarningThatQuotesWhatIsLost() {
    Outcome outcome =
        rectiflow(
            "generate",
            "star ".repeat(90) + "violet",
            "--model",
            TINY_SD3,
            "--steps",
            1,
            "--quiet",
            "--out",
            folder);
    assertThat(outcome.status()).isZero();
    assertThat(outcome.err())
        .contains("warning", "CLIP-L, which takes 77", "CLIP-G, which takes 77", "violet");
  }

  @Test
  void optionsThatContradictThemselvesAreRefused() {
    fails(generate(TINY_SD3, "--batch", 0), 2, "--batch must be at least 1");
    fails(generate(TINY_SD3, "--threads", 0), 2, "--threads must be at least 1");
    fails(generate(TINY_SD3, "--device", "gpu"), 2, "no device named gpu", "rectiflow devices");
    fails(generate(TINY_SD3, "--tile", 3), 2, "--tile must be at least 8, got 3");
    fails(
        generate(TINY_SD3, "--no-t5", "--t5", TINY_SD3),
        2,
        "--t5 gives the T5 that --no-t5 leaves out");
    fails(generate(TINY_SD3, "--t5-tokens", 0), 2, "--t5-tokens must be 1 to 512, got 0");
    fails(generate(TINY_SD3, "--t5-tokens", 100_000), 2, "--t5-tokens must be 1 to 512");
    fails(generate(TINY_SD3, "--steps", 0), 2, "--steps must be 1 to 10000, got 0", "--help");
    fails(generate(TINY_SD3, "--guidance", "NaN"), 2, "--guidance must be a number", "NaN");
    fails(generate(TINY_SD3, "--guidance", -1), 2, "--guidance", "-1");
    fails(generate(TINY_SD3, "--sigmas", "1.0,0.5"), 2, "sigmas", "2 values and 3 steps");
    fails(generate(TINY_SD3, "--scheduler", "heun", "--spacing", "karras"), 2, "karras");
  }

  @Test
  void aPlaceThatCannotBeWrittenIsRefusedBeforeAnythingIsDrawn() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "no folder");
    fails(generate(TINY_SD3, "--out", file), 1, "--out " + file, "is a file, not a folder");
    fails(generate(TINY_SD3, "--out", file.resolve("x.png")), 1, file + " is a file");
    fails(generate(TINY_SD3, "--out", folder.resolve("x.jpg")), 2, "x.jpg", "PNG");
    Path png = Files.createDirectories(folder.resolve("folder.png"));
    fails(generate(TINY_SD3, "--out", png), 1, png + " is a folder");
    fails(generate(TINY_SD3, "--latents", png), 1, "--latents " + png + " is a folder");
    fails(generate(TINY_SD3, "--noise", folder.resolve("n")), 1, "--noise", "no such file");
    fails(generate(TINY_SD3, "--graphs", file), 1, "--graphs " + file, "is a file, not a folder");
    fails(rectiflow("profile", "--csv", png), 1, "--csv " + png + " is a folder");
    fails(rectiflow("profile", "--json", file.resolve("x")), 1, "--json", file + " is a file");
    try (var files = Files.list(folder)) {
      assertThat(files).containsExactlyInAnyOrder(file, png);
    }
  }

  @Test
  void aPromptWithoutQuotesOrWithoutWordsIsPointedOut() {
    fails(rectiflow("generate", "a", "red", "circle"), 2, "'red', 'circle'", "in quotes");
    Outcome empty =
        rectiflow(
            "generate", " ", "--model", TINY_SD3, "--steps", 1, "--size", 32, "--out", folder);
    assertThat(empty.status()).as(empty.err()).isZero();
    assertThat(empty.err()).contains("warning: the prompt is empty");
  }

  @Test
  void aBatchIsWrittenPictureByPictureUnderEachSeed() throws IOException {
    Outcome batch = generate(TINY_SD3, "--batch", 2, "--seed", 5);
    assertThat(batch.status()).as(batch.err()).isZero();
    Path first = folder.resolve("two-stars-s5.png");
    Path second = folder.resolve("two-stars-s6.png");
    assertThat(batch.out().lines()).containsExactly(first.toString(), second.toString());

    Outcome alone = generate(TINY_SD3, "--seed", 6);
    Path again = folder.resolve("two-stars-s6-2.png");
    assertThat(alone.out().lines()).containsExactly(again.toString());
    assertThat(again).hasSameBinaryContentAs(second);
    assertThat(Arrays.equals(pixels(first), pixels(second))).as("same pixels").isFalse();
  }

  @Test
  void aFileOfPromptsIsDrawnLineByLine() throws Exception {
    Path file = folder.resolve("prompts.txt");
    Files.writeString(file, "one star\n\n two stars \n");
    Outcome both =
        rectiflow(
            "generate",
            "--prompts",
            file,
            "--model",
            TINY_SD3,
            "--steps",
            3,
            "--quiet",
            "--seed",
            4,
            "--out",
            folder);
    assertThat(both.status()).as(both.err()).isZero();
    Path first = folder.resolve("one-star-s4.png");
    Path second = folder.resolve("two-stars-s5.png");
    assertThat(both.out().lines()).containsExactly(first.toString(), second.toString());
    assertThat(Json.parse(rectiflow("inspect", second).out()).get("prompt").asText())
        .isEqualTo("two stars");

    Path alone = folder.resolve("alone.png");
    assertThat(generate(TINY_SD3, "--seed", 5, "--out", alone).status()).isZero();
    assertThat(pixels(second)).isEqualTo(pixels(alone));

    Files.writeString(file, "\n");
    fails(rectiflow("generate", "--prompts", file), 1, "has no prompts");
  }

  @Test
  void aPictureSaysHowItWasMade() throws Exception {
    Path file = folder.resolve("star.png");
    generate(TINY_SD3, "--out", file, "--negative", "night", "--scheduler", "heun", "--seed", 3);

    var json = Json.parse(rectiflow("inspect", file).out());

    assertThat(json.get("prompt").asText()).isEqualTo("two stars");
    assertThat(json.get("negative_prompt").asText()).isEqualTo("night");
    assertThat(json.get("seed").asLong()).isEqualTo(3);
    assertThat(json.get("scheduler").asText()).isEqualTo("heun");
    assertThat(json.get("sigmas")).hasSize(6);
    assertThat(json.get("weights").get("vae").asText()).startsWith("sha256:");
  }

  @Test
  void latentsAreWrittenAndNoiseIsRead() {
    Path file = folder.resolve("latents.safetensors");
    generate(TINY_SD3, "--latents", file, "--seed", 9, "--out", folder.resolve("a.png"));
    generate(
        TINY_SD3, "--noise", file, "--seed", 1, "--latents", folder.resolve("again.safetensors"));
    try (TensorSource first = TensorSource.open(file);
        TensorSource second = TensorSource.open(folder.resolve("again.safetensors"))) {
      assertThat(first.tensors().keySet()).containsExactlyInAnyOrder("noise", "latents");
      assertThat(second.floats("latents")).isEqualTo(first.floats("latents"));
    }
    Path wrong = folder.resolve("wrong.safetensors");
    TensorFiles.write(wrong, Map.of("noise", Tensor.zeros(Shape.of(1, 16, 2, 2))), Map.of());
    fails(generate(TINY_SD3, "--noise", wrong), 1, "noise has shape [1, 16, 2, 2]", "--size");
  }

  @ParameterizedTest
  @CsvSource({
    "--no-t5",
    "--no-clip-l",
    "--no-clip-g",
    "--stochastic",
    "--dynamic-shifting",
    "--prompt-2=a blue square",
    "--prompt-3=a blue square",
    "--negative-3=a blue square",
    "--preset=paper",
    "--preset=reference",
    "--t5-tokens=77",
    "--guidance=1",
    "--shift=1",
    "--spacing=beta",
    "--scheduler=dpmpp_2m",
    "--tile=8"
  })
  void optionsChangeThePicture(String option) throws IOException {
    Path plain = folder.resolve("plain.png");
    Path other = folder.resolve("other.png");
    assertThat(generate(TINY_SD3, "--out", plain, "--size", "128x80").status()).isZero();
    Outcome outcome = generate(TINY_SD3, "--out", other, "--size", "128x80", option);
    assertThat(outcome.status()).as(outcome.err()).isZero();
    assertThat(Arrays.equals(pixels(plain), pixels(other))).as("same pixels").isFalse();
  }

  private static int[] pixels(Path file) throws IOException {
    var image = ImageIO.read(file.toFile());
    return image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth());
  }

  @Test
  void scheduleFollowsDiffusers() throws Exception {
    var json = Json.parse(rectiflow("schedule", "--steps", "4", "--shift", "3").out());
    assertThat(json.get("sigmas").toString())
        .isEqualTo("[1.0,0.8576923,0.60215056,0.008928572,0.0]");
    var dynamic =
        Json.parse(
            rectiflow("schedule", "--steps", "5", "--dynamic-shifting", "--mu", "1.15").out());
    assertThat(dynamic.get("sigmas").get(1).floatValue()).isEqualTo(0.90464586f);
    var sized =
        Json.parse(
            rectiflow("schedule", "--steps", "5", "--dynamic-shifting", "--size", "1024").out());
    assertThat(sized.get("sigmas").get(1).floatValue()).isEqualTo(0.90464586f);
    assertThat(rectiflow("schedule", "--sigmas", "1,0.5,0.1").out()).contains("\"steps\" : 3");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--steps 0                             | --steps must be 1 to 10000, got 0",
        "--steps 100000000                     | --steps must be 1 to 10000",
        "--shift NaN                           | --shift must be a number above 0, got NaN",
        "--shift-terminal 2                    | --shift-terminal must be a number from 0 to below 1",
        "--dynamic-shifting --mu Infinity      | --mu must be a number, got Infinity",
        "--dynamic-shifting --shift 3          | leave one out",
        "--mu 1                                | --mu is of dynamic shifting; add --dynamic-shifting",
        "--time-shift-type linear              | --time-shift-type is of dynamic shifting",
        "--size 512                            | --size goes with --dynamic-shifting without --mu",
        "--sigmas 0.1,0.9                      | --sigmas must fall from value to value",
        "--sigmas 1,0.5,0                      | stay above 0 and at most 1, got [1.0, 0.5, 0.0]",
        "--sigmas 1.5,0.5                      | at most 1",
        "--sigmas 1,NaN                        | got [1.0, NaN]",
        "--timesteps 500,500                   | --timesteps must fall from value to value",
        "--timesteps 1000,500 --sigmas 1,0.5   | leave one out",
        "--s-churn 3                           | add --scheduler heun",
        "--scheduler heun --s-churn NaN        | --s-churn must be a number of at least 0, got NaN",
        "--scheduler heun --s-tmin 2 --s-tmax 1 | --s-tmax must be a number of at least --s-tmin",
        "--steps 1 --shift-terminal 0.5        | use at least 2 steps",
        "--scheduler heun --spacing karras     | use_karras_sigmas"
      })
  void timesThatCannotBeOrChangeNothingAreRefused(String options, String message) {
    String[] words = ("schedule " + options).split(" ");
    fails(rectiflow((Object[]) words), 2, message);
    assertThat(rectiflow((Object[]) words).out()).isEmpty();
  }

  @Test
  void aConfigurationThatCannotBeReadIsAFailureAndNoMistakeInTheCommandLine() {
    fails(rectiflow("schedule", "--config", "nowhere.json"), 1, "nowhere.json: no such file");
    fails(rectiflow("schedule", "--config", "src"), 1, "src: no file, expected a file with a JSON");
  }

  @Test
  void verifyOverwritesNothing() throws IOException {
    Path golden = Path.of("../testdata/golden/tiny-sd3.safetensors");
    Path copy = Files.copy(golden, folder.resolve("golden.safetensors"));
    Outcome outcome = rectiflow("verify", "--model", TINY_SD3, "--golden", copy, "--dump", copy);
    fails(outcome, 1, "--dump " + copy + " exists, and nothing is overwritten");
    assertThat(outcome.out()).isEmpty();
    assertThat(Files.mismatch(golden, copy)).isEqualTo(-1);
  }

  @Test
  void verifyOfAModelNeedsAGoldenFile() {
    fails(rectiflow("verify", "--model", TINY_SD3), 2, "--model goes with --golden");
    fails(rectiflow("verify", "--dump", folder.resolve("x")), 2, "--dump goes with --golden");
    fails(rectiflow("verify"), 1, "only run.sh knows", "--golden");
  }

  @Test
  void verifySaysWhatIsNoGoldenFile() {
    Path vae = TINY_SD3.resolve("vae/diffusion_pytorch_model.safetensors");
    Outcome outcome = rectiflow("verify", "--model", TINY_SD3, "--golden", vae);
    assertThat(outcome.out()).contains(vae + " is no golden file");
    assertThat(outcome.status()).isEqualTo(1);
  }

  @Test
  void inspectListsModelsAndFiles() throws Exception {
    Outcome shapes = rectiflow("inspect", SHAPES);
    assertThat(shapes.out()).contains("transformer", "7,866,304 parameters", "text_encoder_3");
    Path file = SHAPES.resolve("vae/diffusion_pytorch_model.safetensors");
    assertThat(rectiflow("inspect", "--tensors", file).out())
        .contains("decoder.conv_in.weight", "F16 [64, 16, 3, 3]");
    assertThat(
            Json.parse(rectiflow("inspect", "--json", SHAPES).out())
                .at("/parts/vae/tensors")
                .asInt())
        .isEqualTo(180);
    fails(rectiflow("inspect", folder.resolve("none")), 1, "no such file or folder");
    Path latents = folder.resolve("latents.safetensors");
    TensorFiles.write(
        latents,
        Map.of("noise", Tensor.zeros(Shape.of(2)), "latents", Tensor.zeros(Shape.of(2))),
        Map.of());
    assertThat(rectiflow("inspect", latents).out()).contains("noise and final latents");
    fails(generate(latents), 1, "is noise and final latents as `generate --latents` writes them");
    Path text = Files.writeString(folder.resolve("x.safetensors"), "<html>");
    fails(rectiflow("inspect", text), 1, text.toString());
  }

  @Test
  void devicesSaysWhatThereIs() {
    assertThat(rectiflow("devices").out()).contains("cpu", "reference", "default");
  }

  @Test
  void profileWritesWhatItMeasured() throws IOException {
    Path csv = folder.resolve("profile.csv");
    Path json = folder.resolve("profile.json");
    Outcome profile =
        rectiflow(
            "profile",
            "--model",
            TINY_SD3.toString(),
            "--device",
            "cpu",
            "--size",
            "64x64",
            "--runs",
            "1",
            "--roofline",
            folder.resolve("roof"),
            "--csv",
            csv.toString(),
            "--json",
            json.toString());
    assertThat(profile.status()).as(profile.err()).isZero();
    assertThat(profile.out()).contains("cpu", "transformer", "Attention", "GFLOP/s");
    assertThat(Files.readAllLines(csv))
        .startsWith("device,layer,op,runs,seconds,flops,bytes")
        .anyMatch(line -> line.matches("cpu,mmdit\\.block0.*,Attention,1,[0-9.]+,\\d+,\\d+"));
    assertThat(Files.readString(json)).contains("\"transformer\"", "\"cold\"", "\"kernels\"");
    fails(rectiflow("profile", "--model", TINY_SD3, "--size", "100"), 2, "multiples of 16");
    fails(rectiflow("profile", "--runs", "0"), 2, "--runs must be at least 1");
    fails(rectiflow("profile", "--parts", "brain"), 2, "brain", "--parts");
  }

  @Test
  void graphsAreDrawn() throws IOException {
    Path graphs = folder.resolve("graphs");
    assertThat(generate(TINY_SD3, "--graphs", graphs).status()).isZero();
    assertThat(graphs.resolve("mmdit.dot"))
        .content()
        .startsWith("digraph {")
        .contains("Attention\\nblock0.attn", "latent", "out velocity");
    try (var files = Files.list(graphs)) {
      assertThat(files.map(f -> f.getFileName().toString()))
          .containsExactlyInAnyOrder(
              "mmdit-prompt.dot",
              "mmdit-conditioning.dot",
              "mmdit.dot",
              "vae.dot",
              "CLIP-L.dot",
              "CLIP-G.dot",
              "T5.dot");
    }
  }

  @Test
  void profileShowsOpsAndLayers() {
    Outcome outcome = generate(TINY_SD3, "--profile");
    assertThat(outcome.err()).contains("Attention", "Linear+GatedAdd", "mmdit.block0", "GFLOP/s");
  }
}
