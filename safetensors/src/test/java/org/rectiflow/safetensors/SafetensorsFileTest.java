package org.rectiflow.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class SafetensorsFileTest {

  private static final Path GOLDEN = Path.of("../testdata/golden");
  private static final Path MODELS = Path.of("../testdata/models");

  @Test
  void everyModelAndGoldenFileOpens() throws IOException {
    try (Stream<Path> all =
        Stream.concat(
            Files.walk(MODELS),
            Stream.concat(Files.walk(GOLDEN), Files.walk(Path.of("../models"))))) {
      List<Path> files =
          all.filter(p ->
                  p.toString().endsWith(".safetensors") || p.toString().endsWith(".index.json"))
              .toList();
      assertThat(files).hasSizeGreaterThan(20);
      for (Path file : files) {
        try (TensorSource source = TensorSource.open(file)) {
          assertThat(source.tensors()).isNotEmpty();
          for (String name : source.tensors().keySet()) {
            assertThat(source.data(name).byteSize()).isEqualTo(source.info(name).byteSize());
          }
        }
      }
    }
  }

  @Test
  void usingItAfterCloseThrows() {
    SafetensorsFile file = SafetensorsFile.open(GOLDEN.resolve("tiny-sd3.safetensors"));
    String name = file.tensors().keySet().iterator().next();
    MemorySegment data = file.data(name);
    file.close();
    file.close();
    assertThatThrownBy(() -> data.get(Layouts.BYTE, 0)).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> file.data(name))
        .isInstanceOfSatisfying(
            SafetensorsException.class,
            e -> assertThat(e.kind()).isEqualTo(SafetensorsException.Kind.CLOSED));
  }
}
