package org.rectiflow.study.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rectiflow.pipeline.cli.Rectiflow;
import picocli.CommandLine;

/** What `ablate` refuses before it computes anything. */
class AblateCommandTest {
  @TempDir private Path temp;
  private Path study;

  @BeforeEach
  void writeAStudy() throws IOException {
    Files.writeString(temp.resolve("base.toml"), "steps = 2\n");
    study =
        Files.writeString(
            temp.resolve("study.toml"),
            """
            title = "A study"
            base = "base.toml"
            [axes]
            seed = [0, 1]
            """);
  }

  private void refuses(String message, Object... arguments) {
    refuses(1, message, arguments);
  }

  private void refuses(int status, String message, Object... arguments) {
    StringWriter err = new StringWriter();
    CommandLine commandLine = Rectiflow.commandLine();
    commandLine.setErr(new PrintWriter(err));
    String[] words =
        Stream.concat(Stream.of("ablate", study), Stream.of(arguments))
            .map(Object::toString)
            .toArray(String[]::new);
    assertThat(commandLine.execute(words)).isEqualTo(status);
    assertThat(err.toString()).contains(message).doesNotContain("this is a bug");
  }

  @Test
  void aFolderOfSomethingElseIsLeftAlone() throws IOException {
    Path other = Files.createDirectory(temp.resolve("other"));
    Files.writeString(other.resolve("thesis.tex"), "years of work");
    refuses(other + " is no study's folder: it holds thesis.tex", "--out", other);
    refuses(other + " holds no study to go on with", "--out", other, "--resume");
    refuses(other + " holds no study to report", "--out", other, "--report");
    refuses("is a file, not a folder", "--out", other.resolve("thesis.tex"));
    try (Stream<Path> files = Files.list(other)) {
      assertThat(files).hasSize(1);
    }
  }

  @Test
  void aStudyIsGoneOnWithWhereThereIsOneAndWhereThatIsSaid() throws IOException {
    Path none = temp.resolve("none");
    refuses(none + " holds no study to go on with", "--out", none, "--resume");
    refuses(none + " holds no study to report", "--out", none, "--report");
    assertThat(none).doesNotExist();
    Path begun = temp.resolve("begun");
    Files.createDirectories(begun.resolve("runs"));
    refuses(begun + " holds a study. Go on with it with --resume", "--out", begun);
  }

  @Test
  void optionsThatCannotBeAreRefused() throws IOException {
    refuses(2, "--jobs must be at least 1, got 0", "--jobs", 0);
    refuses(2, "--threads must be at least 1, got 0", "--threads", 0, "--plan");
    refuses(2, "leave one of them out", "--plan", "--report");
    refuses(2, "has no budget 'minuts'", "--budget", "minuts");
    refuses(2, "no device named gpu", "--plan", "--device", "gpu");
    study = temp;
    refuses("this is a folder, expected a study's file", "--plan");
  }
}
