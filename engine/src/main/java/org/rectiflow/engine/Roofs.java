package org.rectiflow.engine;

/**
 * The most a device does, measured by loops that do nothing else: the two lines of a roofline
 * (Williams, Waterman and Patterson, "Roofline: an insightful visual performance model", 2009).
 *
 * @param gflops 10^9 multiplications and additions a second, on values in registers
 * @param gigabytesPerSecond 10^9 bytes a second, read and written by a copy larger than any cache
 */
public record Roofs(double gflops, double gigabytesPerSecond) {

  /**
   * What an op could reach at most: 10^9 operations a second, or 10^9 bytes a second for an op that
   * computes nothing.
   */
  public double attainable(Cost cost) {
    return cost.flops() == 0
        ? gigabytesPerSecond
        : Math.min(gflops, gigabytesPerSecond * cost.flops() / cost.bytes());
  }

  /** The share of {@link #attainable} that was reached in {@code nanos}. */
  public double share(Cost cost, long nanos) {
    double work = cost.flops() == 0 ? cost.bytes() : cost.flops();
    return nanos == 0 || work == 0 ? 0 : work / nanos / attainable(cost);
  }
}
