package org.rectiflow.pipeline.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.rectiflow.pipeline.ModelFolders.GOLDEN;
import static org.rectiflow.pipeline.ModelFolders.SHAPES;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rectiflow.safetensors.TensorSource;

/** The program as a user starts it: its own JVM, its streams and its exit status. */
class SeparateProcessTest {
  @TempDir private Path folder;

  private record Outcome(int status, String out, String err) {}

  private Outcome rectiflow(String... arguments) throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules=jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                Rectiflow.class.getName()));
    command.addAll(List.of(arguments));
    Path out = folder.resolve("out.txt");
    Path err = folder.resolve("err.txt");
    Process process =
        new ProcessBuilder(command)
            .redirectOutput(out.toFile())
            .redirectError(err.toFile())
            .start();
    assertThat(process.waitFor(5, TimeUnit.MINUTES)).isTrue();
    return new Outcome(
        process.exitValue(),
        Files.readString(out, StandardCharsets.UTF_8),
        Files.readString(err, StandardCharsets.UTF_8));
  }

  /** The goldens' first prompt: the picture diffusers drew, and the same bytes every time. */
  @Test
  void drawsDiffusersPictureWithTheSameBytesOnOneThreadAndOnTwo() throws Exception {
    Path one = folder.resolve("one.png");
    Path two = folder.resolve("two.png");
    for (Path file : List.of(one, two)) {
      Outcome outcome =
          rectiflow(
              "generate",
              "a red circle to the left of a blue square",
              "--model",
              SHAPES.toString(),
              "--seed",
              "0",
              "--threads",
              file == one ? "1" : "2",
              "--out",
              file.toString());
      assertThat(outcome.status()).as(outcome.err()).isZero();
      assertThat(outcome.out().strip()).isEqualTo(file.toString());
      assertThat(outcome.err()).contains("denoising 28/28");
    }
    assertThat(two).hasSameBinaryContentAs(one);

    try (TensorSource golden = TensorSource.open(GOLDEN.resolve("shapes.safetensors"))) {
      float[] expected = golden.floats("p0.image");
      var picture = ImageIO.read(one.toFile());
      int worst = 0;
      for (int i = 0; i < expected.length; i++) {
        int pixel = picture.getRGB(i % 64, i / 64 % 64);
        int level = pixel >> (16 - 8 * (i / 4096)) & 255;
        worst = Math.max(worst, Math.abs(level - (int) Math.rint(expected[i] * 255f)));
      }
      System.out.println("largest difference to diffusers' picture: " + worst + " levels");
      assertThat(worst).isLessThanOrEqualTo(1);
    }
  }

  @Test
  void mistakesExitWithTwoAndFailuresWithOne() throws Exception {
    Outcome unknown = rectiflow("generate", "x", "--colour", "red");
    assertThat(unknown.status()).isEqualTo(2);
    assertThat(unknown.err()).contains("Unknown option").doesNotContain("at org.rectiflow");

    Outcome missing = rectiflow("generate", "x", "--model", folder.resolve("none").toString());
    assertThat(missing.status()).isEqualTo(1);
    assertThat(missing.err()).contains("rectiflow: ", "none").doesNotContain("at org.rectiflow");
  }
}
