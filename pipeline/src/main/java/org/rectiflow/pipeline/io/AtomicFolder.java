package org.rectiflow.pipeline.io;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.stream.Stream;

/** Folders that appear under their name only when they are complete. */
public final class AtomicFolder {
  private AtomicFolder() {}

  /** Writes files into the folder it is given. */
  @FunctionalInterface
  public interface Content {
    void writeTo(Path temporary) throws IOException;
  }

  /**
   * Writes a folder beside {@code target}, which must not exist, and renames it. After a failure,
   * or when the program is interrupted, nothing is left behind.
   */
  public static void write(Path target, Content content) throws IOException {
    Path parent = target.toAbsolutePath().getParent();
    Path temporary;
    try {
      Files.createDirectories(parent);
      // Not createTempDirectory: nobody else could read what it makes.
      temporary =
          Files.createDirectory(
              parent.resolve(
                  ".%s.%d-%x.part"
                      .formatted(
                          target.getFileName(), ProcessHandle.current().pid(), System.nanoTime())));
    } catch (AccessDeniedException e) {
      throw new IOException(
          "cannot write in the folder " + parent + ": permission denied; choose another", e);
    } catch (FileAlreadyExistsException e) {
      throw new IOException(
          "cannot write in the folder %s: %s is a file, not a folder; choose another"
              .formatted(parent, e.getFile()),
          e);
    } catch (NoSuchFileException e) {
      throw new IOException(
          "cannot write in the folder %s: files cannot be made there; choose another"
              .formatted(parent),
          e);
    } catch (FileSystemException e) {
      throw new IOException("cannot write in the folder " + parent + ": " + e.getMessage(), e);
    }
    Thread cleaner =
        new Thread(() -> deleteQuietly(temporary), "remove-" + temporary.getFileName());
    Runtime.getRuntime().addShutdownHook(cleaner);
    try {
      content.writeTo(temporary);
      Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      delete(temporary);
      removeHook(cleaner);
    }
  }

  private static void removeHook(Thread cleaner) {
    try {
      Runtime.getRuntime().removeShutdownHook(cleaner);
    } catch (IllegalStateException _) {
      // The program is ending: the hook runs, and finds nothing to delete.
    }
  }

  /** At the end of an interrupted program nobody is left to tell. */
  private static void deleteQuietly(Path folder) {
    try {
      delete(folder);
    } catch (IOException | UncheckedIOException e) {
      System.getLogger(AtomicFolder.class.getName())
          .log(System.Logger.Level.WARNING, "could not remove " + folder, e);
    }
  }

  private static void delete(Path folder) throws IOException {
    if (!Files.exists(folder)) {
      return;
    }
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    }
  }
}
