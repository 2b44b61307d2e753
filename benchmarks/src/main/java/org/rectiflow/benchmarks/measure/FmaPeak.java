package org.rectiflow.benchmarks.measure;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;
import org.rectiflow.engine.cpu.kernels.Simd;
import org.rectiflow.engine.cpu.kernels.Workers;

/**
 * The machine's limit for float32 arithmetic with the vectors that the kernels use: multiply-adds
 * that depend on registers only, as many at a time as hide their latency.
 */
public final class FmaPeak implements Contender {
  private static final VectorSpecies<Float> F =
      VectorSpecies.of(float.class, VectorShape.forBitSize(Simd.bits()));
  private static final int CHAINS = 12;
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
    return 2.0 * CHAINS * F.length() * ITERATIONS * tasks;
  }

  @Override
  public double seconds() {
    long start = System.nanoTime();
    workers.parallelFor(tasks, (index, _) -> results[index] = burn(ITERATIONS));
    double seconds = (System.nanoTime() - start) * 1e-9;
    for (float result : results) {
      if (!(result > 0)) {
        throw new IllegalStateException("the measured sums came out as " + result);
      }
    }
    return seconds;
  }

  /** Chains c = c * a + b that converge to 1. */
  private static float burn(int iterations) {
    FloatVector a = FloatVector.broadcast(F, 0.5f);
    FloatVector c0 = a;
    FloatVector c1 = a;
    FloatVector c2 = a;
    FloatVector c3 = a;
    FloatVector c4 = a;
    FloatVector c5 = a;
    FloatVector c6 = a;
    FloatVector c7 = a;
    FloatVector c8 = a;
    FloatVector c9 = a;
    FloatVector c10 = a;
    FloatVector c11 = a;
    for (int i = 0; i < iterations; i++) {
      c0 = c0.fma(a, a);
      c1 = c1.fma(a, a);
      c2 = c2.fma(a, a);
      c3 = c3.fma(a, a);
      c4 = c4.fma(a, a);
      c5 = c5.fma(a, a);
      c6 = c6.fma(a, a);
      c7 = c7.fma(a, a);
      c8 = c8.fma(a, a);
      c9 = c9.fma(a, a);
      c10 = c10.fma(a, a);
      c11 = c11.fma(a, a);
    }
    FloatVector sum = c0.add(c1).add(c2).add(c3).add(c4).add(c5);
    sum = sum.add(c6).add(c7).add(c8).add(c9).add(c10).add(c11);
    return sum.lane(0) + sum.lane(F.length() - 1);
  }
}
