package org.rectiflow.safetensors;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.rectiflow.safetensors.MalformedCase.header;
import static org.rectiflow.safetensors.TestFiles.entry;
import static org.rectiflow.safetensors.TestFiles.file;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsWriterTest {

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

  /** Header by hand; the reference writer makes the same. */
  @Test
  void bytesAreExact() throws IOException {
    Path target = folder.resolve("m.safetensors");
    new SafetensorsWriter()
        .add("attn0", DType.F32, List.of(1L, 2L, 3L), floats(0, 1, 2, 3, 4, 5))
        .write(target);
    String header = "{" + entry("attn0", "F32", "[1,2,3]", "[0,24]") + "}";
    assertThat(header).as("one byte short of eight").hasSize(63);
    byte[] data = floats(0, 1, 2, 3, 4, 5).toArray(Layouts.BYTE);
    assertThat(Files.readAllBytes(target)).isEqualTo(file((header + " ").getBytes(UTF_8), data));
    assertThat(names()).containsExactly("m.safetensors");
  }

  @Test
  void orderIsCanonicalWhateverWasAddedFirst() throws IOException {
    Path target = folder.resolve("m.safetensors");
    new SafetensorsWriter()
        .add("b", DType.U8, List.of(1L), bytes(1))
        .add("z", DType.F32, List.of(), floats(2))
        .metadata("z", "1")
        .add("a", DType.U8, List.of(1L), bytes(3))
        .add("\uff5e", DType.F16, List.of(1L), bytes(4, 5))
        .add("\ud83d\ude00", DType.F16, List.of(1L), bytes(6, 7))
        .metadata("a", "\"\n")
        .add("c", DType.I64, List.of(0L, 7L), bytes())
        .write(target);
    String header =
        "{\"__metadata__\":{\"a\":\"\\\"\\n\",\"z\":\"1\"},"
            + entry("c", "I64", "[0,7]", "[0,0]")
            + ","
            + entry("z", "F32", "[]", "[0,4]")
            + ","
            // UTF-8 puts U+FF5E before U+1F600, UTF-16 after.
            + entry("\uff5e", "F16", "[1]", "[4,6]")
            + ","
            + entry("\ud83d\ude00", "F16", "[1]", "[6,8]")
            + ","
            + entry("a", "U8", "[1]", "[8,9]")
            + ","
            + entry("b", "U8", "[1]", "[9,10]")
            + "}";
    int length = header.getBytes(UTF_8).length;
    byte[] padded = (header + " ".repeat((8 - length % 8) % 8)).getBytes(UTF_8);
    byte[] data = {0, 0, 0, 64, 4, 5, 6, 7, 3, 1};
    assertThat(Files.readAllBytes(target)).isEqualTo(file(padded, data));
  }

  /** The models and goldens were written by the reference implementation. */
  @Test
  void copiesOfReferenceFilesAreBitIdentical() throws IOException {
    int identical = 0;
    for (Path root : List.of(Path.of("../testdata"), Path.of("../models"))) {
      List<Path> files;
      try (Stream<Path> all = Files.walk(root)) {
        files = all.filter(p -> p.toString().endsWith(".safetensors")).toList();
      }
      for (Path original : files) {
        try (SafetensorsFile source = SafetensorsFile.open(original)) {
          SafetensorsWriter writer = new SafetensorsWriter().metadata(source.metadata());
          source.tensors().keySet().forEach(name -> writer.copy(name, source, name));
          Path copy = folder.resolve("copy.safetensors");
          writer.write(copy);
          // The reference writes the keys of metadata in random order.
          if (source.metadata().size() < 2) {
            assertThat(Files.mismatch(original, copy)).as(original.toString()).isEqualTo(-1);
            identical++;
          } else {
            assertThat(Files.size(copy)).isEqualTo(Files.size(original));
          }
        }
      }
    }
    System.out.println(identical + " copies of reference files are bit-identical");
    assertThat(identical).isGreaterThan(10);
  }

  @Test
  void whateverIsWrittenReadsBack() {
    SplittableRandom random = new SplittableRandom(4);
    List<DType> dtypes = List.of(DType.values());
    for (int round = 0; round < 200; round++) {
      SafetensorsWriter writer = new SafetensorsWriter().metadata("round", "" + round);
      List<byte[]> data = new ArrayList<>();
      int tensors = random.nextInt(6);
      for (int i = 0; i < tensors; i++) {
        DType dtype = dtypes.get(random.nextInt(dtypes.size()));
        List<Long> shape = new ArrayList<>();
        for (int rank = random.nextInt(4); rank > 0; rank--) {
          shape.add((long) random.nextInt(5));
        }
        shape.add(4L);
        byte[] bytes = new byte[(int) dtype.byteSize(TensorInfo.elementCount(shape))];
        random.nextBytes(bytes);
        data.add(bytes);
        writer.add("t" + i, dtype, shape, MemorySegment.ofArray(bytes));
      }
      Path target = folder.resolve("m.safetensors");
      writer.write(target);
      try (SafetensorsFile file = SafetensorsFile.open(target)) {
        assertThat(file.dataStart() % 8).isZero();
        assertThat(file.metadata()).isEqualTo(Map.of("round", "" + round));
        assertThat(file.tensors()).hasSize(tensors);
        for (int i = 0; i < tensors; i++) {
          assertThat(file.data("t" + i).toArray(Layouts.BYTE)).isEqualTo(data.get(i));
        }
      }
    }
  }

  @Test
  void anEmptyFileIsPossible() throws IOException {
    Path target = folder.resolve("m.safetensors");
    new SafetensorsWriter().write(target);
    assertThat(Files.readAllBytes(target)).isEqualTo(file("{}      ", 0));
  }

  /** Larger than one piece, from the heap, from native memory, and from a callback in steps. */
  @Test
  void largeTensorsStream() {
    int count = 20_000_003;
    byte[] heap = new byte[count];
    new SplittableRandom(1).nextBytes(heap);
    Path target = folder.resolve("m.safetensors");
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment off = arena.allocate(count).copyFrom(MemorySegment.ofArray(heap));
      new SafetensorsWriter()
          .add("heap", DType.U8, List.of((long) count), MemorySegment.ofArray(heap))
          .add("native", DType.U8, List.of((long) count), off)
          .add(
              "steps",
              DType.U8,
              List.of((long) count),
              sink -> {
                for (int at = 0; at < count; at += 7_000_000) {
                  sink.write(off.asSlice(at, Math.min(7_000_000, count - at)));
                }
              })
          .write(target);
    }
    try (SafetensorsFile file = SafetensorsFile.open(target)) {
      for (String name : file.tensors().keySet()) {
        assertThat(file.data(name).mismatch(MemorySegment.ofArray(heap))).isEqualTo(-1);
      }
    }
  }

  @Test
  void zerosTakeNoSpace() throws IOException {
    Path target = folder.resolve("m.safetensors");
    long elements = 3L << 30;
    new SafetensorsWriter()
        .addZeros("big", DType.F32, List.of(elements))
        .add("after", DType.U8, List.of(1L), bytes(9))
        .addZeros("last", DType.BOOL, List.of(3L))
        .write(target);
    try (SafetensorsFile file = SafetensorsFile.open(target)) {
      assertThat(file.length()).isGreaterThan(12L << 30);
      assertThat(file.data("big").get(Layouts.FLOAT, 4 * (elements - 1))).isZero();
      assertThat(file.integers("after")).containsExactly(9);
      assertThat(file.integers("last")).containsExactly(0, 0, 0);
    }
  }

  /** Saving to the same path under an active map: the map keeps the old file. */
  @Test
  void replacingAMappedFileLeavesTheMappingAlone() {
    Path path = folder.resolve("m.safetensors");
    new SafetensorsWriter().add("x", DType.U8, List.of(4L), bytes(1, 2, 3, 4)).write(path);
    try (SafetensorsFile old = SafetensorsFile.open(path)) {
      new SafetensorsWriter().add("x", DType.U8, List.of(1L), bytes(9)).write(path);
      assertThat(old.integers("x")).containsExactly(1, 2, 3, 4);
      try (SafetensorsFile now = SafetensorsFile.open(path)) {
        assertThat(now.integers("x")).containsExactly(9);
      }
    }
  }
}
