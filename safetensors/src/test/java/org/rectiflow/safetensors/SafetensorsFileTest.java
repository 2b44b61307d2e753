package org.rectiflow.safetensors;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.rectiflow.safetensors.MalformedCase.header;
import static org.rectiflow.safetensors.TestFiles.entry;
import static org.rectiflow.safetensors.TestFiles.file;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rectiflow.safetensors.SafetensorsException.Kind;

class SafetensorsFileTest {

  private static final Path GOLDEN = Path.of("../testdata/golden/tiny-sd3.safetensors");

  @TempDir Path folder;

  private SafetensorsFile open(String header, byte[] data) {
    return SafetensorsFile.open(
        TestFiles.write(folder, "m.safetensors", TestFiles.file(header.getBytes(UTF_8), data)));
  }

  @Test
  void everyModelAndGoldenFileOpens() throws IOException {
    List<Path> files = new ArrayList<>();
    for (Path root : List.of(Path.of("../testdata"), Path.of("../models"))) {
      try (Stream<Path> all = Files.walk(root)) {
        all.filter(p -> p.toString().matches(".*\\.safetensors(\\.index\\.json)?"))
            .forEach(files::add);
      }
    }
    assertThat(files).hasSizeGreaterThan(20);
    for (Path file : files) {
      try (TensorSource source = TensorSource.open(file)) {
        assertThat(source.tensors()).isNotEmpty();
        long bytes = 0;
        for (TensorInfo info : source.tensors().values()) {
          assertThat(source.data(info.name()).byteSize()).isEqualTo(info.byteSize());
          bytes += info.byteSize();
        }
        assertThat(bytes).isPositive();
      }
    }
  }

  /** A number of tensors from diffusers' own files. */
  @Test
  void goldenValuesRead() {
    try (TensorSource golden = TensorSource.open(GOLDEN)) {
      assertThat(golden.metadata()).isNotEmpty();
      TensorInfo ids =
          golden.tensors().values().stream()
              .filter(t -> t.name().endsWith("prompt.ids.clip_l"))
              .findFirst()
              .orElseThrow();
      assertThat(ids.shape()).containsExactly(1L, 77L);
      long[] tokens = golden.integers(ids.name());
      assertThat(tokens).hasSize(77).startsWith(685).contains(686);
      assertThatThrownBy(() -> golden.floats(ids.name()))
          .isInstanceOf(SafetensorsException.class)
          .hasMessageContaining("expected floats, found I32 [1, 77]");
      TensorInfo floats =
          golden.tensors().values().stream()
              .filter(t -> t.dtype() == DType.F32)
              .findFirst()
              .orElseThrow();
      assertThat(golden.floats(floats.name())).hasSize((int) floats.elementCount());
      assertThatThrownBy(() -> golden.integers(floats.name()))
          .isInstanceOf(SafetensorsException.class)
          .hasMessageContaining("expected integers");
    }
  }

  @Test
  void whatTheFormatAllowsIsAccepted() {
    List<String> headers =
        List.of(
            "{}",
            "{}        ",
            "{} \r\n\t",
            " \n{}",
            "{\"__metadata__\":{}}",
            "{\"__metadata__\":{\"format\":\"pt\",\"\":\"\",\"\\u0000\":\"\\n\"}}",
            "{" + entry("empty", "F32", "[0,4]", "[0,0]") + "}",
            "{" + entry("huge but empty", "F32", "[0,1099511627776,1024]", "[0,0]") + "}",
            "{" + entry("\\ud83d\\ude00", "F32", "[0]", "[0,0]") + "}",
            "{" + entry("caf\u00e9 \u4e2d", "F32", "[0]", "[0,0]") + "}",
            "{ \"x\" : { \"data_offsets\" : [ 0 , 0 ] , \"shape\" : [ 0 ] , \"dtype\" : \"U\\u0038\" } }");
    for (String header : headers) {
      try (SafetensorsFile file = open(header, new byte[0])) {
        assertThat(file.tensors()).as(header).hasSizeLessThan(2);
      }
    }
  }

  @Test
  void manyEmptyTensorsAtOneOffset() {
    String empties =
        IntStream.range(0, 20_000)
            .mapToObj(i -> entry("e" + i, "F32", "[0]", "[4,4]"))
            .collect(Collectors.joining(","));
    String header =
        "{"
            + empties
            + ","
            + entry("b", "F32", "[]", "[4,8]")
            + ","
            + entry("a", "F32", "[]", "[0,4]")
            + "}";
    try (SafetensorsFile file = open(header, new byte[8])) {
      assertThat(file.tensors()).hasSize(20_002);
      assertThat(file.tensors().keySet()).startsWith("a", "e0").endsWith("e19999", "b");
      assertThat(file.data("e7").byteSize()).isZero();
      assertThat(file.info("a").rank()).isZero();
      assertThat(file.floats("a")).containsExactly(0f);
    }
  }

