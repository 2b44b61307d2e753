package org.rectiflow.pipeline.io;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Text files in UTF-8. */
public final class TextFiles {
  private TextFiles() {}

  /**
   * The whole text.
   *
   * @param wanted what the file should be, for the message: {@code a run file in TOML}
   * @throws UserException if it is no text
   */
  public static String read(Path file, String wanted) throws IOException {
    try {
      return Files.readString(file);
    } catch (CharacterCodingException e) {
      throw new UserException("%s is no text in UTF-8; expected %s".formatted(file, wanted), e);
    }
  }
}
