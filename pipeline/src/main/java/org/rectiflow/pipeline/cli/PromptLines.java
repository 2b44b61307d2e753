package org.rectiflow.pipeline.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.rectiflow.pipeline.io.TextFiles;
import org.rectiflow.pipeline.io.UserException;

/** Files of prompts, a line each; blank lines do not count. */
public final class PromptLines {
  private PromptLines() {}

  /**
   * The prompts of a file, in UTF-8.
   *
   * @throws UserException if there is no such file, if it is no text or has no prompt
   */
  public static List<String> read(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new UserException(
          "%s: %s; expected a file of prompts, a line each"
              .formatted(file, Files.isDirectory(file) ? "this is a folder" : "no such file"));
    }
    List<String> lines =
        TextFiles.read(file, "a prompt in each line")
            .lines()
            .map(String::strip)
            .filter(l -> !l.isEmpty())
            .toList();
    if (lines.isEmpty()) {
      throw new UserException("%s has no prompts; it needs a line for each".formatted(file));
    }
    return lines;
  }
}
