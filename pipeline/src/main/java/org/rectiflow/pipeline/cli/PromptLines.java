package org.rectiflow.pipeline.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.rectiflow.pipeline.io.TextFiles;
import org.rectiflow.pipeline.io.UserException;

/** Files of prompts, a line each; blank lines do not count. */
public final class PromptLines {
  private PromptLines() {}

  /**
   * A prompt.
   *
   * @param number of its line in the file, from 1
   */
  public record Line(int number, String text) {}

  /**
   * The prompts of a file, in UTF-8.
   *
   * @throws UserException if there is no such file, if it is no text or has no prompt
   */
  public static List<String> read(Path file) throws IOException {
    return numbered(file).stream().map(Line::text).toList();
  }

  /** The same with the numbers of their lines. */
  public static List<Line> numbered(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new UserException(
          "%s: %s; expected a file of prompts, a line each"
              .formatted(file, Files.isDirectory(file) ? "this is a folder" : "no such file"));
    }
    List<String> texts = TextFiles.read(file, "a prompt in each line").lines().toList();
    List<Line> lines =
        IntStream.range(0, texts.size())
            .mapToObj(i -> new Line(i + 1, texts.get(i).strip()))
            .filter(line -> !line.text().isEmpty())
            .toList();
    if (lines.isEmpty()) {
      throw new UserException("%s has no prompts; it needs a line for each".formatted(file));
    }
    return lines;
  }
}
