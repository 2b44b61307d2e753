package org.rectiflow.benchmarks.model;

import java.util.List;
import org.rectiflow.engine.Profile;

/**
 * What the machine can do at most, as a function of how much is computed with each byte (Williams,
 * Waterman and Patterson, "Roofline", 2009).
 *
 * @param gflops 10^9 operations a second
 * @param gigabytes 10^9 bytes a second
 */
public record Roofline(double gflops, double gigabytes) {

  /**
   * One kind of kernel in a model.
   *
   * @param share of the time of all kernels
   * @param intensity operations for each byte; 0 for an op that only moves data
   * @param fraction the time the roofline needs at least, over the time it took. Above 1 where
   *     operands were still in a cache.
   */
  public record Row(
      String op,
      long runs,
      double seconds,
      double share,
      double gflops,
      double gigabytes,
      double intensity,
      double fraction) {}

  /** The least seconds for that much work. */
  public double leastSeconds(double flops, double bytes) {
    return Math.max(flops / (gflops * 1e9), bytes / (gigabytes * 1e9));
  }

  /** A row for each kind of kernel, the longest first. */
  public List<Row> rows(Profile profile) {
    double total = profile.seconds();
    return profile.byOp().stream().map(e -> row(e, total)).toList();
  }

  private Row row(Profile.Entry e, double total) {
    double flops = e.cost().flops();
    double bytes = e.cost().bytes();
    return new Row(
        e.op(),
        e.runs(),
        e.seconds(),
        e.seconds() / total,
        e.gflops(),
        e.gigabytesPerSecond(),
        bytes == 0 ? 0 : flops / bytes,
        leastSeconds(flops, bytes) / e.seconds());
  }
}
