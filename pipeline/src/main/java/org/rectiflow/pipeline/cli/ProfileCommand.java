package org.rectiflow.pipeline.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Profile.Entry;
import org.rectiflow.pipeline.checkpoint.Checkpoint;
import org.rectiflow.pipeline.io.AtomicFiles;
import org.rectiflow.pipeline.io.Json;
import org.rectiflow.pipeline.io.UserException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Measures kernels. */
@Command(
    name = "profile",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Runs a model's parts on one or more devices and says where the time goes.",
      "",
      "Each part runs once cold (compilation and copies of weights included), then warm. Times of",
      "kernels are the device's own where it measures them, for TornadoVM's devices; FLOPs and bytes",
      "are the least an op can be done with."
    },
    footer = {
      "",
      "Examples:",
      "  rectiflow profile --device cpu",
      "  rectiflow profile --device cpu,tornado --csv profile.csv --print-kernels kernels/"
    })
final class ProfileCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private ModelOptions model;

  @Option(
      names = "--size",
      paramLabel = "WxH",
      description = "Size in pixels; default: what the model was trained for.")
  private PictureSize size;

  @Option(
      names = "--runs",
      paramLabel = "N",
      defaultValue = "5",
      description = "Warm runs of encoders and transformer; default: ${DEFAULT-VALUE}.")
  private int runs;

  @Option(
      names = "--csv",
      paramLabel = "FILE",
      description = "Write one line for each device, kernel and layer.")
  private Path csv;

  @Option(names = "--json", paramLabel = "FILE", description = "Write everything as JSON.")
  private Path json;

  @Option(
      names = "--print-kernels",
      paramLabel = "DIR",
      description = "Write the OpenCL C or PTX that TornadoVM generates, a file for each kernel.")
  private Path kernels;

  @Override
  public Integer call() throws IOException {
    if (runs < 1) {
      throw new UserException("--runs must be at least 1, got " + runs);
    }
    List<DeviceRun> results = new ArrayList<>();
    PrintWriter out = spec.commandLine().getOut();
    Optional<Path> sources = Optional.ofNullable(kernels).map(Path::toAbsolutePath);
    for (String device : model.devices()) {
      try (Checkpoint checkpoint = model.open();
          Backend backend = model.backend(device, sources)) {
        int side = checkpoint.defaults().size();
        PictureSize pixels = size == null ? new PictureSize(side, side) : size;
        results.add(DeviceRun.of(checkpoint, backend, pixels, runs));
        print(out, results.getLast());
        ProfileTable.overheads(out, backend.profile());
      }
    }
    if (results.size() > 1) {
      sideBySide(out, results);
    }
    out.flush();
    if (csv != null) {
      write(csv, csv(results));
    }
    if (json != null) {
      write(json, Json.pretty(json(results)) + "\n");
    }
    return 0;
  }

  private static void print(PrintWriter out, DeviceRun run) {
    out.printf("%n%s: %s%n", run.device(), run.description());
    out.printf("  %-40s %10s %10s%n", "wall-clock seconds", "cold", "warm");
    run.parts()
        .forEach((part, s) -> out.printf("  %-40s %10.3f %10.4f%n", part, s.cold(), s.warm()));
    double total = run.entries().stream().mapToDouble(Entry::seconds).sum();
    out.printf(
        "%n  %-40s %7s %10s %7s %9s %8s %9s%n",
        "kernels, warm", "runs", "seconds", "share", "GFLOP/s", "GB/s", "FLOP/byte");
    run.byOp().values().stream()
        .sorted(Comparator.comparingLong(Entry::nanos).reversed())
        .forEach(e ->
            out.printf(
                "  %-40s %7d %10.4f %6.1f%% %9.2f %8.2f %9.1f%n",
                e.op(),
                e.runs(),
                e.seconds(),
                100 * e.seconds() / total,
                e.gflops(),
                e.gigabytesPerSecond(),
                intensity(e)));
  }

  private static double intensity(Entry e) {
    return e.cost().bytes() == 0 ? 0 : e.cost().flops() / e.cost().bytes();
  }

  private static void sideBySide(PrintWriter out, List<DeviceRun> runs) {
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

  private static String csv(List<DeviceRun> runs) {
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

  private static List<Map<String, Object>> json(List<DeviceRun> runs) {
    List<Map<String, Object>> devices = new ArrayList<>();
    for (DeviceRun run : runs) {
      Map<String, Object> device = new LinkedHashMap<>();
      device.put("device", run.device());
      device.put("description", run.description());
      device.put("parts", run.parts());
      device.put("kernels", run.entries().stream().map(ProfileCommand::json).toList());
      device.put("overheads", run.overheads().stream().map(ProfileCommand::json).toList());
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

  private static void write(Path file, String text) throws IOException {
    AtomicFiles.write(file, temporary -> Files.writeString(temporary, text));
  }
}
