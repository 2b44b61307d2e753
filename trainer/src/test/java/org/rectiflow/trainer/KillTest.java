package org.rectiflow.trainer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.awt.image.BufferedImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rectiflow.pipeline.picture.PngFile;
import org.rectiflow.safetensors.TensorSource;
import org.rectiflow.trainer.cli.TrainCommand;
import picocli.CommandLine;

/** Runs in processes of their own that are killed, interrupted, or in each other's way. */
class KillTest {
  private static final int MOMENTS = 10;

  /** How often the tiny transformer is killed; ten take minutes. */
  private static final int TRANSFORMER_KILLS = Integer.getInteger("rectiflow.kills", 1);

  private static final Path TINY = Path.of("../testdata/models/tiny-sd3");

  private static final int TRANSFORMER_STEPS = 12 + 4 * TRANSFORMER_KILLS;

  private static final String TOY =
      """
      task = "toy"
      steps = 40
      batch = 4
      log.every = 1
      validation.every = 6
      samples.every = 9
      optimizer.warmup = 5
      ema.every = 3
      checkpoints.every = 4
      toy.millis = 10
      """;

  private static final String TRANSFORMER =
      """
      steps = %d
      batch = 2
      log.every = 1
      checkpoints.every = 4
      ema.every = 2
      optimizer.warmup = 5
      encoders.t5_tokens = 4
      [model]
      base = "%s"
      depth = 1
      [data]
      samples = 5
      size = 32
      [validation]
      every = 7
      samples = 1
      attention_samples = 1
      [samples]
      every = 11
      steps = 2
      prompts = ["a red circle"]
      """
          .formatted(TRANSFORMER_STEPS, TINY);

  @TempDir Path temp;

  private Path file(String text) throws Exception {
    return Files.writeString(temp.resolve("run.toml"), text);
  }

  private Map<String, String> whole(Path file) throws Exception {
    try (RunProcess process = RunProcess.start(file, temp.resolve("whole"))) {
      assertThat(process.end()).as(process.said()).isZero();
    }
    return RunContents.of(temp.resolve("whole"));
  }

  /** Starts a run, kills it some steps on, at any moment of a step. */
  private static long killed(Path file, Path folder, RandomGenerator random, int steps)
      throws Exception {
    long from = RunProcess.lastStep(folder);
    try (RunProcess process = RunProcess.start(file, folder)) {
      process.awaitStep(Math.max(0, from) + random.nextInt(steps));
      Thread.sleep(random.nextInt(25));
      process.kill();
    }
    return RunProcess.lastStep(folder);
  }

  private static void resumed(Path file, Path folder, Map<String, String> whole) throws Exception {
    try (RunProcess process = RunProcess.start(file, folder)) {
      assertThat(process.end()).as(process.said()).isZero();
    }
    assertThat(RunContents.of(folder)).isEqualTo(whole);
  }

  @Test
  void killedAtTenRandomMomentsEachResumeEndsWithTheSameBytes() throws Exception {
    Path file = file(TOY);
    Map<String, String> whole = whole(file);
    RandomGenerator random = new SplittableRandom(1);
    StringBuilder moments = new StringBuilder();
    for (int i = 0; i < MOMENTS; i++) {
      Path folder = temp.resolve("killed" + i);
      moments.append(' ').append(killed(file, folder, random, 40));
      resumed(file, folder, whole);
    }
    System.out.println("toy: killed after steps" + moments + " of 40");
  }

  @Test
  void aTransformerKilledEndsWithTheSameBytes() throws Exception {
    Path file = file(TRANSFORMER);
    Map<String, String> whole = whole(file);
    RandomGenerator random = new SplittableRandom(2);
    Path folder = temp.resolve("killed");
    StringBuilder moments = new StringBuilder();
    for (int i = 0; i < TRANSFORMER_KILLS; i++) {
      moments.append(' ').append(killed(file, folder, random, 6));
    }
    resumed(file, folder, whole);
    System.out.println("transformer: killed after steps" + moments + " of " + TRANSFORMER_STEPS);
  }

