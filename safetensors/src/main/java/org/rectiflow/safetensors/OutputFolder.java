package org.rectiflow.safetensors;

import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.rectiflow.safetensors.SafetensorsException.Kind;

/** The folder a file is written into: checked beforehand, and asked again after a failure. */
final class OutputFolder {

  private OutputFolder() {}

  /**
   * Checks that a file can be made in its folder.
   *
   * @param bytes how many bytes will be written
   * @throws SafetensorsException when the folder is missing or not writable, the target is a
   *     folder, or the disk has not enough space
   */
  static void check(Path target, long bytes) {
    Path folder = target.toAbsolutePath().getParent();
    if (folder == null || !Files.isDirectory(folder)) {
      throw new SafetensorsException(
          Kind.FOLDER_NOT_WRITABLE,
          target,
          null,
          "there is no folder " + folder + " to write into",
          "Make it first, for example with `mkdir -p`");
    }
    if (Files.isDirectory(target)) {
      throw new SafetensorsException(
          Kind.NOT_A_FILE,
          target,
          null,
          "expected the name of a file to write, found a folder",
          "Give the name of a file in it");
    }
    if (!Files.isWritable(folder)) {
      throw notWritable(target, null);
    }
    long free = freeBytes(folder);
    // Some network file systems report no free space at all: there the write itself decides.
    if (free > 0 && free < bytes) {
      throw full(target, bytes, free, null);
    }
  }

  /**
   * Says why writing failed.
   *
   * @param left how many bytes were still to be written
   */
  static SafetensorsException failed(Path target, long left, IOException cause) {
    String reason = String.valueOf(cause.getMessage()).toLowerCase(Locale.ROOT);
    long free = freeBytes(target.toAbsolutePath().getParent());
    if (reason.contains("no space left")
        || reason.contains("not enough space")
        || reason.contains("quota")
        || (free >= 0 && free < left)) {
      return full(target, left, free, cause);
    }
    if (cause instanceof AccessDeniedException || reason.contains("read-only file system")) {
      return notWritable(target, cause);
    }
    boolean interrupted = cause instanceof ClosedByInterruptException;
    return new SafetensorsException(
        Kind.WRITE_FAILED,
        target,
        null,
        interrupted ? "writing was interrupted" : "writing failed: " + cause.getMessage(),
        interrupted
            ? "Nothing was left behind; write it again"
            : "Nothing was left behind; check the disk, and limits on file size (`ulimit -f`)",
        cause);
  }

  private static SafetensorsException full(Path target, long wanted, long free, Throwable cause) {
    return new SafetensorsException(
        Kind.DISK_FULL,
        target,
        null,
        "the disk is full: expected space for "
            + wanted
            + " bytes, found "
            + (free < 0 ? "less" : String.valueOf(free)),
        "Free some space or write to another disk; nothing was left behind",
        cause);
  }

  private static SafetensorsException notWritable(Path target, Throwable cause) {
    return new SafetensorsException(
        Kind.FOLDER_NOT_WRITABLE,
        target,
        null,
        "the folder " + target.toAbsolutePath().getParent() + " is read-only",
        "Write to another folder, or change its permissions",
        cause);
  }

  /** Free bytes, or -1 when the system does not say. */
  private static long freeBytes(Path folder) {
    try {
      return Files.getFileStore(folder).getUsableSpace();
    } catch (IOException _) {
      // The space is only asked for to explain better; the write says itself what fails.
      return -1;
    }
  }
}
