package org.rectiflow.tornado;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/**
 * The folder that generated kernels are written to, one file each. TornadoVM appends all of them to
 * one file; what a compilation added there is copied to a file with the kernel's name.
 *
 * @param folder where the files are
 */
record KernelSources(Path folder) {
  /** System property that names the folder; {@code --print-kernels} sets it. */
  static final String PROPERTY = "rectiflow.kernels";

  private static final String ALL = "all-kernels.txt";

  /** The folder the user asked for, or one below the system's temporary folder. */
  static KernelSources configured() {
    String chosen = System.getProperty(PROPERTY);
    if (chosen != null) {
      return new KernelSources(Path.of(chosen).toAbsolutePath());
    }
    String process = "rectiflow-kernels-" + ProcessHandle.current().pid();
    return new KernelSources(Path.of(System.getProperty("java.io.tmpdir"), process));
  }

  /** The file that TornadoVM appends to; its folder is made. */
  Path file() {
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot make the folder of generated kernels " + folder, e);
    }
    return folder.resolve(ALL);
  }

  /** How long the file is before a compilation. */
  long mark() {
    try {
      return Files.exists(file()) ? Files.size(file()) : 0;
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file(), e);
    }
  }

  /** Copies what was added since {@code mark} to a file of the kernel's own, if anything was. */
  Optional<Path> keep(String kernel, long mark) {
    try {
      byte[] all = Files.exists(file()) ? Files.readAllBytes(file()) : new byte[0];
      if (all.length <= mark) {
        return Optional.empty();
      }
      byte[] added = Arrays.copyOfRange(all, Math.toIntExact(mark), all.length);
      String text = new String(added, StandardCharsets.UTF_8);
      Path own = folder.resolve(kernel + (text.contains("__kernel") ? ".cl" : ".ptx"));
      Files.write(own, added);
      return Optional.of(own);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot keep the source of kernel " + kernel, e);
    }
  }
}
