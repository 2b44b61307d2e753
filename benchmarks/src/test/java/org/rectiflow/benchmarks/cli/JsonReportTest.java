package org.rectiflow.benchmarks.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.rectiflow.benchmarks.kernels.AttentionProblem;
import org.rectiflow.benchmarks.kernels.ConvProblem;
import org.rectiflow.benchmarks.kernels.MatMulProblem;
import org.rectiflow.benchmarks.kernels.QuickSuite;
import org.rectiflow.benchmarks.measure.Machine;
import org.rectiflow.engine.cpu.CpuBackend;
import org.rectiflow.engine.cpu.kernels.Workers;
import org.rectiflow.pipeline.io.Json;
import org.rectiflow.safetensors.DType;

/** The quick suite at tiny sizes: the fields scripts rely on. */
class JsonReportTest {
  private static QuickSuite.Result tiny(List<String> said) {
    QuickSuite suite =
        new QuickSuite(
            List.of(() -> MatMulProblem.of(8, 32, 48), () -> MatMulProblem.of(4, 64, 32)),
            List.of(() -> AttentionProblem.joint(2, 16, 24, 8)),
            List.of(() -> ConvProblem.same(4, 8, 8, 8, 3)),
            List.of(DType.F32, DType.BF16),
            2,
            0.1);
    try (CpuBackend backend = new CpuBackend(1);
        Workers workers = new Workers(1)) {
      return suite.run(backend, workers, said::add);
    }
  }

  @Test
  void quickHasItsFields() throws IOException {
    List<String> said = new ArrayList<>();
    QuickSuite.Result result = tiny(said);
    assertThat(said).contains("matmul 8 x 32 -> 48", "conv 4 -> 8, 3x3 at 8x8");
    JsonNode json = Json.parse(Json.pretty(JsonReport.quick(Machine.here(), 1, result)));
    for (String family : List.of("matmul", "attention", "conv")) {
      assertThat(json.at("/" + family + "/fraction_of_peak").asDouble()).isPositive();
      assertThat(json.at("/" + family + "/threads").asInt()).isEqualTo(1);
      assertThat(json.at("/" + family + "/sizes/0/size").asText()).isNotEmpty();
    }
    assertThat(json.at("/matmul/sizes")).hasSize(4);
    assertThat(json.at("/matmul/sizes/1/weights").asText()).isEqualTo("BF16");
    assertThat(json.at("/matmul/sizes/1/rounds").asInt()).isEqualTo(2);
    assertThat(json.at("/mode").asText()).isEqualTo("quick");
    assertThat(json.at("/threads").asInt()).isEqualTo(1);
    assertThat(json.at("/machine/processor").asText()).isNotEmpty();
    assertThat(json.at("/machine/vector_bits").asInt()).isIn(128, 256, 512);
    assertThat(json.at("/peak/fma_gflops/median").asDouble()).isPositive();
    assertThat(json.at("/peak/read_gb_per_second/median").asDouble()).isPositive();
  }

  @Test
  void quickForPeopleNamesEverySize() {
    StringWriter text = new StringWriter();
    TextReport.quick(new PrintWriter(text, true), Machine.here(), 1, tiny(new ArrayList<>()));
    assertThat(text.toString())
        .contains("8 x 32 -> 48", "2 x 16, 32 tokens", "4 -> 8, 3x3 at 8x8", "FMA peak");
  }
}
