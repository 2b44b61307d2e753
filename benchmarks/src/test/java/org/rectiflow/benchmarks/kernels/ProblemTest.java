package org.rectiflow.benchmarks.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.cpu.CpuBackend;
import org.rectiflow.engine.reference.ReferenceBackend;
import org.rectiflow.safetensors.DType;

/** What is timed is what it is called: the reference backend computes the same. */
class ProblemTest {
  static Stream<Problem> problems() {
    return Stream.of(
        MatMulProblem.of(7, 40, 33),
        AttentionProblem.joint(2, 16, 9, 5),
        AttentionProblem.biased(2, 16, 9),
        ConvProblem.same(5, 6, 7, 9, 3),
        ConvProblem.same(5, 6, 7, 9, 1),
        ConvProblem.upsampled(4, 5, 6),
        ConvProblem.halving(4, 8, 6));
  }

  @ParameterizedTest
  @MethodSource("problems")
  void theEngineComputesWhatTheReferenceDoes(Problem problem) {
    try (CpuBackend cpu = new CpuBackend(2);
        ReferenceBackend reference = new ReferenceBackend();
        EngineKernel kernel = new EngineKernel(cpu, problem, DType.F32);
        var exact = reference.compile("reference", problem.graph(DType.F32))) {
      double seconds = kernel.seconds();
      Map<String, Tensor> expected = exact.run(problem.feeds());
      float[] a = kernel.result().data();
      float[] b = expected.get("y").data();
      double largest = 0;
      for (int i = 0; i < a.length; i++) {
        largest = Math.max(largest, Math.abs(a[i] - b[i]));
      }
      System.out.printf("%s: largest difference %.1e%n", problem.name(), largest);
      assertThat(largest).isLessThan(1e-4);
      assertThat(seconds).isPositive();
      assertThat(kernel.flops()).isPositive();
      assertThat(kernel.bytes()).isPositive();
    }
  }

  @Test
  void countsTheWorkOfALayer() {
    try (CpuBackend cpu = new CpuBackend(1);
        EngineKernel kernel = new EngineKernel(cpu, MatMulProblem.of(7, 40, 33), DType.BF16)) {
      kernel.seconds();
      assertThat(kernel.flops()).isCloseTo(2.0 * 7 * 40 * 33, within(1e-9));
      assertThat(kernel.bytes())
          .isCloseTo(4 * (7 * 40 + 7 * 33) + 2 * (40 * 33 + 33), within(1e-9));
    }
  }

  @Test
  void theSameSeedGivesTheSameOperands() {
    assertThat(List.of(MatMulProblem.of(2, 3, 4).x()))
        .usingRecursiveComparison()
        .isEqualTo(List.of(MatMulProblem.of(2, 3, 4).x()));
  }
}
