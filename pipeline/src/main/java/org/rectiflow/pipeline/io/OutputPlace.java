package org.rectiflow.pipeline.io;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Looks at where results shall go before anything is computed. */
public final class OutputPlace {
  private OutputPlace() {}

  /**
   * A file that will be written, or replaced.
   *
   * @param flag the option that names it, for messages
   * @param file null if the option was not given: then there is nothing to look at
   * @throws UserException if it is a folder, or cannot be made where it is
   */
  public static void requireFile(String flag, Path file) {
    if (file == null) {
      return;
    }
    if (Files.isDirectory(file)) {
      throw new UserException("%s %s is a folder; choose another name".formatted(flag, file));
    }
    require(flag, file, file.toAbsolutePath().getParent());
  }

  /**
   * A folder that files will be written into; it need not exist.
   *
   * @param flag the option that names it, for messages
   * @param folder null if the option was not given: then there is nothing to look at
   * @throws UserException if it is a file, or cannot be made or written to
   */
  public static void requireFolder(String flag, Path folder) {
    if (folder != null) {
      require(flag, folder, folder.toAbsolutePath());
    }
  }

  /**
   * Checks that a disk has room before anything is written.
   *
   * @param target what will be written
   * @param remedy what to do if there is too little
   * @throws UserException if there is
   */
  public static void requireRoom(Path target, long bytes, String remedy) throws IOException {
    requireRoom(target, bytes, Files.getFileStore(existing(target)).getUsableSpace(), remedy);
  }

  static void requireRoom(Path target, long bytes, long free, String remedy) {
    // Some network file systems report no free space at all: there the write itself decides.
    if (free > 0 && free < bytes) {
      throw new UserException(
          "%s needs %s, its disk has %s free. %s"
              .formatted(target, Bytes.text(bytes), Bytes.text(free), remedy));
    }
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
