package org.rectiflow.safetensors;

import com.fasterxml.jackson.core.JsonFactory;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Runs {@link FaultyDiskMain} in a process of its own, under another user or on another disk. */
final class ChildJvm {

  private final List<Path> classPath;

  private ChildJvm(List<Path> classPath) {
    this.classPath = classPath;
  }

  /** What the process said and how it ended. */
  record Result(int status, String output) {}

  /** With classes copied into a folder, for users who may not read the build's. */
  static ChildJvm copiedTo(Path folder) throws IOException {
    List<Path> copies = new ArrayList<>();
    for (Class<?> one : List.of(SafetensorsFile.class, FaultyDiskMain.class, JsonFactory.class)) {
      Path from = origin(one);
      Path to = folder.resolve(copies.size() + "-" + from.getFileName());
      try (Stream<Path> all = Files.walk(from)) {
        for (Path file : all.toList()) {
          Path copy = to.resolve(from.relativize(file).toString());
          Files.copy(file, copy, StandardCopyOption.REPLACE_EXISTING);
        }
      }
      copies.add(to);
    }
    return new ChildJvm(copies);
  }

  private static Path origin(Class<?> one) {
    try {
      return Path.of(one.getProtectionDomain().getCodeSource().getLocation().toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Starts it, by way of {@code prefix}: a command that runs the command after it. */
  Process start(List<String> prefix, String... args) {
    List<String> command = new ArrayList<>(prefix);
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp"));
    command.add(String.join(File.pathSeparator, classPath.stream().map(Path::toString).toList()));
    command.add(FaultyDiskMain.class.getName());
    command.addAll(List.of(args));
    try {
      return new ProcessBuilder(command).redirectErrorStream(true).start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  Result run(List<String> prefix, String... args) throws IOException, InterruptedException {
    return result(start(prefix, args));
  }

  /** Waits for the end of a process. */
  static Result result(Process process) throws IOException, InterruptedException {
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (!process.waitFor(60, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new IllegalStateException("does not end: " + output);
    }
    return new Result(process.exitValue(), output);
  }
}
