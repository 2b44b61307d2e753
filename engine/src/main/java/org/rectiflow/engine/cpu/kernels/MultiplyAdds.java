package org.rectiflow.engine.cpu.kernels;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/** Multiply-adds that depend on registers only, as many at a time as hide their latency. */
public final class MultiplyAdds {
  /** More than two units with latencies of 4 or 5 can hold. */
  public static final int CHAINS = 12;

  /**
   * Read from an array: the compiler loads a constant again for every multiply-add, which halves
   * what is measured here.
   */
  private static final float[] FACTORS = factors();

  private MultiplyAdds() {}

  private static float[] factors() {
    float[] f = new float[2 * Simd.LANES];
    Arrays.fill(f, 0x1p-10f);
    return f;
  }

  /** Floating-point operations of a run, a multiply-add counted as two. */
  public static double flops(int iterations) {
    return 2.0 * CHAINS * Simd.LANES * iterations;
  }

  /**
   * {@value #CHAINS} chains c = a * b + c as in a product; what each lane adds up to is above 0.
   */
  public static float run(int iterations) {
    FloatVector a = FloatVector.fromArray(Simd.F, FACTORS, 0);
    FloatVector b = FloatVector.fromArray(Simd.F, FACTORS, Simd.LANES);
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
      c0 = a.fma(b, c0);
      c1 = a.fma(b, c1);
      c2 = a.fma(b, c2);
      c3 = a.fma(b, c3);
      c4 = a.fma(b, c4);
      c5 = a.fma(b, c5);
      c6 = a.fma(b, c6);
      c7 = a.fma(b, c7);
      c8 = a.fma(b, c8);
      c9 = a.fma(b, c9);
      c10 = a.fma(b, c10);
      c11 = a.fma(b, c11);
    }
    FloatVector sum = c0.add(c1).add(c2).add(c3).add(c4).add(c5);
    sum = sum.add(c6).add(c7).add(c8).add(c9).add(c10).add(c11);
    return sum.lane(0) + sum.lane(Simd.LANES - 1);
  }
}
