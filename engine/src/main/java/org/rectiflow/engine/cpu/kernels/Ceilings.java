package org.rectiflow.engine.cpu.kernels;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import org.rectiflow.engine.Roofs;

/** Measures the most that all threads together compute and copy. */
public final class Ceilings {
  private static final int CHAINS = 12; // more than two units with latencies of 4 or 5 can hold
  private static final int ITERATIONS = 20_000;
  private static final int TASKS = 8; // pieces for each thread
  private static final long COPIED = 128 << 20;
  private static final long PIECE = 1 << 20;
  private static final long NANOS = 700_000_000;

  private Ceilings() {}

  /** Takes about one and a half seconds. */
  public static Roofs measure(Workers workers) {
    int tasks = TASKS * workers.threads();
    float[] results = new float[tasks];
    double flops = 2.0 * CHAINS * ITERATIONS * Simd.LANES * tasks;
    long computing =
        best(() -> workers.parallelFor(tasks, (i, _) -> results[i] = multiplyAdds(ITERATIONS, i)));
    for (float result : results) {
      if (!(Math.abs(result) < 1e6)) {
        throw new IllegalStateException("multiply-adds gave " + result);
      }
    }
    try (Arena arena = Arena.ofShared()) {
      MemorySegment from = arena.allocate(COPIED, 64);
      MemorySegment to = arena.allocate(COPIED, 64);
      long copying =
          best(() ->
              workers.parallelFor(
                  Math.toIntExact(COPIED / PIECE),
                  (i, _) -> MemorySegment.copy(from, i * PIECE, to, i * PIECE, PIECE)));
      return new Roofs(flops / computing, 2.0 * COPIED / copying);
    }
  }

  /** Nanoseconds of the fastest of many rounds; the first ones compile. */
  private static long best(Runnable round) {
    long begun = System.nanoTime();
    long best = Long.MAX_VALUE;
    long now = begun;
    while (now - begun < NANOS) {
      round.run();
      long end = System.nanoTime();
      best = Math.min(best, end - now);
      now = end;
    }
    return best;
  }

  private static float multiplyAdds(int n, int seed) {
    FloatVector m = FloatVector.broadcast(Simd.F, 0.999f);
    FloatVector c = FloatVector.broadcast(Simd.F, 0.001f * seed);
    FloatVector a0 = FloatVector.broadcast(Simd.F, 0f);
    FloatVector a1 = FloatVector.broadcast(Simd.F, 0.1f);
    FloatVector a2 = FloatVector.broadcast(Simd.F, 0.2f);
    FloatVector a3 = FloatVector.broadcast(Simd.F, 0.3f);
    FloatVector a4 = FloatVector.broadcast(Simd.F, 0.4f);
    FloatVector a5 = FloatVector.broadcast(Simd.F, 0.5f);
    FloatVector a6 = FloatVector.broadcast(Simd.F, 0.6f);
    FloatVector a7 = FloatVector.broadcast(Simd.F, 0.7f);
    FloatVector a8 = FloatVector.broadcast(Simd.F, 0.8f);
    FloatVector a9 = FloatVector.broadcast(Simd.F, 0.9f);
    FloatVector a10 = FloatVector.broadcast(Simd.F, 1.0f);
    FloatVector a11 = FloatVector.broadcast(Simd.F, 1.1f);
    for (int i = 0; i < n; i++) {
      a0 = a0.fma(m, c);
      a1 = a1.fma(m, c);
      a2 = a2.fma(m, c);
      a3 = a3.fma(m, c);
      a4 = a4.fma(m, c);
      a5 = a5.fma(m, c);
      a6 = a6.fma(m, c);
      a7 = a7.fma(m, c);
      a8 = a8.fma(m, c);
      a9 = a9.fma(m, c);
      a10 = a10.fma(m, c);
      a11 = a11.fma(m, c);
    }
    FloatVector sum = a0.add(a1).add(a2).add(a3).add(a4).add(a5);
    return sum.add(a6).add(a7).add(a8).add(a9).add(a10).add(a11).lane(0);
  }
}
