package org.rectiflow.trainer;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** {@code rectiflow} in a process of its own. */
final class RunProcess implements AutoCloseable {
  private static final int SIGINT = 2;

  private static final long PATIENCE_SECONDS = 300;

  private final Path folder;
  private final Path output;
  private final Process process;

  private RunProcess(Path folder, Path output, Process process) {
    this.folder = folder;
    this.output = output;
    this.process = process;
  }

  /** {@code train FILE --out FOLDER --resume}. */
  static RunProcess start(Path file, Path folder) throws IOException {
    return start(folder, "train", file.toString(), "--out", folder.toString(), "--resume");
  }

  /** Any command of the program; what it prints stands beside {@code folder}. */
  static RunProcess start(Path folder, String... arguments) throws IOException {
    return start(List.of(), folder, arguments);
  }

  /** The same, started by another command that is given this one as its last arguments. */
  static RunProcess start(List<String> by, Path folder, String... arguments) throws IOException {
    Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    List<String> command = new ArrayList<>(by);
    command.add(java.toString());
    command.addAll(
        List.of(
            "--add-modules=jdk.incubator.vector",
            "--enable-native-access=ALL-UNNAMED",
            "-Xmx1g",
            "-XX:+UseSerialGC",
            "-cp",
            System.getProperty("java.class.path"),
            "org.rectiflow.pipeline.cli.Rectiflow"));
    command.addAll(List.of(arguments));
    Path output = folder.resolveSibling(folder.getFileName() + ".out");
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    return new RunProcess(folder, output, process);
  }

  /** Waits until it ends; its exit status. */
  int end() throws InterruptedException, IOException {
    if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
      throw new IllegalStateException("does not end: " + said());
    }
    return process.exitValue();
  }

  /** What it printed. */
  String said() throws IOException {
    return Files.readString(output);
  }

  /**
   * Waits until its log has a step, or it ends.
   *
   * @return the step the log has
   */
  long awaitStep(long step) throws IOException, InterruptedException {
    long last = -1;
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
    while (last < step && process.isAlive() && System.nanoTime() < deadline) {
      Thread.sleep(2);
      last = lastStep(folder);
    }
    return last;
  }

  /** The last step in a run's log; -1 if there is none. */
  static long lastStep(Path folder) throws IOException {
    Path log = folder.resolve("log.jsonl");
    if (!Files.exists(log)) {
      return -1;
    }
    List<JsonNode> lines = RunLog.read(log);
    return lines.isEmpty() ? -1 : lines.getLast().path("step").asLong();
  }

  /** kill -9. */
  void kill() throws InterruptedException {
    process.destroyForcibly();
    process.waitFor();
  }

  /** Ctrl-C. */
  void interrupt() throws IOException, InterruptedException {
    new ProcessBuilder("kill", "-INT", Long.toString(process.pid())).start().waitFor();
  }

  /**
   * Whether this process was told to ignore Ctrl-C, as shells tell what they start in the
   * background; its children inherit that, and a JVM then does not listen.
   */
  static boolean interruptsAreIgnored() throws IOException {
    Path status = Path.of("/proc/self/status");
    if (!Files.exists(status)) {
      return false;
    }
    String mask =
        Files.readAllLines(status).stream()
            .filter(line -> line.startsWith("SigIgn:"))
            .findFirst()
            .orElseThrow()
            .substring("SigIgn:".length())
            .strip();
    return (Long.parseUnsignedLong(mask, 16) & 1L << SIGINT - 1) != 0;
  }

  @Override
  public void close() throws InterruptedException {
    kill();
  }
}
