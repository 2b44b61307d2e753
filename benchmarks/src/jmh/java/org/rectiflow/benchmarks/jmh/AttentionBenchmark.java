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
import org.rectiflow.benchmarks.kernels.AttentionProblem;
import org.rectiflow.safetensors.DType;

/** Attention of 24 heads of 64 at the lengths of 512x512 and 1024x1024. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class AttentionBenchmark {
  @Param({"1", "2"})
  private int threads;

  private MeasuredKernel kernel;

  @Param({"1357", "4429"})
  private int tokens;

  /** With a bias all tokens are one stream; without, 333 of them are the text's. */
  @Param({"false", "true"})
  private boolean bias;

  /** Makes the operands. */
  @Setup
  public void prepare() {
    AttentionProblem problem =
        bias
            ? AttentionProblem.biased(24, 64, tokens)
            : AttentionProblem.joint(24, 64, tokens - 333, 333);
    kernel = new MeasuredKernel(problem, DType.F32, threads);
  }

  /** Softmax attention. */
  @Benchmark
  public float[] attention() {
    return kernel.run();
  }

  /** Prints what the kernel reached. */
  @TearDown
  public void close() {
    kernel.close();
  }
}
