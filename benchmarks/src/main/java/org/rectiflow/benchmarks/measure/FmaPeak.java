package org.rectiflow.benchmarks.measure;

import org.rectiflow.engine.cpu.kernels.MultiplyAdds;
import org.rectiflow.engine.cpu.kernels.Workers;

/**
 * The machine's limit for float32 arithmetic with the vectors that the kernels use: multiply-adds
 * that depend on registers only, as many at a time as hide their latency.
 */
public final class FmaPeak implements Contender {
  private static final int ITERATIONS = 40_000;
  // Many: a thread that another program interrupts holds up the others at the end of a run only.
  private static final int TASKS_PER_THREAD = 256;

  private final Workers workers;
  private final int tasks;
  private final float[] results;

  /** Measures all threads of {@code workers} at once. */
  public FmaPeak(Workers workers) {
    this.workers = workers;
    this.tasks = TASKS_PER_THREAD * workers.threads();
    this.results = new float[tasks];
  }

  @Override
  public String name() {
    return "FMA peak";
  }

  /** Floating-point operations of one run, a multiply-add counted as two. */
  public double flops() {
    return MultiplyAdds.flops(ITERATIONS) * tasks;
  }

  @Override
  public double seconds() {
    long start = System.nanoTime();
    workers.parallelFor(tasks, (index, _) -> results[index] = MultiplyAdds.run(ITERATIONS));
    double seconds = (System.nanoTime() - start) * 1e-9;
    for (float result : results) {
      if (!(result > 0)) {
        throw new IllegalStateException("the measured sums came out as " + result);
      }
    }
    return seconds;
  }
}
