package org.rectiflow.benchmarks.model;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Looks at this process's memory twenty times a second and keeps the most it saw. Linux only:
 * elsewhere the system does not tell memory of the process's own from mapped files.
 */
public final class MemorySampler implements AutoCloseable {
  private static final Path STATUS = Path.of("/proc/self/status");
  private static final long BETWEEN_MILLIS = 50;

  /**
   * Memory in use.
   *
   * @param anonymous bytes of the process's own: heap, activations, compiled code
   * @param mapped bytes of files, here the weights: the system takes them back when it needs room
   */
  public record Memory(long anonymous, long mapped) {}

  private final Thread thread;
  private volatile boolean closed;
  private Memory peak = new Memory(0, 0);

  public MemorySampler() {
    thread = Thread.ofPlatform().daemon().name("memory-sampler").start(this::watch);
  }

  private void watch() {
    while (!closed) {
      look();
      try {
        Thread.sleep(BETWEEN_MILLIS);
      } catch (InterruptedException _) {
        return;
      }
    }
  }

  private synchronized void look() {
    now()
        .ifPresent(m ->
            peak =
                new Memory(Math.max(peak.anonymous, m.anonymous), Math.max(peak.mapped, m.mapped)));
  }

  /** The most so far of each kind; empty where the system does not tell. */
  public synchronized Optional<Memory> peak() {
    look();
    return peak.anonymous == 0 ? Optional.empty() : Optional.of(peak);
  }

  /** Forgets what was seen so far. */
  public synchronized void forget() {
    peak = new Memory(0, 0);
  }

  private static Optional<Memory> now() {
    if (!Files.isReadable(STATUS)) {
      return Optional.empty();
    }
    try {
      return parse(Files.readAllLines(STATUS));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Reads the lines of {@code /proc/self/status}. */
  static Optional<Memory> parse(List<String> status) {
    long anonymous = -1;
    long mapped = -1;
    for (String line : status) {
      if (line.startsWith("RssAnon:")) {
        anonymous = bytes(line);
      } else if (line.startsWith("RssFile:")) {
        mapped = bytes(line);
      }
    }
    return anonymous < 0 || mapped < 0
        ? Optional.empty()
        : Optional.of(new Memory(anonymous, mapped));
  }

  private static long bytes(String line) {
    return 1024 * Long.parseLong(line.replaceAll("[^0-9]", ""));
  }

  @Override
  public void close() {
    closed = true;
    thread.interrupt();
  }
}
