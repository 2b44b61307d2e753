package org.rectiflow.paper;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The notes name code that exists and link to files that exist. */
class NotesTest {

  private static final Path NOTES = Path.of("notes");
  private static final Pattern CODE = Pattern.compile("`([A-Z]\\w+)#(\\w+)`");
  private static final Pattern LINK = Pattern.compile("\\]\\(([^)#:]+)\\)");
  private static final Pattern COMMAND = Pattern.compile("`\\./run\\.sh (figure|table) (\\d+)`");

  @Test
  void namedCodeExists() throws IOException {
    Map<String, String> sources = sources();
    int references = 0;
    for (Path note : notes()) {
      Matcher matcher = CODE.matcher(Files.readString(note));
      while (matcher.find()) {
        references++;
        assertThat(sources).as("%s: %s", note, matcher.group()).containsKey(matcher.group(1));
        assertThat(sources.get(matcher.group(1)))
            .as("%s: %s", note, matcher.group())
            .containsPattern("\\b" + matcher.group(2) + "\\b\\s*[(=;]");
      }
    }
    assertThat(references).isGreaterThan(80);
  }

  @Test
  void linksLeadSomewhere() throws IOException {
    for (Path note : notes()) {
      Matcher matcher = LINK.matcher(Files.readString(note));
      while (matcher.find()) {
        assertThat(NOTES.resolve(matcher.group(1))).as(note.toString()).exists();
      }
    }
  }

  @Test
  void everyNoteIsListed() throws IOException {
    String readme = Files.readString(NOTES.resolve("README.md"));
    assertThat(notes()).hasSize(12);
    for (Path note : notes()) {
      if (!note.endsWith("README.md")) {
        assertThat(readme).contains("(" + note.getFileName() + ")");
      }
    }
  }

  @Test
  void commandsDrawSomething() throws IOException {
    for (Path note : notes()) {
      Matcher matcher = COMMAND.matcher(Files.readString(note));
      while (matcher.find()) {
        PaperItem item =
            Catalogue.find(
                matcher.group(1).equals("figure") ? PaperItem.Kind.FIGURE : PaperItem.Kind.TABLE,
                Integer.parseInt(matcher.group(2)));
        assertThat(item.renderer()).as(note + ": " + matcher.group()).isPresent();
      }
    }
  }

  private static List<Path> notes() throws IOException {
    try (Stream<Path> files = Files.list(NOTES)) {
      return files.filter(file -> file.toString().endsWith(".md")).sorted().toList();
    }
  }

  /** Text of every main source of the repository by class name. */
  private static Map<String, String> sources() throws IOException {
    Map<String, String> sources = new TreeMap<>();
    try (Stream<Path> modules = Files.list(Path.of(".."))) {
      for (Path module : modules.toList()) {
        Path main = module.resolve("src/main/java");
        if (Files.isDirectory(main)) {
          try (Stream<Path> files = Files.walk(main)) {
            files
                .filter(file -> file.toString().endsWith(".java"))
                .forEach(file -> sources.merge(name(file), read(file), String::concat));
          }
        }
      }
    }
    return sources;
  }

  private static String name(Path file) {
    return file.getFileName().toString().replace(".java", "");
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
