package org.rectiflow.benchmarks.jmh;

import java.util.List;
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
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Op.Padding;
import org.rectiflow.safetensors.DType;

/** Derivatives of the main kernels, together with the forward pass they need. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class BackwardBenchmark {
  @Param({"1", "2"})
  private int threads;

  private MeasuredKernel kernel;

  /** What is derived. */
  public enum Kernel {
    LINEAR,
    ATTENTION,
    CONV,
    LAYER_NORM_MODULATE
  }

  @Param private Kernel of;

  /** Makes the operands. */
  @Setup
  public void prepare() {
    OpProblem forward =
        switch (of) {
          case LINEAR ->
              new OpProblem(
                  "Linear 1024 x 1536 -> 1536",
                  g ->
                      g.linear(
                          g.input("x", 1024, 1536), g.input("w", 1536, 1536), g.input("b", 1536)));
          case ATTENTION ->
              new OpProblem(
                  "Attention 24 x 64, 1357 tokens",
                  g ->
                      g.jointAttention(
                              24,
                              List.of(
                                  new Graph.Qkv(
                                      g.input("q", 1, 1357, 1536),
                                      g.input("k", 1, 1357, 1536),
                                      g.input("v", 1, 1357, 1536))))
                          .getFirst());
          case CONV ->
              new OpProblem(
                  "Conv 128 -> 128, 3x3 at 128x128",
                  g ->
                      g.conv2d(
                          g.input("x", 1, 128, 128, 128),
                          g.input("w", 128, 128, 3, 3),
                          g.input("b", 128),
                          1,
                          Padding.all(1)));
          case LAYER_NORM_MODULATE -> OpProblem.layerNormModulate(1024, 1536);
        };
    kernel =
        new MeasuredKernel(
            OpProblem.gradients(forward.name(), forward.record()), DType.F32, threads);
  }

  /** Forward and backward pass of one op. */
  @Benchmark
  public float[] backward() {
    return kernel.run();
  }

  /** Prints what the kernel reached. */
  @TearDown
  public void close() {
    kernel.close();
  }
}
