package org.rectiflow.study.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.rectiflow.pipeline.cli.Rectiflow;
import picocli.CommandLine;

/** Commands that the pages for people show are commands there are, with the options they have. */
class DocumentedCommandsTest {
  private static final Path ROOT = Path.of("..");
  private static final Pattern CALL = Pattern.compile("\\./run\\.sh ([^`;|]*)");
  private static final Pattern WORD = Pattern.compile("\"([^\"]*)\"|(\\S+)");

  /** {@code test} and {@code clean} are run.sh's own, the other is of a module above this one. */
  private static final List<String> ELSEWHERE = List.of("test", "clean", "ablate-spark");

  /** Where in the repository paths of its files begin. */
  private static final Pattern OURS =
      Pattern.compile("(trainer|study|testdata|models|paper-notes|docs)/.*");

  record Call(Path page, int line, List<String> words) {}

  static Stream<Call> calls() throws IOException {
    List<Path> pages = new ArrayList<>();
    for (String folder : List.of("", "docs", "study", "testdata", "trainer/examples")) {
      try (Stream<Path> files = Files.list(ROOT.resolve(folder))) {
        files.filter(f -> f.toString().endsWith(".md")).sorted().forEach(pages::add);
      }
    }
    List<Call> calls = new ArrayList<>();
    for (Path page : pages) {
      List<String> lines = Files.readAllLines(page);
      for (int i = 0; i < lines.size(); i++) {
        Matcher found = CALL.matcher(lines.get(i));
        while (found.find()) {
          calls.add(new Call(page.normalize(), i + 1, words(found.group(1))));
        }
      }
    }
    return calls.stream()
        .filter(call -> !call.words.isEmpty() && !ELSEWHERE.contains(call.words.getFirst()));
  }

  /** What a shell would make of it, as far as remarks after two blanks or a hash. */
  private static List<String> words(String text) {
    String shown = text.split("\\s#|\\s{2,}|\\s>")[0];
    return WORD.matcher(shown)
        .results()
        .map(word -> word.group(1) == null ? word.group(2) : word.group(1))
        .toList();
  }

  @Test
  void thePagesShowCommands() throws IOException {
    assertThat(calls().count()).isGreaterThan(30);
  }

  @ParameterizedTest
  @MethodSource("calls")
  void parses(Call call) {
    assertThat(call.words.getFirst()).as("a command, not COMMAND").isNotBlank();
    if (call.words.getFirst().equals("COMMAND")) {
      return;
    }
    CommandLine commandLine = Rectiflow.commandLine();
    assertThatCode(() -> commandLine.parseArgs(call.words.toArray(new String[0])))
        .as("%s, line %d", call.page, call.line)
        .doesNotThrowAnyException();
    call.words.stream()
        .filter(word -> OURS.matcher(word).matches() && word.contains("."))
        .forEach(word -> assertThat(ROOT.resolve(word)).exists());
  }
}
