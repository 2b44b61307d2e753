package org.rectiflow.benchmarks.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.rectiflow.benchmarks.kernels.QuickSuite;
import org.rectiflow.benchmarks.measure.Machine;
import org.rectiflow.benchmarks.model.ModelBench;
import org.rectiflow.benchmarks.model.ModelFile;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.BackendProvider;
import org.rectiflow.engine.Backends;
import org.rectiflow.engine.WeightSource;
import org.rectiflow.engine.cpu.kernels.Workers;
import org.rectiflow.mmdit.Mmdit;
import org.rectiflow.mmdit.MmditConfig;
import org.rectiflow.pipeline.checkpoint.Checkpoint;
import org.rectiflow.pipeline.checkpoint.Part;
import org.rectiflow.pipeline.cli.ConsoleProgress;
import org.rectiflow.pipeline.cli.Subcommand;
import org.rectiflow.pipeline.convert.Release;
import org.rectiflow.pipeline.io.AtomicFiles;
import org.rectiflow.pipeline.io.Json;
import org.rectiflow.pipeline.io.OutputPlace;
import org.rectiflow.pipeline.io.UsageException;
import org.rectiflow.pipeline.io.UserException;
import org.rectiflow.safetensors.DType;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Measures this machine, the kernels and whole steps. */
@Command(
    name = "bench",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Measures how fast this machine runs Stable Diffusion 3, and what limits it.",
      "",
      "Without --quick: steps of a transformer of SD3-medium's sizes (2.03 billion weights, random"
          + " ones; 4.2 GB are written once, into the user's cache), or with --model of another. For each picture size: seconds per step, memory, and"
          + " a table with each kind of kernel beside the roofline: what the machine could do at"
          + " most, given how much is computed with each byte. A step is one run of the"
          + " transformer; with classifier-free guidance (--guided) it is a batch of two.",
      "",
      "The machine's limits (multiply-adds and bytes a second) are measured between the steps, with"
          + " as many threads: machines are noisy, so compare fractions, not times of different"
          + " runs."
    },
    footer = {
      "",
      "Examples:",
      "  rectiflow bench --quick                   kernels as fractions of the peak",
      "  rectiflow bench --quick --json            the same as one JSON object",
      "  rectiflow bench                           SD3-medium at 512x512 and 1024x1024",
      "  rectiflow bench --growth --out growth     seconds per step at four sizes",
      "  rectiflow bench --model DIR --sizes 768   a model you have"
    })
public final class BenchCommand implements Subcommand {
  private static final List<Size> GROWTH_SIZES =
      List.of(new Size(256, 256), new Size(512, 512), new Size(768, 768), new Size(1024, 1024));

  private static final int STEPS = 3;
  private static final int TEXT_TOKENS = 333;

  @Spec private CommandSpec spec;

  @Option(names = "--quick", description = "Single kernels only, no model.")
  private boolean quick;

  @Option(
      names = "--sizes",
      split = ",",
      paramLabel = "WxH",
      converter = Size.Converter.class,
      description = "Pictures, in pixels; default: 512x512,1024x1024.")
  private List<Size> sizes;

  @Option(
      names = "--growth",
      description = "Sizes 256, 512, 768 and 1024, and a plot of time against operations.")
  private boolean growth;

  @Option(
      names = "--steps",
      paramLabel = "N",
      description = "Timed steps of each size, after one that is not; default: 3.")
  private Integer steps;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads that compute; default: all processors, with --quick 1.")
  private Integer threads;

  @Option(
      names = "--text-tokens",
      paramLabel = "N",
      description = "Tokens of the prompt: 333 with T5, 154 without; default: 333.")
  private Integer textTokens;

  @Option(names = "--guided", description = "Steps are batches of two, as with guidance.")
  private boolean guided;

  @Option(
      names = "--model",
      paramLabel = "PATH",
      description =
          "A model to measure, which must be there; `rectiflow make-random` writes some. Default: one of SD3-medium's sizes in the user's cache, written if it is not there yet.")
  private Path model;

  @Option(
      names = "--dtype",
      paramLabel = "TYPE",
      description = "Type of the model in the cache; default: F16.")
  private DType dtype;

  @Option(
      names = "--on-request",
      description =
          "Prints ready, then runs one step for each line of standard input and prints its seconds: for a program that lets rectiflow and another take turns, such as benchmarks/compare_pytorch.py.")
  private boolean onRequest;

