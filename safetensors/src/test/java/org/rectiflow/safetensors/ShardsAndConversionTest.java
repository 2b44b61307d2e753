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

/** Writing several files, and writing in another dtype. */
class ShardsAndConversionTest {

  @TempDir Path folder;

  private static MemorySegment bytes(int... values) {
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) values[i];
    }
    return MemorySegment.ofArray(bytes);
  }

  private static MemorySegment floats(float... values) {
    MemorySegment bytes = MemorySegment.ofArray(new byte[4 * values.length]);
    Floats.write(values, 0, values.length, bytes, DType.F32, 0);
    return bytes;
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
  void convertingNarrowsAndWidens() {
    Path first = folder.resolve("a.safetensors");
    float[] values = {0, 1, -2.5f, 448, 1000, Float.NaN, 0.1f};
    new SafetensorsWriter().add("x", DType.F32, List.of(7L), floats(values)).write(first);
    try (SafetensorsFile source = SafetensorsFile.open(first)) {
      Path second = folder.resolve("b.safetensors");
      new SafetensorsWriter()
          .convert("f8", source, "x", DType.F8_E4M3)
          .convert("f16", source, "x", DType.F16)
          .convert("f32", source, "x", DType.F32)
          .convert("f64", source, "x", DType.F64)
          .write(second);
      try (SafetensorsFile file = SafetensorsFile.open(second)) {
        assertThat(file.floats("f8"))
            .containsExactly(0, 1, -2.5f, 448, Float.NaN, Float.NaN, 0.1015625f);
        assertThat(file.floats("f16"))
            .containsExactly(0, 1, -2.5f, 448, 1000, Float.NaN, 0.099975586f);
        assertThat(file.floats("f32")).containsExactly(values);
        assertThat(file.floats("f64")).containsExactly(values);
      }
      assertThatThrownBy(() -> new SafetensorsWriter().convert("x", source, "x", DType.I8))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("I8");
      assertThatThrownBy(() -> new SafetensorsWriter().convert("x", source, "y", DType.F16))
          .isInstanceOf(SafetensorsException.class);
    }
  }

  @Test
  void convertingIntegersIsRefused() {
    Path first = folder.resolve("a.safetensors");
    new SafetensorsWriter()
        .add("ids", DType.I64, List.of(1L), bytes(1, 0, 0, 0, 0, 0, 0, 0))
        .write(first);
    try (SafetensorsFile source = SafetensorsFile.open(first)) {
      SafetensorsException e =
          catchThrowableOfType(
              SafetensorsException.class,
              () -> new SafetensorsWriter().convert("ids", source, "ids", DType.F16));
      assertThat(e.kind()).isEqualTo(Kind.UNSUPPORTED_DTYPE);
      assertThat(e).hasMessageContaining("I64 [1]").hasMessageContaining("a.safetensors");
    }
  }

  @Test
  void shardsReadBackAsOne() throws IOException {
    SafetensorsWriter writer = new SafetensorsWriter().metadata("format", "pt");
    for (int i = 0; i < 10; i++) {
      writer.add("t" + i, DType.F32, List.of(2L), floats(i, -i));
    }
    Path index = writer.writeShards(folder, "model", 24);
    assertThat(index).hasFileName("model.safetensors.index.json");
    assertThat(names())
        .containsExactly(
            "model-00001-of-00004.safetensors",
            "model-00002-of-00004.safetensors",
            "model-00003-of-00004.safetensors",
            "model-00004-of-00004.safetensors",
            "model.safetensors.index.json");
    assertThat(Files.readString(index))
        .startsWith(
            "{\n  \"metadata\" : {\n    \"total_size\" : 80\n  },\n  \"weight_map\" : {\n    \"t0\"");
    try (TensorSource source = TensorSource.open(index)) {
      assertThat(source.tensors()).hasSize(10);
      assertThat(source.metadata()).containsEntry("format", "pt");
      for (int i = 0; i < 10; i++) {
        assertThat(source.floats("t" + i)).containsExactly(i, -i);
      }
      Path one = folder.resolve("one.safetensors");
      SafetensorsWriter join = new SafetensorsWriter().metadata(source.metadata());
      source.tensors().keySet().forEach(name -> join.copy(name, source, name));
      assertThat(refusal(join, index)).isEqualTo(Kind.TARGET_IN_USE);
      assertThat(refusal(join, source.files().getLast())).isEqualTo(Kind.TARGET_IN_USE);
      join.write(one);
      Path direct = folder.resolve("direct.safetensors");
      writer.write(direct);
      assertThat(Files.mismatch(one, direct)).isEqualTo(-1);
    }
  }

  @Test
  void oneShardNeedsNoIndex() {
    SafetensorsWriter writer = new SafetensorsWriter().addZeros("x", DType.F32, List.of(8L));
    assertThat(writer.writeShards(folder, "model", 4)).hasFileName("model.safetensors");
    assertThat(names()).containsExactly("model.safetensors");
  }

  @Test
  void shardsThatFailLeaveNothing() {
    SafetensorsWriter writer =
        new SafetensorsWriter()
            .addZeros("a", DType.F32, List.of(8L))
            .add(
                "b",
                DType.U8,
                List.of(1L),
                _ -> {
                  throw new IOException("No space left on device");
                });
    SafetensorsException e =
        catchThrowableOfType(
            SafetensorsException.class, () -> writer.writeShards(folder, "model", 1));
    assertThat(e.kind()).isEqualTo(Kind.DISK_FULL);
    assertThat(e).hasMessageContaining("model-00002-of-00002.safetensors");
    assertThat(names()).isEmpty();
  }
}
