package org.rectiflow.benchmarks.measure;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.rectiflow.engine.cpu.kernels.Simd;

/**
 * What was measured on.
 *
 * @param processor the processor's name, or the architecture's where the system does not tell
 * @param logicalProcessors processors the JVM sees; two of them may share one core
 * @param vectorBits width of the kernels' vectors
 */
public record Machine(String processor, int logicalProcessors, int vectorBits, String java) {

  /** This machine. */
  public static Machine here() {
    return new Machine(
        processor(Path.of("/proc/cpuinfo")),
        Runtime.getRuntime().availableProcessors(),
        Simd.bits(),
        System.getProperty("java.vm.name") + " " + System.getProperty("java.vm.version"));
  }

  static String processor(Path cpuinfo) {
    if (!Files.isReadable(cpuinfo)) {
      return System.getProperty("os.arch");
    }
    try (Stream<String> lines = Files.lines(cpuinfo)) {
      return lines
          .filter(line -> line.startsWith("model name"))
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .findFirst()
          .orElse(System.getProperty("os.arch"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
