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
import org.rectiflow.benchmarks.kernels.MatMulProblem;
import org.rectiflow.safetensors.DType;

/** Linear layers at the sizes of SD3, with weights in every stored type. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class MatMulBenchmark {
  @Param({"1", "2"})
  private int threads;

  private MeasuredKernel kernel;

  @Param({"1", "154", "333", "1024", "1178", "4096", "4250"})
  private int rows;

  /** Inputs and outputs: of SD3-medium, SD3.5-large and T5. */
  @Param({
    "1536x1536",
    "1536x6144",
    "6144x1536",
    "1536x9216",
    "2432x9728",
    "9728x2432",
    "4096x10240"
  })
  private String layer;

  @Param({"F32", "F16", "BF16", "F8_E4M3", "F8_E5M2"})
  private DType weights;

  /** Makes the operands. */
  @Setup
  public void prepare() {
    String[] sizes = layer.split("x", 2);
    int inputs = Integer.parseInt(sizes[0]);
    int outputs = Integer.parseInt(sizes[1]);
    kernel = new MeasuredKernel(MatMulProblem.of(rows, inputs, outputs), weights, threads);
  }

  /** {@code y = x W^T + b}. */
  @Benchmark
  public float[] linear() {
    return kernel.run();
  }

  /** Prints what the kernel reached. */
  @TearDown
  public void close() {
    kernel.close();
  }
}
