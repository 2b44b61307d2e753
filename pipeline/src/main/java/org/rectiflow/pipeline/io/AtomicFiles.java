package org.rectiflow.pipeline.io;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.UUID;

/** Files that appear under their name only when they are complete. */
public final class AtomicFiles {
  private AtomicFiles() {}

  /** Writes to the path it is given. */
  @FunctionalInterface
  public interface Content {
    void writeTo(Path temporary) throws IOException;
  }

  /**
   * Writes a file beside {@code file} and renames it; missing folders are made. After a failure
   * nothing is left behind and an older {@code file} is untouched.
   */
  public static void write(Path file, Content content) throws IOException {
    Path folder = file.toAbsolutePath().getParent();
    Path temporary;
    try {
      Files.createDirectories(folder);
      // Not createTempFile, which would keep everybody else from reading the result.
      temporary =
          Files.createFile(
              folder.resolve("." + file.getFileName() + "." + UUID.randomUUID() + ".part"));
    } catch (AccessDeniedException e) {
      throw new IOException(
          "cannot write in the folder " + folder + ": permission denied; choose another", e);
    } catch (FileAlreadyExistsException e) {
      throw new IOException(
          "cannot write in the folder %s: %s is a file, not a folder; choose another"
              .formatted(folder, e.getFile()),
          e);
    } catch (FileSystemException e) {
      throw new IOException("cannot write in the folder " + folder + ": " + e.getMessage(), e);
    }
    temporary.toFile().deleteOnExit(); // when the program is interrupted
    try {
      try {
        content.writeTo(temporary);
      } catch (IOException e) {
        throw new IOException(
            "cannot write %s: %s. Nothing was left behind; free some space or write to another place."
                .formatted(file, e.getMessage()),
            e);
      }
      Files.move(
          temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }
}
