package org.rectiflow.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.rectiflow.safetensors.TestFiles.entry;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rectiflow.safetensors.SafetensorsException.Kind;

/** Another program cuts a mapped file short: an error must name the file, and the JVM must live. */
class TruncatedWhileMappedTest {

  private static final int ELEMENTS = 1 << 20;

  @TempDir Path folder;

  private SafetensorsFile open(DType dtype) {
    int bytes = ELEMENTS * dtype.byteSize();
    String header = "{" + entry("x", dtype.name(), "[" + ELEMENTS + "]", "[0," + bytes + "]") + "}";
    return SafetensorsFile.open(
        TestFiles.write(folder, "m.safetensors", TestFiles.file(header, bytes)));
  }

  private static void cut(SafetensorsFile file) {
    try (RandomAccessFile other = new RandomAccessFile(file.path().toFile(), "rw")) {
      other.setLength(4096);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static void isReported(SafetensorsFile file, Supplier<?> use) {
    SafetensorsException e = catchThrowableOfType(SafetensorsException.class, use::get);
    assertThat(e).isNotNull();
    assertThat(e.kind()).isEqualTo(Kind.FILE_CHANGED);
    assertThat(e)
        .hasMessageContaining(file.path().toString())
        .hasMessageContaining("had " + file.length() + " bytes")
        .hasMessageContaining("has 4096 now");
  }

  @Test
  void askingForDataReportsIt() {
    try (SafetensorsFile file = open(DType.F32)) {
      cut(file);
      isReported(file, () -> file.data("x"));
      isReported(file, () -> file.floats("x"));
    }
  }

  /** The cut comes after the data was handed out; each dtype has a loop of its own. */
  @Test
  void readingUnderGuardReportsIt() {
    for (DType dtype : DType.values()) {
      if (!dtype.isWidenable()) {
        continue;
      }
      try (SafetensorsFile file = open(dtype)) {
        MemorySegment data = file.data("x");
        float[] out = new float[ELEMENTS];
        // Often enough for the loop to be compiled.
        for (int i = 0; i < 20; i++) {
          Floats.read(data, dtype, 0, out, 0, ELEMENTS);
        }
        cut(file);
        isReported(file, () -> file.guarded(() -> Floats.read(data, dtype)));
      }
    }
  }

  @Test
  void aForeignInternalErrorPasses() {
    try (SafetensorsFile file = open(DType.U8)) {
      InternalError error =
          catchThrowableOfType(
              InternalError.class,
              () ->
                  file.guarded(() -> {
                    throw new InternalError("mine");
                  }));
      assertThat(error).hasMessage("mine");
    }
  }

  @Test
  void writingACopyReportsItAndLeavesNothing() {
    for (DType to : new DType[] {DType.F32, DType.F16}) {
      try (SafetensorsFile file = open(DType.F32)) {
        Path target = folder.resolve("copy.safetensors");
        // U64 comes first in canonical order: the cut happens before "x" is written.
        SafetensorsWriter cutting =
            new SafetensorsWriter()
                .add(
                    "first",
                    DType.U64,
                    List.of(1L),
                    sink -> {
                      cut(file);
                      sink.write(MemorySegment.ofArray(new byte[8]));
                    })
                .convert("x", file, "x", to);
        isReported(
            file,
            () -> {
              cutting.write(target);
              return null;
            });
        assertThat(folder.toFile().list()).containsExactly("m.safetensors");
      }
    }
  }
}
