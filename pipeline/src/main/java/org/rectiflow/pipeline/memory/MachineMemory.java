package org.rectiflow.pipeline.memory;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The memory this program can have.
 *
 * @param total bytes of the machine, or of the container where that has less
 * @param available bytes that can be taken without anything being swapped out; memory that only
 *     keeps copies of files counts as available
 * @param heap the most bytes the Java heap may grow to
 * @param limit what bounds it
 */
public record MachineMemory(long total, long available, long heap, String limit) {
  private static final long KIB = 1024;

  /** What the machine says now. */
  public static MachineMemory now() {
    return read(Path.of("/"), Runtime.getRuntime().maxMemory());
  }

  /**
   * Reads {@code /proc/meminfo} and the memory limits of the control group below {@code root};
   * where there are none, asks Java.
   */
  static MachineMemory read(Path root, long heap) {
    List<String> meminfo = lines(root.resolve("proc/meminfo"));
    OptionalLong total = meminfo(meminfo, "MemTotal:");
    OptionalLong available = meminfo(meminfo, "MemAvailable:");
    if (total.isEmpty() || available.isEmpty()) {
      var system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
      return new MachineMemory(
          system.getTotalMemorySize(), system.getFreeMemorySize(), heap, "the machine");
    }
    MachineMemory machine =
        new MachineMemory(total.getAsLong(), available.getAsLong(), heap, "the machine");
    return container(root).map(c -> machine.within(c, heap)).orElse(machine);
  }

  private MachineMemory within(MachineMemory container, long heap) {
    return container.total() >= total
        ? this
        : new MachineMemory(
            container.total(), Math.min(available, container.available()), heap, container.limit());
  }

  /** The tightest limit of the control groups this process is in. */
  private static Optional<MachineMemory> container(Path root) {
    Optional<MachineMemory> tightest = Optional.empty();
    Path groups = root.resolve("sys/fs/cgroup");
    for (String line : lines(root.resolve("proc/self/cgroup"))) {
      String[] parts = line.split(":", 3);
      if (parts.length < 3) {
        continue;
      }
      boolean second = parts[0].equals("0") && parts[1].isEmpty();
      boolean first = List.of(parts[1].split(",")).contains("memory");
      if (!second && !first) {
        continue;
      }
      Path top = second ? groups : groups.resolve("memory");
      Path group = top.resolve(parts[2].replaceFirst("^/+", "")).normalize();
      // A container may see its own group at the top, under another name.
      for (Path at = group; at != null && at.startsWith(top); at = at.getParent()) {
        Optional<MachineMemory> limit = second ? second(at) : first(at);
        if (limit.isPresent()
            && (tightest.isEmpty() || limit.get().total() < tightest.get().total())) {
          tightest = limit;
        }
      }
    }
    return tightest;
  }

  private static Optional<MachineMemory> second(Path group) {
    return limit(
        number(group.resolve("memory.max")),
        number(group.resolve("memory.current")),
        group.resolve("memory.stat"),
        "inactive_file");
  }

  private static Optional<MachineMemory> first(Path group) {
    return limit(
        number(group.resolve("memory.limit_in_bytes")),
        number(group.resolve("memory.usage_in_bytes")),
        group.resolve("memory.stat"),
        "total_inactive_file");
  }

  /** Pages of files that nobody used lately are given up before anything is refused. */
  private static Optional<MachineMemory> limit(
      OptionalLong max, OptionalLong used, Path stat, String cached) {
    if (max.isEmpty() || used.isEmpty()) {
      return Optional.empty();
    }
    long files =
        lines(stat).stream()
            .filter(l -> l.startsWith(cached + " "))
            .mapToLong(l -> Long.parseLong(l.substring(cached.length() + 1).strip()))
            .findFirst()
            .orElse(0);
    long available = Math.max(0, max.getAsLong() - used.getAsLong() + files);
    return Optional.of(
        new MachineMemory(max.getAsLong(), available, 0, "the container (its control group)"));
  }

  private static OptionalLong meminfo(List<String> lines, String key) {
    return lines.stream()
        .filter(l -> l.startsWith(key))
        .mapToLong(l -> KIB * Long.parseLong(l.replaceAll("[^0-9]", "")))
        .findFirst();
  }

  /** The number in a file; none if there is no file, or it says {@code max}. */
  private static OptionalLong number(Path file) {
    return lines(file).stream()
        .map(String::strip)
        .filter(l -> l.matches("\\d{1,18}"))
        .mapToLong(Long::parseLong)
        .findFirst();
  }

  private static List<String> lines(Path file) {
    if (!Files.isRegularFile(file)) {
      return List.of();
    }
    try {
      return Files.readAllLines(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
