package org.rectiflow.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.rectiflow.safetensors.TestFiles.file;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rectiflow.safetensors.SafetensorsException.Kind;

/** What the writer refuses, and what is left behind: nothing. */
class SafetensorsWriterRefusalsTest {

  @TempDir Path folder;

  private static MemorySegment bytes(int... values) {
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) values[i];
    }
    return MemorySegment.ofArray(bytes);
  }

  private List<String> names() {
    return Stream.of(folder.toFile().list()).sorted().toList();
  }

  private Kind refusal(SafetensorsWriter writer, Path target) {
    SafetensorsException e =
        catchThrowableOfType(SafetensorsException.class, () -> writer.write(target));
    assertThat(e).isNotNull();
    assertThat(e).hasMessageStartingWith(target.toString());
    return e.kind();
  }

  @Test
  void aSourceIsRefusedAsTarget() throws IOException {
    Path path = folder.resolve("m.safetensors");
    new SafetensorsWriter().add("x", DType.U8, List.of(1L), bytes(1)).write(path);
    Path link = Files.createSymbolicLink(folder.resolve("link"), path);
    Path hard = Files.createLink(folder.resolve("hard"), path);
    try (SafetensorsFile source = SafetensorsFile.open(path)) {
      SafetensorsWriter copy = new SafetensorsWriter().copy("x", source, "x");
      for (Path target : List.of(path, link, hard, folder.resolve(".").resolve("m.safetensors"))) {
        assertThat(refusal(copy, target)).isEqualTo(Kind.TARGET_IN_USE);
      }
      SafetensorsWriter told =
          new SafetensorsWriter().readingFrom(source).add("y", DType.U8, List.of(1L), bytes(1));
      assertThat(refusal(told, path)).isEqualTo(Kind.TARGET_IN_USE);
      assertThat(source.integers("x")).containsExactly(1);
    }
    assertThat(names()).containsExactly("hard", "link", "m.safetensors");
  }

  @Test
  void aFailureLeavesTheOldFileAndNoOther() throws IOException {
    Path path = folder.resolve("m.safetensors");
    new SafetensorsWriter().add("x", DType.U8, List.of(1L), bytes(1)).write(path);
    byte[] before = Files.readAllBytes(path);
    SafetensorsWriter failing =
        new SafetensorsWriter()
            .add(
                "x",
                DType.U8,
                List.of(4L),
                sink -> {
                  sink.write(bytes(1, 2));
                  throw new IllegalStateException("no more");
                });
    assertThatThrownBy(() -> failing.write(path)).hasMessage("no more");
    assertThat(Files.readAllBytes(path)).isEqualTo(before);
    assertThat(names()).containsExactly("m.safetensors");
  }

  @Test
  void tooManyAndTooFewBytesAreRefused() {
    Path path = folder.resolve("m.safetensors");
    SafetensorsWriter few =
        new SafetensorsWriter().add("x", DType.U8, List.of(4L), s -> s.write(bytes(1, 2, 3)));
    assertThat(refusal(few, path)).isEqualTo(Kind.UNWRITABLE_CONTENT);
    assertThatThrownBy(() -> few.write(path))
        .hasMessageContaining("\"x\"")
        .hasMessageContaining("expected 4 bytes for U8 [4], found 3");
    SafetensorsWriter many =
        new SafetensorsWriter()
            .add(
                "x",
                DType.F16,
                List.of(4L),
                sink -> {
                  sink.write(new float[3], 0, 3);
                  sink.write(new float[3], 0, 2);
                });
    assertThat(refusal(many, path)).isEqualTo(Kind.UNWRITABLE_CONTENT);
    assertThatThrownBy(() -> many.write(path)).hasMessageContaining("found at least 10");
    assertThat(names()).isEmpty();
  }

  @Test
  void impossibleTensorsAreRefused() {
    SafetensorsWriter writer = new SafetensorsWriter().add("x", DType.U8, List.of(1L), bytes(1));
    assertThatThrownBy(() -> writer.add("x", DType.U8, List.of(1L), bytes(1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("added before");
    assertThatThrownBy(() -> writer.add("y", DType.U8, List.of(2L), bytes(1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("expected 2 bytes for U8 [2], found 1");
    for (String name : List.of("", "a\0b", "a\nb", "\ud800", "__metadata__")) {
      assertThatThrownBy(() -> writer.addZeros(name, DType.U8, List.of()))
          .isInstanceOf(IllegalArgumentException.class);
    }
    assertThatThrownBy(() -> writer.addZeros("y", DType.U8, List.of(-1L)))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> writer.addZeros("y", DType.F4, List.of(3L)))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> writer.addZeros("y", DType.U8, List.of(1L << 62, 4L)))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> writer.metadata("k", "\udc00"))
        .isInstanceOf(IllegalArgumentException.class);
    Path path = folder.resolve("m.safetensors");
    writer.write(path);
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      assertThat(file.tensors()).containsOnlyKeys("x");
    }
  }

  @Test
  void aHeaderBeyondTheLimitIsRefused() {
    SafetensorsWriter writer =
        new SafetensorsWriter().metadata("k", "x".repeat((int) Header.MAX_LENGTH));
    assertThat(refusal(writer, folder.resolve("m"))).isEqualTo(Kind.UNWRITABLE_CONTENT);
    assertThat(names()).isEmpty();
  }

  @Test
  void aMissingFolderIsNamed() {
    Path target = folder.resolve("absent").resolve("m.safetensors");
    assertThat(refusal(new SafetensorsWriter(), target)).isEqualTo(Kind.FOLDER_NOT_WRITABLE);
    assertThatThrownBy(() -> new SafetensorsWriter().write(target)).hasMessageContaining("mkdir");
  }

  @Test
  void aFolderAsTargetIsRefused() {
    assertThat(refusal(new SafetensorsWriter(), folder)).isEqualTo(Kind.NOT_A_FILE);
  }

  @Test
  void moreThanTheDiskHoldsIsRefusedBeforehand() {
    SafetensorsWriter writer =
        new SafetensorsWriter()
            .add(
                "x",
                DType.U8,
                List.of(1L << 55),
                _ -> {
                  throw new AssertionError("must not start");
                });
    Path target = folder.resolve("m.safetensors");
    assertThat(refusal(writer, target)).isEqualTo(Kind.DISK_FULL);
    assertThatThrownBy(() -> writer.write(target))
        .hasMessageContaining("expected space for 36028797018964");
    assertThat(names()).isEmpty();
  }

  @Test
  void anInterruptIsNamed() {
    SafetensorsWriter writer = new SafetensorsWriter().addZeros("x", DType.U8, List.of(9L));
    Thread.currentThread().interrupt();
    try {
      SafetensorsException e =
          catchThrowableOfType(SafetensorsException.class, () -> writer.write(folder.resolve("m")));
      assertThat(e.kind()).isEqualTo(Kind.WRITE_FAILED);
      assertThat(e).hasMessageContaining("interrupted");
    } finally {
      assertThat(Thread.interrupted()).isTrue();
    }
    assertThat(names()).isEmpty();
  }
}