  /**
   * Only what is killed has a process of its own here; the others share this one's warm kernels.
   */
  @Test
  void aTransformerWithItsTextEncodersKilledEndsWithTheSameBytes() throws Exception {
    int steps = 4 + 4 * TRANSFORMER_KILLS;
    Path file =
        file(
            "encoders.train = true\n"
                + TRANSFORMER
                    .replaceFirst("steps = \\d+", "steps = " + steps)
                    .replace("checkpoints.every = 4", "checkpoints.every = 2")
                    .replace("every = 7", "every = 3"));
    Path folder = temp.resolve("killed");
    RandomGenerator random = new SplittableRandom(3);
    StringBuilder moments = new StringBuilder();
    for (int i = 0; i < TRANSFORMER_KILLS; i++) {
      moments.append(' ').append(killed(file, folder, random, 5));
    }
    trainHere(file, folder);
    trainHere(file, temp.resolve("whole"));
    Map<String, String> whole = RunContents.of(temp.resolve("whole"));
    assertThat(RunContents.of(folder)).isEqualTo(whole);
    System.out.println("with encoders: killed after steps" + moments + " of " + steps);

    // What was compared has the encoders' weights, their moments and their moving average.
    String last = "checkpoints/step-%08d/".formatted(steps);
    try (TensorSource state =
        TensorSource.open(folder.resolve(last + "training/state.safetensors"))) {
      for (String encoder : List.of("text_encoder", "text_encoder_2", "text_encoder_3")) {
        String model = encoder + "/model.safetensors";
        assertThat(whole).containsKey(last + model);
        assertThat(whole.get(last + model)).isNotEqualTo(RunContents.sha256(TINY.resolve(model)));
        for (String kind : List.of("parameter.", "first.", "second.", "ema.")) {
          assertThat(state.tensors().keySet()).anyMatch(n -> n.startsWith(kind + encoder + "."));
        }
      }
    }
  }

  private static void trainHere(Path file, Path folder) {
    int status =
        new CommandLine(new TrainCommand())
            .execute(file.toString(), "--out", folder.toString(), "--resume", "--quiet");
    assertThat(status).isZero();
  }

  @Test
  void ctrlCWritesACheckpointAndEnds() throws Exception {
    assumeFalse(RunProcess.interruptsAreIgnored(), "Ctrl-C is ignored by what started this test");
    Path file = file(TOY);
    Path folder = temp.resolve("interrupted");
    try (RunProcess process = RunProcess.start(file, folder)) {
      process.awaitStep(10);
      process.interrupt();
      assertThat(process.end()).as(process.said()).isEqualTo(130);
      assertThat(process.said())
          .contains("stopping after this step")
          .contains("stopped after step ")
          .contains("--resume");
    }
    long stopped = RunProcess.lastStep(folder);
    assertThat(stopped).isBetween(10L, 39L);
    assertThat(folder.resolve("checkpoints/step-%08d".formatted(stopped))).isDirectory();
    resumed(file, folder, whole(file));
  }

  @Test
  void aSecondProcessIsRefused() throws Exception {
    Path file = file(TOY.replace("millis = 10", "millis = 200"));
    Path folder = temp.resolve("held");
    try (RunProcess first = RunProcess.start(file, folder)) {
      first.awaitStep(1);
      try (RunProcess second = RunProcess.start(file, folder)) {
        assertThat(second.end()).isEqualTo(1);
        assertThat(second.said()).contains("held: another process is training there");
      }
      assertThat(first.awaitStep(2)).isGreaterThanOrEqualTo(2);
    }
  }

  @Test
  void aMistypedKeyEndsWithOneLine() throws Exception {
    Path file = file(TOY.replace("warmup", "warm_up"));
    try (RunProcess process = RunProcess.start(file, temp.resolve("none"))) {
      assertThat(process.end()).isEqualTo(1);
      assertThat(process.said())
          .contains(
              "run.toml, line 7: unknown key optimizer.warm_up; did you mean optimizer.warmup?");
      assertThat(temp.resolve("none")).doesNotExist();
    }
  }

  /** The checkpoint of a formulation that is no rectified flow draws the run's own sample. */
  @Test
  void generateSamplesAsTheRunDid() throws Exception {
    String text =
        TRANSFORMER.replaceFirst("steps = \\d+", "steps = 2").replace("every = 11", "every = 2");
    Path file = file("formulation = \"edm(-0.60, 1.20)\"\n" + text);
    Path folder = temp.resolve("run");
    Path picture = temp.resolve("picture.png");
    try (RunProcess process = RunProcess.start(file, folder)) {
      assertThat(process.end()).as(process.said()).isZero();
    }
    String model = folder.resolve("checkpoints/step-00000002").toString();
    try (RunProcess process =
        RunProcess.start(
            temp.resolve("generate"),
            "generate",
            "a red circle",
            "--model",
            model,
            "--out",
            picture.toString(),
            "--guidance",
            "4",
            "--steps",
            "2",
            "--t5-tokens",
            "4")) {
      assertThat(process.end()).as(process.said()).isZero();
    }
    Path sample = folder.resolve("samples/step-00000002/00-a-red-circle.png");
    assertThat(pixels(picture)).isEqualTo(pixels(sample));
    assertThat(PngFile.readText(picture).get("rectiflow")).contains("edm(-0.60,1.20)");
  }

  private static int[] pixels(Path file) throws Exception {
    BufferedImage image = ImageIO.read(file.toFile());
    return image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth());
  }
}
