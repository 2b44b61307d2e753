package org.rectiflow.safetensors;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import org.rectiflow.safetensors.SafetensorsException.Kind;

/** Opening files for reading, with an error of its own for each way it can fail. */
final class InputFiles {

  private InputFiles() {}

  /**
   * Opens a regular file.
   *
   * @param what what the file should be, for messages
   * @throws SafetensorsException when it is missing, no regular file, or unreadable
   */
  static RandomAccessFile open(Path path, String what) {
    if (!Files.exists(path)) {
      throw new SafetensorsException(
          Kind.NOT_FOUND,
          path,
          null,
          Files.isSymbolicLink(path)
              ? "this link points to a file that does not exist"
              : "no such file, expected " + what,
          "Check the path, or download the file");
    }
    // Checked first because opening a pipe would wait for a writer for ever.
    if (!Files.isRegularFile(path)) {
      throw new SafetensorsException(
          Kind.NOT_A_FILE,
          path,
          null,
          "expected "
              + what
              + ", found "
              + (Files.isDirectory(path) ? "a folder" : "a pipe or a device"),
          "Give the file itself");
    }
    if (!Files.isReadable(path)) {
      throw new SafetensorsException(
          Kind.UNREADABLE,
          path,
          null,
          "the permissions of this file forbid reading it",
          "Allow it, for example with `chmod u+r`, or run as a user who may");
    }
    try {
      return new RandomAccessFile(path.toFile(), "r");
    } catch (IOException e) {
      throw readFailed(path, e);
    }
  }

  static SafetensorsException readFailed(Path path, IOException cause) {
    return new SafetensorsException(
        Kind.READ_FAILED,
        path,
        null,
        "reading failed: " + cause.getMessage(),
        "Check the disk or the network share the file lies on",
        cause);
  }
}
