package org.rectiflow.tornado;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The folder that generated kernels are written to, one file each. TornadoVM appends all of them to
 * one file; what a compilation added there is copied to a file with the kernel's name. A folder
 * that the user did not ask for is removed when the program ends, unless a kernel failed.
 *
 * @param folder where the files are
 */
record KernelSources(Path folder) {
  /** TornadoVM's option for the file that it appends to, whatever its name says. */
  private static final String APPENDED = "tornado.print.kernel.dir";

  /** In a temporary folder, says that it must stay, and why. */
  private static final String FAILURE = "failure.txt";

  /** The folder the user asked for, or one below the system's temporary folder. */
  static KernelSources in(Optional<Path> chosen) {
    if (chosen.isEmpty()) {
      makeTemporary();
      return new KernelSources(temporary());
    }
    make(chosen.get());
    return new KernelSources(chosen.get());
  }

  private static Path temporary() {
    String process = "rectiflow-kernels-" + ProcessHandle.current().pid();
    return Path.of(System.getProperty("java.io.tmpdir"), process);
  }

  /** Tells TornadoVM, before its classes load, to write the source of what it compiles. */
  static void appendAllToOneFile() {
    if (System.getProperty(APPENDED) == null) {
      makeTemporary();
      System.setProperty(APPENDED, temporary().resolve("all-kernels.txt").toString());
    }
  }

  private static void makeTemporary() {
    Path folder = temporary();
    if (!Files.exists(folder)) {
      make(folder);
      Runtime.getRuntime().addShutdownHook(new Thread(() -> removeUnlessFailed(folder)));
    }
  }

  /** Removes a folder, but not one that {@link #failed} was called for. */
  static void removeUnlessFailed(Path folder) {
    if (Files.exists(folder.resolve(FAILURE)) || !Files.exists(folder)) {
      return;
    }
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
      Files.delete(folder);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot remove the generated kernels in " + folder, e);
    }
  }

  /** Keeps all sources after the program's end, because this failed. */
  void failed(String what) {
    try {
      Files.writeString(folder.resolve(FAILURE), what + "\n");
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write to " + folder, e);
    }
  }

  private static void make(Path folder) {
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot make the folder of generated kernels " + folder, e);
    }
  }

  private static Path all() {
    return Path.of(System.getProperty(APPENDED));
  }

  /** How long the file is before a compilation. */
  long mark() {
    try {
      return Files.exists(all()) ? Files.size(all()) : 0;
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + all(), e);
    }
  }

  /** Copies what was added since {@code mark} to a file of the kernel's own, if anything was. */
  Optional<Path> keep(String kernel, long mark) {
    try {
      byte[] all = Files.exists(all()) ? Files.readAllBytes(all()) : new byte[0];
      if (all.length <= mark) {
        return Optional.empty();
      }
      byte[] added = Arrays.copyOfRange(all, Math.toIntExact(mark), all.length);
      String text = new String(added, StandardCharsets.UTF_8);
      String ending =
          text.contains("__kernel") ? ".cl" : text.contains("__global__") ? ".cu" : ".ptx";
      Path own = folder.resolve(kernel + ending);
      Files.write(own, added);
      return Optional.of(own);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot keep the source of kernel " + kernel, e);
    }
  }
}
