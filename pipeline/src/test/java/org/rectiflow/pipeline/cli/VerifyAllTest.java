package org.rectiflow.pipeline.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.cpu.CpuBackend;
import org.rectiflow.pipeline.verify.GoldenPair;

class VerifyAllTest {
  private static final Path TESTDATA = Path.of("../testdata");

  @Test
  void everythingTheRepositoryHoldsAgrees() throws Exception {
    StringWriter text = new StringWriter();
    try (Backend backend = new CpuBackend(2)) {
      assertThat(new VerifyAll(TESTDATA, backend, new PrintWriter(text)).run())
          .as(text.toString())
          .isTrue();
    }
    assertThat(text.toString())
        .contains("tiny-sd3-single.safetensors", "tiny-clip.safetensors", "torch_randn.json")
        .contains(" 0 beyond tolerance, 0 not compared")
        .doesNotContain("FAILED");
  }

  @Test
  void everyGoldenFileOfTensorsHasAModelOrIsOne() throws Exception {
    try (var files = java.nio.file.Files.list(TESTDATA.resolve("golden"))) {
      assertThat(files.filter(f -> f.toString().endsWith(".safetensors")))
          .allMatch(file ->
              file.endsWith("tiny-clip.safetensors")
                  || GoldenPair.ofTestdata(TESTDATA).stream()
                      .anyMatch(pair -> pair.golden().equals(file)));
    }
  }
}
