package org.rectiflow.paper.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rectiflow.paper.Catalogue;
import org.rectiflow.pipeline.cli.Subcommand;
import picocli.CommandLine;
import picocli.CommandLine.Command;

class PaperCommandsTest {

  @Command(name = "rectiflow")
  private static final class Program {}

  private record Result(int status, String out, String err) {}

  @TempDir Path directory;

  /** Through the service loader, as the program finds the commands. */
  private static Result run(String... arguments) {
    CommandLine command = new CommandLine(new Program());
    for (Subcommand subcommand : ServiceLoader.load(Subcommand.class)) {
      command.addSubcommand(subcommand);
    }
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    command.setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
    int status = command.execute(arguments);
    return new Result(status, out.toString(), err.toString());
  }

  @Test
  void paperDrawsEverythingAndListsTheRest() throws IOException {
    Result result = run("paper", "--out", directory.toString());

    assertThat(result.status()).as(result.err()).isZero();
    assertThat(result.out()).contains("open " + directory.resolve("index.html"));
    long drawn = 1 + Catalogue.all().stream().filter(i -> i.renderer().isPresent()).count();
    assertThat(result.err())
        .contains("[ 1/%d] equations".formatted(drawn))
        .contains("[%d/%d] Algorithm 2".formatted(drawn, drawn));
    String index = Files.readString(directory.resolve("index.html"));
    assertThat(count(index, "<section id=\"figure-\\d+\">")).isEqualTo(17);
    assertThat(count(index, "<section id=\"table-\\d+\">")).isEqualTo(7);
    assertThat(count(index, "<section id=\"algorithm-\\d+\">")).isEqualTo(2);
    assertThat(index).contains("Needs training or weights").contains("Cannot be had");
    assertThat(index)
        .contains("Caution: this is not the paper's measurement")
        .doesNotContain("<td>null</td>");

    Set<String> linked = new HashSet<>(matches(index, "(?:href|src)=\"([^\"#:]+)\""));
    assertThat(linked).hasSizeGreaterThan(40);
    for (String file : linked) {
      assertThat(directory.resolve(file)).isNotEmptyFile();
      if (file.endsWith(".png")) {
        assertThat(colors(directory.resolve(file))).as(file).isGreaterThan(10);
      }
      if (file.endsWith(".svg")) {
        assertThat(directory.resolve(file)).content().contains("<path").endsWith("</svg>\n");
      }
    }
    try (var files = Files.list(directory)) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .containsExactlyInAnyOrderElementsOf(with(linked, "index.html"));
    }
  }

  @Test
  void figureWithoutNumberListsAll() {
    Result result = run("figure");
    assertThat(result.status()).isZero();
    assertThat(count(result.out(), "(?m)^Figure \\d+ ")).isEqualTo(17);
    assertThat(result.out()).contains("(not redrawn)");
    assertThat(count(run("table").out(), "(?m)^Table \\d+ ")).isEqualTo(7);
  }

  @Test
  void tablePrintsBesideThePaperAndWritesCsv() {
    Result result = run("table", "4", "--out", directory.toString());
    assertThat(result.status()).isZero();
    assertThat(result.out()).contains("Overall, computed").contains("43.27").contains("49.78");
    assertThat(directory.resolve("table-04-geneval.csv")).isNotEmptyFile();
    assertThat(result.out()).contains("wrote " + directory.resolve("table-04-geneval.csv"));
  }

  @Test
  void figureThatCannotBeDrawnSaysWhy() throws IOException {
    Result result = run("figure", "7", "--out", directory.resolve("none").toString());
    assertThat(result.status()).isZero();
    assertThat(result.out()).contains("Shown here: nothing").contains("human raters");
    assertThat(directory.resolve("none")).doesNotExist();
  }

  @Test
  void unknownNumbersAreRefused() {
    Result result = run("figure", "18", "--out", directory.toString());
    assertThat(result.status()).isEqualTo(CommandLine.ExitCode.USAGE);
    assertThat(result.err()).contains("The paper has no figure 18; it has the figures 1, 2, 3,");
    Result words = run("table", "one");
    assertThat(words.status()).isEqualTo(CommandLine.ExitCode.USAGE);
    assertThat(words.err()).contains("'one' is not an int");
  }

  @Test
  void helpTeaches() {
    for (String command : List.of("figure", "table", "paper")) {
      Result result = run(command, "--help");
      assertThat(result.status()).isZero();
      assertThat(result.out()).contains("Examples:").contains("--out=DIR");
    }
  }

  private static Set<String> with(Set<String> set, String more) {
    Set<String> larger = new HashSet<>(set);
    larger.add(more);
    return larger;
  }

  private static int count(String text, String pattern) {
    return (int) Pattern.compile(pattern).matcher(text).results().count();
  }

  private static List<String> matches(String text, String pattern) {
    Matcher matcher = Pattern.compile(pattern).matcher(text);
    return matcher.results().map(match -> match.group(1)).toList();
  }

  private static long colors(Path png) throws IOException {
    BufferedImage image = ImageIO.read(png.toFile());
    return Arrays.stream(
            image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth()))
        .distinct()
        .count();
  }
}
