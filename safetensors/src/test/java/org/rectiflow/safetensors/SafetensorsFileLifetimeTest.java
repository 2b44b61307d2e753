package org.rectiflow.safetensors;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.rectiflow.safetensors.MalformedCase.header;
import static org.rectiflow.safetensors.TestFiles.entry;
import static org.rectiflow.safetensors.TestFiles.file;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rectiflow.safetensors.SafetensorsException.Kind;

/** Threads, closing, and what happens to the name of a mapped file. */
class SafetensorsFileLifetimeTest {

  private static final Path GOLDEN = Path.of("../testdata/golden/tiny-sd3.safetensors");

  @TempDir Path folder;

  private SafetensorsFile open(String header, byte[] data) {
    return SafetensorsFile.open(
        TestFiles.write(folder, "m.safetensors", TestFiles.file(header.getBytes(UTF_8), data)));
  }

  @Test
  void dataCannotBeWritten() {
    try (SafetensorsFile file = open("{" + entry("x", "U8", "[1]", "[0,1]") + "}", new byte[1])) {
      MemorySegment data = file.data("x");
      assertThat(data.isReadOnly()).isTrue();
      assertThatThrownBy(() -> data.set(Layouts.BYTE, 0, (byte) 1))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> data.get(Layouts.BYTE, 1))
          .isInstanceOf(IndexOutOfBoundsException.class);
    }
  }

  @Test
  void usingItAfterCloseThrows() {
    SafetensorsFile file = SafetensorsFile.open(GOLDEN);
    String name = file.tensors().keySet().iterator().next();
    MemorySegment data = file.data(name);
    file.close();
    file.close();
    assertThatThrownBy(() -> data.get(Layouts.BYTE, 0)).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> MemorySegment.copy(data, Layouts.BYTE, 0, new byte[1], 0, 1))
        .isInstanceOf(IllegalStateException.class);
    List<Runnable> uses =
        List.of(
            file::tensors,
            file::metadata,
            file::checkIntact,
            () -> file.data(name),
            () -> file.floats(name),
            () -> file.info(name),
            () -> file.fileOf(name));
    for (Runnable use : uses) {
      SafetensorsException e = catchThrowableOfType(SafetensorsException.class, use::run);
      assertThat(e.kind()).isEqualTo(Kind.CLOSED);
    }
  }

  /** Closing while other threads read must end in exceptions, never in a crash. */
  @Test
  void closingUnderReadersThrowsInThem() throws Exception {
    SafetensorsFile file = SafetensorsFile.open(GOLDEN);
    List<String> names = List.copyOf(file.tensors().keySet());
    AtomicLong reads = new AtomicLong();
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      List<Future<Throwable>> readers = new ArrayList<>();
      for (int t = 0; t < 4; t++) {
        readers.add(
            threads.submit(() -> {
              try {
                while (true) {
                  for (String name : names) {
                    MemorySegment data = file.data(name);
                    for (long i = 0; i < data.byteSize(); i += 64) {
                      reads.addAndGet(data.get(Layouts.BYTE, i) & 1);
                    }
                  }
                }
              } catch (IllegalStateException | SafetensorsException e) {
                return e;
              }
            }));
      }
      Thread.sleep(100);
      file.close();
      for (Future<Throwable> reader : readers) {
        assertThat(reader.get()).isNotNull();
      }
    }
    assertThat(reads.get()).isPositive();
  }

  @Test
  void manyThreadsReadTheSame() throws Exception {
    try (SafetensorsFile file = SafetensorsFile.open(GOLDEN);
        ExecutorService threads = Executors.newFixedThreadPool(8)) {
      List<String> names =
          file.tensors().values().stream()
              .filter(t -> t.dtype().isWidenable())
              .map(TensorInfo::name)
              .toList();
      List<Integer> expected = names.stream().map(n -> Arrays.hashCode(file.floats(n))).toList();
      List<Future<List<Integer>>> results =
          IntStream.range(0, 8)
              .mapToObj(_ ->
                  threads.submit(
                      () -> names.stream().map(n -> Arrays.hashCode(file.floats(n))).toList()))
              .toList();
      for (Future<List<Integer>> result : results) {
        assertThat(result.get()).isEqualTo(expected);
      }
    }
  }

  /** An interrupt closes a channel in use; it must not close the file for everybody. */
  @Test
  void anInterruptedThreadDoesNotBreakTheFile() {
    try (SafetensorsFile file = SafetensorsFile.open(GOLDEN)) {
      String name = file.tensors().keySet().iterator().next();
      Thread.currentThread().interrupt();
      try {
        assertThat(file.data(name).byteSize()).isPositive();
      } finally {
        assertThat(Thread.interrupted()).isTrue();
      }
      assertThat(file.data(name).byteSize()).isPositive();
    }
  }

  /** Replaced by renaming, deleted: the mapping keeps the old bytes. */
  @Test
  void theMappingOutlivesItsName() throws IOException {
    String header = "{" + entry("x", "U8", "[1]", "[0,1]") + "}";
    try (SafetensorsFile file = open(header, new byte[] {7})) {
      Path other =
          TestFiles.write(folder, "other", TestFiles.file(header.getBytes(UTF_8), new byte[] {9}));
      Files.move(other, file.path(), StandardCopyOption.REPLACE_EXISTING);
      assertThat(file.integers("x")).containsExactly(7);
      Files.delete(file.path());
      assertThat(file.integers("x")).containsExactly(7);
    }
  }
}
