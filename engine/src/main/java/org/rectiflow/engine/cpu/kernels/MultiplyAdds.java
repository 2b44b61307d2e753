package org.rectiflow.engine.cpu.kernels;

import jdk.incubator.vector.FloatVector;

/** Multiply-adds that depend on registers only, as many at a time as hide their latency. */
public final class MultiplyAdds {
  /** More than two units with latencies of 4 or 5 can hold. */
  public static final int CHAINS = 12;

  private MultiplyAdds() {}

  /** Floating-point operations of a run, a multiply-add counted as two. */
  public static double flops(int iterations) {
    return 2.0 * CHAINS * Simd.LANES * iterations;
  }

  /**
   * {@value #CHAINS} chains c = c * a + a that converge to 1; what each lane adds up to is above 0.
   */
  public static float run(int iterations) {
    FloatVector a = FloatVector.broadcast(Simd.F, 0.5f);
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
    return sum.lane(0) + sum.lane(Simd.LANES - 1);
  }
}