  @Test
  void everyDtypeIsSized() {
    for (DType dtype : DType.values()) {
      String header = "{" + entry("x", dtype.name(), "[2,4]", "[0," + dtype.bits() + "]") + "}";
      try (SafetensorsFile file = open(header, new byte[dtype.bits()])) {
        assertThat(file.info("x").dtype()).isEqualTo(dtype);
        assertThat(file.data("x").byteSize()).isEqualTo(dtype.bits()).isEqualTo(dtype.byteSize(8));
      }
    }
  }

  @Test
  void headerOfTheLargestLengthIsAccepted() {
    byte[] header = new byte[(int) Header.MAX_LENGTH];
    Arrays.fill(header, (byte) ' ');
    header[0] = '{';
    header[header.length - 1] = '}';
    Path path = TestFiles.write(folder, "m.safetensors", TestFiles.file(header, new byte[0]));
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      assertThat(file.tensors()).isEmpty();
      assertThat(file.dataStart()).isEqualTo(Header.MAX_LENGTH + 8);
    }
  }

  /** The format does not align data; here every F32 and F64 starts at an odd address. */
  @Test
  void unalignedDataReads() {
    byte[] data = new byte[1 + 8 + 8 + 2];
    MemorySegment bytes = MemorySegment.ofArray(data);
    bytes.set(Layouts.FLOAT, 1, 1.5f);
    bytes.set(Layouts.FLOAT, 5, -2.25f);
    bytes.set(Layouts.DOUBLE, 9, 0.125);
    bytes.set(Layouts.SHORT, 17, Float.floatToFloat16(7));
    String header =
        "{"
            + entry("pad", "U8", "[1]", "[0,1]")
            + ","
            + entry("f", "F32", "[2]", "[1,9]")
            + ","
            + entry("d", "F64", "[1]", "[9,17]")
            + ","
            + entry("h", "F16", "[1]", "[17,19]")
            + "}";
    header = header + " ".repeat(8 - header.length() % 8);
    try (SafetensorsFile file = open(header, data)) {
      assertThat(file.data("f").address() % 2).isEqualTo(1);
      assertThat(file.floats("f")).containsExactly(1.5f, -2.25f);
      assertThat(file.floats("d")).containsExactly(0.125f);
      assertThat(file.floats("h")).containsExactly(7f);
    }
  }

  /** A tensor of 6 GB, as a sparse file: offsets beyond 2^31 bytes and 2^30 elements. */
  @Test
  void tensorBeyondTwoGigabytesReads() throws IOException {
    long elements = 1_500_000_000L;
    String header = "{" + entry("x", "F32", "[1500,1000000]", "[0," + 4 * elements + "]") + "}";
    Path path = sparse(header, 4 * elements, 42.5f);
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      assertThat(file.info("x").elementCount()).isEqualTo(elements);
      MemorySegment data = file.data("x");
      assertThat(data.get(Layouts.FLOAT, 4 * (elements - 1))).isEqualTo(42.5f);
      float[] last = new float[2];
      Floats.read(data, DType.F32, elements - 2, last, 0, 2);
      assertThat(last).containsExactly(0f, 42.5f);
    }
  }

  /** Opening costs what the header costs, whatever the data. */
  @Test
  void sixteenGigabytesOpenAtOnce() throws IOException {
    long each = 1L << 24;
    String header =
        IntStream.range(0, 1000)
            .mapToObj(i ->
                entry(
                    "block." + i + ".weight",
                    "F16",
                    "[2048,4096]",
                    "[" + i * each + "," + (i + 1) * each + "]"))
            .collect(Collectors.joining(",", "{", "}"));
    Path path = sparse(header, 1000 * each, 1);
    long start = System.nanoTime();
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      double seconds = (System.nanoTime() - start) * 1e-9;
      System.out.printf("opened %.1f GB in %.3f s%n", file.length() * 1e-9, seconds);
      assertThat(file.tensors()).hasSize(1000);
      assertThat(seconds).isLessThan(1);
    }
  }

  /** A file of zeros up to its last float, which takes no space on the disk. */
  private Path sparse(String header, long dataBytes, float last) throws IOException {
    Path path = folder.resolve("sparse.safetensors");
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
      byte[] start = TestFiles.file(header, 0);
      file.write(start);
      file.setLength(start.length + dataBytes);
      file.seek(start.length + dataBytes - 4);
      file.writeInt(Integer.reverseBytes(Float.floatToRawIntBits(last)));
    }
    return path;
  }

  @Test
  void anUnknownNameIsRefused() {
    try (TensorSource file = TensorSource.open(GOLDEN)) {
      SafetensorsException e =
          catchThrowableOfType(SafetensorsException.class, () -> file.data("x_embedder"));
      assertThat(e.kind()).isEqualTo(Kind.NO_SUCH_TENSOR);
      assertThat(e.tensor()).contains("x_embedder");
      assertThat(e).hasMessageContaining(GOLDEN.toString());
    }
  }
}
