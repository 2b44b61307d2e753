package org.rectiflow.benchmarks.jmh;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.rectiflow.benchmarks.kernels.OpProblem;
import org.rectiflow.safetensors.DType;

/** Norms with what is fused into them. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class NormBenchmark {
  @Param({"1", "2"})
  private int threads;

  private MeasuredKernel kernel;

  /** What is normalised. */
  public enum Norm {
    LAYER_NORM_MODULATE_1024,
    LAYER_NORM_MODULATE_4096,
    RMS_NORM_1357,
    RMS_NORM_4429,
    GROUP_NORM_SILU_512_AT_64,
    GROUP_NORM_SILU_128_AT_512
  }

  @Param private Norm norm;

  /** Makes the operands. */
  @Setup
  public void prepare() {
    OpProblem problem =
        switch (norm) {
          case LAYER_NORM_MODULATE_1024 -> OpProblem.layerNormModulate(1024, 1536);
          case LAYER_NORM_MODULATE_4096 -> OpProblem.layerNormModulate(4096, 1536);
          case RMS_NORM_1357 -> OpProblem.rmsNorm(1357, 24, 64);
          case RMS_NORM_4429 -> OpProblem.rmsNorm(4429, 24, 64);
          case GROUP_NORM_SILU_512_AT_64 -> OpProblem.groupNormSilu(512, 64);
          case GROUP_NORM_SILU_128_AT_512 -> OpProblem.groupNormSilu(128, 512);
        };
    kernel = new MeasuredKernel(problem, DType.F32, threads);
  }

  /** A norm. */
  @Benchmark
  public float[] norm() {
    return kernel.run();
  }

  /** Prints what the kernel reached. */
  @TearDown
  public void close() {
    kernel.close();
  }
}
