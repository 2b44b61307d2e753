package org.rectiflow.pipeline.cli;

import java.io.PrintWriter;
import java.util.List;
import org.rectiflow.engine.Profile;
import org.rectiflow.engine.Profile.Entry;

/** Prints a profile for people. */
final class ProfileTable {
  private static final int MOST_LAYERS = 20;

  private ProfileTable() {}

  static void print(PrintWriter out, Profile profile) {
    out.printf("%ntime by op%n");
    rows(out, profile.byOp(), profile.seconds(), Integer.MAX_VALUE);
    out.printf("%ntime by layer%n");
    rows(out, profile.byLayer(2), profile.seconds(), MOST_LAYERS);
    overheads(out, profile);
    out.flush();
  }

  /** Time a device took besides computing: compilation, copies. */
  static void overheads(PrintWriter out, Profile profile) {
    if (profile.overheads().isEmpty()) {
      return;
    }
    out.printf("%nbesides%n  %-36s %8s %10s %10s%n", "", "times", "seconds", "MB");
    for (Entry e : profile.overheads()) {
      out.printf(
          "  %-36s %8d %10.4f %10.1f%n",
          e.layer() + " " + e.op(), e.runs(), e.seconds(), e.cost().bytes() * 1e-6);
    }
  }

  private static void rows(PrintWriter out, List<Entry> entries, double total, int most) {
    out.printf(
        "  %-36s %8s %10s %7s %10s %8s%n", "", "runs", "seconds", "share", "GFLOP/s", "GB/s");
    for (Entry e : entries.subList(0, Math.min(most, entries.size()))) {
      out.printf(
          "  %-36s %8d %10.4f %6.1f%% %10.1f %8.1f%n",
          e.op().isEmpty() ? e.layer() : e.op(),
          e.runs(),
          e.seconds(),
          100 * e.seconds() / total,
          e.gflops(),
          e.gigabytesPerSecond());
    }
    if (entries.size() > most) {
      double rest =
          entries.subList(most, entries.size()).stream().mapToDouble(Entry::seconds).sum();
      out.printf("  %-36s %8s %10.4f %6.1f%%%n", "others", "", rest, 100 * rest / total);
    }
  }
}
