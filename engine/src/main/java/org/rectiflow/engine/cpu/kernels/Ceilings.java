package org.rectiflow.engine.cpu.kernels;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import org.rectiflow.engine.Roofs;

/** Measures the most that all threads together compute and copy. */
public final class Ceilings {
  private static final int ITERATIONS = 20_000;
  private static final int TASKS = 8; // pieces for each thread
  private static final long COPIED = 128 << 20;
  private static final long PIECE = 1 << 20;
  private static final long NANOS = 700_000_000;
  private static final long LEAST_WORK = NANOS / 2;

  private Ceilings() {}

  /** Takes about one and a half seconds. */
  public static Roofs measure(Workers workers) {
    int tasks = TASKS * workers.threads();
    float[] results = new float[tasks];
    double flops = MultiplyAdds.flops(ITERATIONS) * tasks;
    long computing =
        best(() -> workers.parallelFor(tasks, (i, _) -> results[i] = MultiplyAdds.run(ITERATIONS)));
    for (float result : results) {
      if (!(result > 0 && result < 1e6)) {
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

  /**
   * Nanoseconds of the fastest of many rounds; the first ones compile. Time in which the process
   * was stopped, or hardly got a processor, does not count.
   */
  static long best(Runnable round) {
    long begun = System.nanoTime();
    long worked = processorNanos();
    long best = Long.MAX_VALUE;
    long now = begun;
    while (now - begun < NANOS || processorNanos() - worked < LEAST_WORK) {
      round.run();
      long end = System.nanoTime();
      best = Math.min(best, end - now);
      now = end;
    }
    return best;
  }

  /** What this process has used by now; no bound where the system does not tell. */
  private static long processorNanos() {
    return ProcessHandle.current()
        .info()
        .totalCpuDuration()
        .map(Duration::toNanos)
        .orElseGet(System::nanoTime);
  }
}
