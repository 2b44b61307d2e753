package org.rectiflow.safetensors;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Mutated files against an independent oracle: nothing is accepted against the rules, nothing valid
 * is refused, nothing but {@link SafetensorsException} is thrown, no input takes long or allocates
 * out of proportion. Runs for seconds; {@code -Drectiflow.fuzz.seconds=N} and {@code
 * -Drectiflow.fuzz.seed=S} make it longer or different.
 */
class FuzzTest {

  private static final double SECONDS =
      Double.parseDouble(System.getProperty("rectiflow.fuzz.seconds", "3"));
  private static final long SEED = Long.getLong("rectiflow.fuzz.seed", 20240305);

  /** So many even on a machine busy with other things. */
  private static final long FEWEST = 300;

  /** An input that takes longer than this hangs. */
  private static final long LONGEST_NANOS = 5_000_000_000L;

  /** Bytes one input may allocate: buffers, classes not met before, and so much for its bytes. */
  private static final long ALLOWED_BYTES = 2_000_000;

  private static final long ALLOWED_BYTES_PER_BYTE = 100;

  private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private final Map<String, Long> outcomes = new TreeMap<>();
  private long slowest;
  private long largest;

  @TempDir Path folder;

  @Test
  void mutatedFiles() {
    // The first file brings classes with it, whose memory is not the file's fault.
    SafetensorsFile.open(Path.of("../testdata/golden/tiny-sd3.safetensors")).close();
    long count = within(SECONDS, this::checkFile);
    System.out.printf(
        "fuzz: %,d files from seed %d: %,d valid accepted, %,d refused by %d kinds of error;"
            + " slowest %.1f ms, most allocated %,d bytes%n",
        count,
        SEED,
        outcomes.getOrDefault("accepted", 0L),
        count - outcomes.getOrDefault("accepted", 0L),
        outcomes.size() - 1,
        slowest * 1e-6,
        largest);
    outcomes.forEach((outcome, n) -> System.out.printf("  %,9d %s%n", n, outcome));
    assertThat(outcomes.getOrDefault("accepted", 0L)).isGreaterThan(count / 10);
    assertThat(outcomes).hasSizeGreaterThan(count > 5000 ? 20 : 5);
  }

  @Test
  void mutatedIndexes() {
    new SafetensorsWriter()
        .addZeros("a", DType.F32, List.of(4L))
        .addZeros("b", DType.F16, List.of(4L))
        .writeShards(folder, "m", 1);
    Path index = folder.resolve("m.safetensors.index.json");
    String valid;
    try {
      valid = Files.readString(index);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    long count = within(SECONDS / 6, seed -> checkIndex(seed, index, valid));
    System.out.printf("fuzz: %,d indexes from seed %d: %s%n", count, SEED, outcomes);
    assertThat(outcomes).containsKeys("accepted", "INDEX_INVALID");
  }

  private interface Check {
    void check(long seed) throws IOException;
  }

  private long within(double seconds, Check check) {
    Duration atMost = Duration.ofMillis((long) (1000 * seconds) + 60_000);
    return assertTimeoutPreemptively(
        atMost,
        () -> {
          long end = System.nanoTime() + (long) (seconds * 1e9);
          long count = 0;
          while (count < FEWEST || System.nanoTime() < end) {
            check.check(SEED * 1_000_003 + count++);
          }
          return count;
        });
  }

  private void checkFile(long seed) throws IOException {
    FuzzMutator.Input input = FuzzMutator.make(seed);
    Optional<FuzzOracle.Content> expected = FuzzOracle.read(input.head, input.length);
    Path path = folder.resolve("fuzz.safetensors");
    // A new file each time: some file systems flush to the disk what is cut to nothing and
    // rewritten.
    Files.deleteIfExists(path);
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
      file.write(input.head, 0, (int) Math.min(input.head.length, input.length));
      file.setLength(input.length);
    }
    long allocated = threads.getCurrentThreadAllocatedBytes();
    long start = System.nanoTime();
    SafetensorsFile opened = null;
    SafetensorsException refused = null;
    try {
      opened = SafetensorsFile.open(path);
    } catch (SafetensorsException e) {
      refused = e;
    } catch (RuntimeException | StackOverflowError | OutOfMemoryError e) {
      throw new AssertionError(describe(seed, input), e);
    }
    long nanos = System.nanoTime() - start;
    allocated = threads.getCurrentThreadAllocatedBytes() - allocated;
    if (refused == null) {
      try (SafetensorsFile file = opened) {
        assertThat(expected)
            .as(() -> "accepted against the rules: " + describe(seed, input))
            .isPresent();
        assertThat(content(file, input)).as(() -> describe(seed, input)).isEqualTo(expected.get());
      }
    } else {
      String message = refused.getMessage();
      assertThat(expected).as(() -> "refused: " + message + " " + describe(seed, input)).isEmpty();
      assertThat(message).startsWith(path + ": ").hasSizeLessThan(2000);
    }
    assertThat(nanos).as(() -> "too slow: " + describe(seed, input)).isLessThan(LONGEST_NANOS);
    assertThat(allocated)
        .as(() -> "allocates too much: " + describe(seed, input))
        .isLessThan(ALLOWED_BYTES + ALLOWED_BYTES_PER_BYTE * input.head.length);
    slowest = Math.max(slowest, nanos);
    largest = Math.max(largest, allocated);
    outcomes.merge(refused == null ? "accepted" : refused.kind().toString(), 1L, Long::sum);
  }

  private static FuzzOracle.Content content(SafetensorsFile file, FuzzMutator.Input input) {
    Map<String, String> tensors = new TreeMap<>();
    file.tensors()
        .forEach((name, t) -> {
          tensors.put(name, t.dtype() + " " + t.shape() + " " + t.begin() + " " + t.end());
          // The whole tensor must lie in the mapping, at its place.
          if (t.byteSize() > 0) {
            long last = file.dataStart() + t.end() - 1;
            byte there = last < input.head.length ? input.head[(int) last] : 0;
            assertThat(file.data(name).get(Layouts.BYTE, t.byteSize() - 1)).isEqualTo(there);
          }
        });
    return new FuzzOracle.Content(tensors, new TreeMap<>(file.metadata()));
  }

  private static String describe(long seed, FuzzMutator.Input input) {
    return "input "
        + seed
        + ", "
        + input.length
        + " bytes, starting with "
        + Base64.getEncoder().encodeToString(input.head);
  }

  private void checkIndex(long seed, Path index, String valid) throws IOException {
    String text = FuzzMutator.brokenIndex(seed, valid);
    Files.deleteIfExists(index);
    Files.write(index, text.getBytes(UTF_8));
    String outcome;
    try (TensorSource source = TensorSource.open(index)) {
      outcome = "accepted";
      assertThat(source.tensors()).containsOnlyKeys("a", "b");
    } catch (SafetensorsException e) {
      outcome = e.kind().toString();
      assertThat(text).as("refused: " + e.getMessage()).isNotEqualTo(valid);
    } catch (RuntimeException | StackOverflowError e) {
      throw new AssertionError("input " + seed + ": " + text, e);
    }
    outcomes.merge(outcome, 1L, Long::sum);
  }
}