  @Option(names = "--json", description = "Print one JSON object instead of tables.")
  private boolean json;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "Also write bench.json, and plots as PNG and SVG, into this folder.")
  private Path out;

  @Override
  public Integer call() throws IOException {
    UsageException.requireAtLeast("--steps", 1, steps);
    UsageException.requireAtLeast("--text-tokens", 1, textTokens);
    UsageException.requireAtLeast("--threads", 1, threads);
    if (onRequest
        && (quick
            || growth
            || json
            || steps != null
            || out != null
            || sizes == null
            || sizes.size() > 1)) {
      throw new UsageException(
          "--on-request needs --sizes with one size, and goes with --model, --threads, --text-tokens and --guided only");
    }
    boolean ofModels =
        sizes != null
            || growth
            || steps != null
            || textTokens != null
            || model != null
            || dtype != null
            || guided;
    if (quick && ofModels) {
      throw new UsageException(
          "--quick measures single kernels: it goes with --threads, --json and --out only. Leave it out to measure a model.");
    }
    if (growth && sizes != null) {
      throw new UsageException(
          "--growth chooses the sizes itself; leave out one of it and --sizes");
    }
    requireModel();
    OutputPlace.requireFolder("--out", out);
    PrintWriter printer = spec.commandLine().getOut();
    if (onRequest) {
      onRequest(printer);
      return 0;
    }
    Map<String, Object> report = quick ? quick(printer) : whole(printer);
    String text = Json.pretty(report);
    if (json) {
      printer.println(text);
    }
    if (out != null) {
      AtomicFiles.write(out.resolve("bench.json"), file -> Files.writeString(file, text + "\n"));
      printerOrErr(printer).println("wrote " + out);
    }
    printer.flush();
    return 0;
  }

  /** Where remarks go: with --json, standard output is for the object only. */
  private PrintWriter printerOrErr(PrintWriter printer) {
    return json ? spec.commandLine().getErr() : printer;
  }

  private void say(String text) {
    PrintWriter err = spec.commandLine().getErr();
    err.println(text);
    err.flush();
  }

  private Map<String, Object> quick(PrintWriter printer) {
    int count = threads == null ? 1 : threads;
    Machine machine = Machine.here();
    try (Backend backend = Backends.open("cpu", new BackendProvider.Options(count));
        Workers workers = new Workers(count)) {
      QuickSuite.Result result = QuickSuite.ofSd3().run(backend, workers, this::say);
      if (!json) {
        TextReport.quick(printer, machine, count, result);
      }
      return JsonReport.quick(machine, count, result);
    }
  }

  /** The path of the model; only the one in the cache is written if it is not there. */
  private Path ensureModel() throws IOException {
    if (model != null) {
      return model;
    }
    DType type = dtype == null ? DType.F16 : dtype;
    Path path = ModelFile.cached(Release.SD3_MEDIUM, type);
    try (ConsoleProgress progress = ConsoleProgress.onStandardError()) {
      ModelFile.ensure(path, Release.SD3_MEDIUM, type, this::say, progress);
    }
    return path;
  }

  private void requireModel() {
    if (model != null && dtype != null) {
      throw new UsageException(
          "--dtype is the type of the model in the cache; leave it out with --model, whose type is its own");
    }
    if (model != null && !Files.exists(model)) {
      throw new UserException(
          "%s: no such file or folder. --model takes a model you have; `rectiflow make-random sd3-medium %s --no-clip` writes one of random weights, and without --model one is kept in %s."
              .formatted(model, model, ModelFile.cacheFolder()));
    }
  }

  private int threads() {
    return threads == null ? Runtime.getRuntime().availableProcessors() : threads;
  }

  private ModelBench.Setting setting(Size size) {
    return new ModelBench.Setting(
        size.width(),
        size.height(),
        textTokens == null ? TEXT_TOKENS : textTokens,
        guided,
        timed());
  }

  private int timed() {
    return steps == null ? STEPS : steps;
  }

  private void onRequest(PrintWriter printer) throws IOException {
    int count = threads();
    var requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    try (Checkpoint checkpoint = Checkpoint.open(ensureModel());
        Backend backend = Backends.open("cpu", new BackendProvider.Options(count));
        Workers workers = new Workers(count)) {
      WeightSource weights = checkpoint.require(Part.TRANSFORMER);
      new ModelBench(new Mmdit(MmditConfig.of(weights), weights), backend, workers)
          .onRequest(
              setting(sizes.getFirst()),
              requests,
              text -> {
                printer.println(text);
                printer.flush();
              });
    }
  }

  private Map<String, Object> whole(PrintWriter printer) throws IOException {
    int count = threads();
    long begun = System.nanoTime();
    Path path = ensureModel();
    // Writing the model is no part of starting.
    double writing = (System.nanoTime() - begun) * 1e-9;
    List<Size> chosen = growth ? GROWTH_SIZES : sizes;
    if (chosen == null) {
      chosen = List.of(new Size(512, 512), new Size(1024, 1024));
    }
    Machine machine = Machine.here();
    List<ModelBench.Result> results = new ArrayList<>();
    double[] sinceStart = new double[1];
    try (Checkpoint checkpoint = Checkpoint.open(path);
        Backend backend = Backends.open("cpu", new BackendProvider.Options(count));
        Workers workers = new Workers(count)) {
      WeightSource weights = checkpoint.require(Part.TRANSFORMER);
      ModelBench bench =
          new ModelBench(new Mmdit(MmditConfig.of(weights), weights), backend, workers);
      for (Size size : chosen) {
        say("measuring " + timed() + " steps at " + size + " after a first");
        boolean first = results.isEmpty();
        results.add(
            bench.run(
                setting(size), () -> sinceStart[0] = first ? uptime() - writing : sinceStart[0]));
        if (!json) {
          TextReport.size(printer, results.getLast());
          printer.flush();
        }
      }
    }
    if (!json) {
      TextReport.summary(printer, machine, count, path, sinceStart[0], results);
    }
    if (out != null) {
      Plots.write(out, results);
    }
    return JsonReport.whole(machine, count, path, sinceStart[0], results);
  }

  /** Seconds since the JVM was started. */
  private static double uptime() {
    return (System.currentTimeMillis() - ManagementFactory.getRuntimeMXBean().getStartTime())
        * 1e-3;
  }
}
