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
import org.rectiflow.benchmarks.kernels.ConvProblem;
import org.rectiflow.benchmarks.kernels.Sd3Sizes;
import org.rectiflow.safetensors.DType;

/** Convolutions of the autoencoder; the sizes are those of Sd3Sizes, by their place there. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class ConvBenchmark {
  @Param({"1", "2"})
  private int threads;

  private MeasuredKernel kernel;

  @Param({"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13"})
  private int size;

  /** Makes the operands. */
  @Setup
  public void prepare() {
    ConvProblem problem = Sd3Sizes.convolution().get(size).get();
    System.out.println("# size " + size + ": " + problem.name());
    kernel = new MeasuredKernel(problem, DType.F32, threads);
  }

  /** A convolution with bias. */
  @Benchmark
  public float[] convolution() {
    return kernel.run();
  }

  /** Prints what the kernel reached. */
  @TearDown
  public void close() {
    kernel.close();
  }
}
