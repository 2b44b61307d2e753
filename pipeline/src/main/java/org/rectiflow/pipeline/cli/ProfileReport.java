package org.rectiflow.pipeline.cli;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.rectiflow.engine.Profile.Entry;

/** What {@code profile} measured, as tables, CSV and JSON. */
final class ProfileReport {
  private ProfileReport() {}

  static void print(PrintWriter out, DeviceRun run) {
    out.printf("%n%s: %s%n", run.device(), run.description());
    run.roofs()
        .ifPresent(r ->
            out.printf(
                "  at most %.1f GFLOP/s and %.1f GB/s%n", r.gflops(), r.gigabytesPerSecond()));
    out.printf("  %-40s %10s %10s%n", "wall-clock seconds", "cold", "warm");
    run.parts()
        .forEach((part, s) -> out.printf("  %-40s %10.3f %10.4f%n", part, s.cold(), s.warm()));
    double total = run.entries().stream().mapToDouble(Entry::seconds).sum();
    out.printf(
        "%n  %-40s %7s %10s %7s %9s %8s %9s %7s%n",
        "kernels, warm", "runs", "seconds", "share", "GFLOP/s", "GB/s", "FLOP/byte", "of roof");
    run.byOp().values().stream()
        .sorted(Comparator.comparingLong(Entry::nanos).reversed())
        .forEach(e ->
            out.printf(
                "  %-40s %7d %10.4f %6.1f%% %9.2f %8.2f %9.1f %7s%n",
                e.op(),
                e.runs(),
                e.seconds(),
                100 * e.seconds() / total,
                e.gflops(),
                e.gigabytesPerSecond(),
                intensity(e),
                share(run, e)));
  }

  private static String share(DeviceRun run, Entry e) {
    return run.roofs()
        .map(roofs -> String.format(Locale.ROOT, "%.0f%%", 100 * roofs.share(e.cost(), e.nanos())))
        .orElse("");
  }

  /** FLOPs for each byte that must move. */
  static double intensity(Entry e) {
    return e.cost().bytes() == 0 ? 0 : e.cost().flops() / e.cost().bytes();
  }

  static void sideBySide(PrintWriter out, List<DeviceRun> runs) {
    Set<String> ops = new LinkedHashSet<>();
    runs.forEach(run -> ops.addAll(run.byOp().keySet()));
    out.printf("%nGFLOP/s side by side (GB/s where an op computes nothing)%n  %-40s", "");
    runs.forEach(run -> out.printf(" %14s", run.device()));
    out.println();
    for (String op : ops) {
      out.printf("  %-40s", op);
      for (DeviceRun run : runs) {
        Entry e = run.byOp().get(op);
        out.printf(
            " %14s",
            e == null
                ? "-"
                : String.format(
                    Locale.ROOT,
                    "%.2f",
                    e.cost().flops() > 0 ? e.gflops() : e.gigabytesPerSecond()));
      }
      out.println();
    }
  }

  static String csv(List<DeviceRun> runs) {
    StringBuilder text = new StringBuilder("device,layer,op,runs,seconds,flops,bytes\n");
    for (DeviceRun run : runs) {
      for (Entry e : run.entries()) {
        text.append(line(run.device(), e));
      }
      for (Entry e : run.overheads()) {
        text.append(line(run.device(), e));
      }
    }
    return text.toString();
  }

  private static String line(String device, Entry e) {
    return String.format(
        Locale.ROOT,
        "%s,%s,%s,%d,%.9f,%.0f,%.0f%n",
        device,
        e.layer(),
        e.op(),
        e.runs(),
        e.seconds(),
        e.cost().flops(),
        e.cost().bytes());
  }

  static List<Map<String, Object>> json(List<DeviceRun> runs) {
    List<Map<String, Object>> devices = new ArrayList<>();
    for (DeviceRun run : runs) {
      Map<String, Object> device = new LinkedHashMap<>();
      device.put("device", run.device());
      device.put("description", run.description());
      run.roofs()
          .ifPresent(roofs -> {
            device.put("roofGflops", roofs.gflops());
            device.put("roofGigabytesPerSecond", roofs.gigabytesPerSecond());
          });
      device.put("parts", run.parts());
      device.put("kernels", run.entries().stream().map(ProfileReport::json).toList());
      device.put("overheads", run.overheads().stream().map(ProfileReport::json).toList());
      devices.add(device);
    }
    return devices;
  }

  private static Map<String, Object> json(Entry e) {
    Map<String, Object> entry = new LinkedHashMap<>();
    entry.put("layer", e.layer());
    entry.put("op", e.op());
    entry.put("runs", e.runs());
    entry.put("seconds", e.seconds());
    entry.put("flops", e.cost().flops());
    entry.put("bytes", e.cost().bytes());
    return entry;
  }
}
