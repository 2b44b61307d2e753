package org.rectiflow.pipeline.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.rectiflow.pipeline.ModelFolders.TINY_SD3;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.rectiflow.encoders.tokenizer.PromptTokenizer;
import org.rectiflow.pipeline.ModelFolders;

/** Things that happen to programs, to programs of their own: the JVM must live to tell. */
@DisabledOnOs(OS.WINDOWS)
class FaultsTest {
  @TempDir private Path folder;

  private Path out() {
    return folder.resolve("out.txt");
  }

  private Path err() {
    return folder.resolve("err.txt");
  }

  /**
   * The tokenizers' library unpacks itself at its first use, which a file limit would not allow.
   */
  @BeforeAll
  static void unpackTheTokenizers() {
    PromptTokenizer.clip(TINY_SD3.resolve("tokenizer")).close();
  }

  /** Starts the program, by way of a shell that sets a limit first. */
  private Process start(String shell, Object... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of("bash", "-c", shell + " exec \"$@\"", "bash"));
    command.addAll(
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:-UsePerfData",
            "-XX:ErrorFile=" + folder.resolve("hs_err.log"),
            "--add-modules=jdk.incubator.vector",
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            Rectiflow.class.getName()));
    Stream.of(arguments).map(Object::toString).forEach(command::add);
    return new ProcessBuilder(command)
        .redirectOutput(out().toFile())
        .redirectError(err().toFile())
        .start();
  }

  private Process batch(Path model) throws IOException {
    return start(
        "",
        "generate",
        "two stars",
        "--model",
        model,
        "--steps",
        1,
        "--size",
        32,
        "--no-t5",
        "--batch",
        1000,
        "--quiet",
        "--out",
        folder.resolve("pictures"));
  }

  private void awaitPictures(Process process, int count) throws Exception {
    long deadline = System.nanoTime() + TimeUnit.MINUTES.toNanos(3);
    while (Files.readAllLines(out()).size() < count) {
      assertThat(process.isAlive()).as(Files.readString(err())).isTrue();
      assertThat(System.nanoTime()).isLessThan(deadline);
      Thread.sleep(10);
    }
  }

  private void end(Process process) throws Exception {
    assertThat(process.waitFor(3, TimeUnit.MINUTES)).isTrue();
    assertThat(folder.resolve("hs_err.log")).doesNotExist();
  }

  /** Every file under a final name is a whole picture; at least those that were announced. */
  private void assertPicturesAreWhole(boolean temporaryFilesMayStay) throws IOException {
    List<Path> files;
    try (Stream<Path> all = Files.list(folder.resolve("pictures"))) {
      files = all.toList();
    }
    assertThat(files).hasSizeGreaterThanOrEqualTo(Files.readAllLines(out()).size());
    for (Path file : files) {
      if (file.toString().endsWith(".png")) {
        assertThat(ImageIO.read(file.toFile()).getWidth()).isEqualTo(32);
      } else {
        assertThat(temporaryFilesMayStay).as(file.toString()).isTrue();
        assertThat(file.getFileName().toString()).startsWith(".").endsWith(".part");
      }
    }
    for (String line : Files.readAllLines(out())) {
      assertThat(Path.of(line)).exists();
    }
  }

  @Test
  void anInterruptedBatchKeepsWhatIsFinishedAndSaysSo() throws Exception {
    Process process = batch(TINY_SD3);
    awaitPictures(process, 2);
    process.destroy(); // as Ctrl-C, the shutdown hooks run
    end(process);
    assertThat(process.exitValue()).isNotZero();
    assertThat(Files.readString(err()))
        .contains("interrupted;", "of 1000 pictures are finished")
        .doesNotContain("at org.rectiflow");
    assertPicturesAreWhole(false);
  }

  @Test
  void aKilledBatchLeavesNoHalfPictureUnderItsName() throws Exception {
    Process process = batch(TINY_SD3);
    awaitPictures(process, 2);
    process.destroyForcibly();
    end(process);
    assertPicturesAreWhole(true);
  }

  @Test
  void aWeightFileThatIsCutShortWhileItIsMappedIsNamed() throws Exception {
    Path model = ModelFolders.copy(TINY_SD3, folder.resolve("model"));
    Path weights = model.resolve("transformer/diffusion_pytorch_model.safetensors");
    Process process = batch(model);
    awaitPictures(process, 1);
    try (FileChannel file = FileChannel.open(weights, StandardOpenOption.WRITE)) {
      file.truncate(100_000);
    }
    end(process);
    assertThat(process.exitValue()).isEqualTo(1);
    assertThat(Files.readString(err()))
        .contains("rectiflow: ", weights.toString(), "bytes when it was opened", "100000 now")
        .doesNotContain("this is a bug");
    assertPicturesAreWhole(false);
  }

  @Test
  void aPictureThatTheDiskDoesNotTakeIsToldAndNothingIsLeft() throws Exception {
    Process process =
        start(
            "ulimit -f 1;", // blocks of a kilobyte: SIGXFSZ and EFBIG, as a full disk gives ENOSPC
            "generate",
            "two stars",
            "--model",
            TINY_SD3,
            "--steps",
            1,
            "--no-t5",
            "--quiet",
            "--out",
            folder.resolve("pictures/a.png"));
    end(process);
    assertThat(process.exitValue()).isEqualTo(1);
    assertThat(Files.readString(err()))
        .contains("rectiflow: cannot write", "a.png", "File too large", "Nothing was left behind")
        .doesNotContain("this is a bug");
    try (Stream<Path> files = Files.list(folder.resolve("pictures"))) {
      assertThat(files).isEmpty();
    }
  }

  @Test
  void aConversionThatTheDiskDoesNotTakeIsToldAndNothingIsLeft() throws Exception {
    for (String target : List.of("model.safetensors", "model")) {
      Process process = start("ulimit -f 2000;", "convert", TINY_SD3, folder.resolve(target));
      end(process);
      assertThat(process.exitValue()).isEqualTo(1);
      assertThat(Files.readString(err()))
          .contains("rectiflow: ", "File too large", "ulimit -f")
          .doesNotContain("this is a bug");
    }
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files.map(Path::getFileName).map(Path::toString))
          .containsExactlyInAnyOrder("out.txt", "err.txt");
    }
  }

  @Test
  void aFolderThatCannotBeWrittenIsNamed() throws Exception {
    Path system = Path.of("/sys");
    assumeTrue(Files.isDirectory(system)); // even root cannot make files there
    Process process = start("", "convert", TINY_SD3, system.resolve("model"));
    end(process);
    assertThat(process.exitValue()).isEqualTo(1);
    assertThat(Files.readString(err()))
        .contains("rectiflow: cannot write in the folder /sys")
        .doesNotContain("this is a bug");
    Process single = start("", "convert", TINY_SD3, system.resolve("model.safetensors"));
    end(single);
    assertThat(single.exitValue()).isEqualTo(1);
    assertThat(Files.readString(err()))
        .contains("rectiflow: ", "/sys")
        .doesNotContain("this is a bug");
  }
}
