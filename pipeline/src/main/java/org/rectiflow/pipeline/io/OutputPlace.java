package org.rectiflow.pipeline.io;

import java.nio.file.Files;
import java.nio.file.Path;

/** Looks at where results shall go before anything is computed. */
public final class OutputPlace {
  private OutputPlace() {}

  /**
   * A file that will be written, or replaced.
   *
   * @param flag the option that names it, for messages
   * @throws UserException if it is a folder, or cannot be made where it is
   */
  public static void requireFile(String flag, Path file) {
    if (Files.isDirectory(file)) {
      throw new UserException("%s %s is a folder; choose another name".formatted(flag, file));
    }
    require(flag, file, file.toAbsolutePath().getParent());
  }

  /**
   * A folder that files will be written into; it need not exist.
   *
   * @param flag the option that names it, for messages
   * @throws UserException if it is a file, or cannot be made or written to
   */
  public static void requireFolder(String flag, Path folder) {
    require(flag, folder, folder.toAbsolutePath());
  }

  private static void require(String flag, Path named, Path folder) {
    Path there = existing(folder);
    if (!Files.isDirectory(there)) {
      throw new UserException(
          "%s %s: %s is a file, not a folder; choose another".formatted(flag, named, there));
    }
    if (!Files.isWritable(there)) {
      throw new UserException(
          "%s %s: no permission to write in %s; choose another".formatted(flag, named, there));
    }
  }

  /** The path itself, or the nearest folder above that is there. */
  public static Path existing(Path path) {
    Path at = path.toAbsolutePath();
    while (!Files.exists(at)) {
      at = at.getParent();
    }
    return at;
  }
}
