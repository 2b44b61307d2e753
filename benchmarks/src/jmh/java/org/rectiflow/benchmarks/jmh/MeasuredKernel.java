package org.rectiflow.benchmarks.jmh;

import java.util.ArrayList;
import java.util.List;
import org.rectiflow.benchmarks.kernels.EngineKernel;
import org.rectiflow.benchmarks.kernels.Problem;
import org.rectiflow.benchmarks.measure.FmaPeak;
import org.rectiflow.benchmarks.measure.ReadBandwidth;
import org.rectiflow.benchmarks.measure.Spread;
import org.rectiflow.engine.cpu.CpuBackend;
import org.rectiflow.engine.cpu.kernels.Workers;
import org.rectiflow.safetensors.DType;

/**
 * A kernel and, beside JMH's time of a whole run, what it did: the rate at which it computed and
 * moved data while it ran, and both as fractions of the machine's limits measured between runs.
 */
final class MeasuredKernel implements AutoCloseable {
  private static final int RUNS_BETWEEN_PEAKS = 8;

  private final List<double[]> measured = new ArrayList<>();
  private final CpuBackend backend;
  private final Workers workers;
  private final ReadBandwidth read;
  private final FmaPeak peak;
  private final EngineKernel kernel;
  private int runs;
  private double peakRate;
  private double readRate;

  MeasuredKernel(Problem problem, DType weights, int threads) {
    backend = new CpuBackend(threads);
    workers = new Workers(threads);
    peak = new FmaPeak(workers);
    read = new ReadBandwidth(workers);
    kernel = new EngineKernel(backend, problem, weights);
    peak.seconds();
    read.seconds();
  }

  float[] run() {
    if (runs % RUNS_BETWEEN_PEAKS == 0) {
      peakRate = peak.flops() / peak.seconds();
      readRate = read.bytes() / read.seconds();
    }
    double seconds = kernel.seconds();
    runs++;
    double flops = kernel.flops() / seconds;
    measured.add(
        new double[] {flops * 1e-9, flops / peakRate, kernel.bytes() / seconds / readRate});
    return kernel.result().data();
  }

  private double median(int column) {
    return Spread.of(measured.stream().mapToDouble(m -> m[column]).toArray()).median();
  }

  /** Prints the medians and frees the memory. */
  @Override
  public void close() {
    System.out.printf(
        "%n# inside the kernel: %.1f GFLOP/s, %.3f of the FMA peak, %.3f of the read bandwidth%n",
        median(0), median(1), median(2));
    kernel.close();
    read.close();
    workers.close();
    backend.close();
  }
}
