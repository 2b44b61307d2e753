package org.rectiflow.benchmarks.peers;

import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.rectiflow.benchmarks.kernels.AttentionProblem;
import org.rectiflow.benchmarks.kernels.ConvProblem;
import org.rectiflow.benchmarks.kernels.MatMulProblem;
import org.rectiflow.benchmarks.kernels.Problem;
import org.rectiflow.benchmarks.kernels.Sd3Sizes;
import org.rectiflow.benchmarks.measure.FmaPeak;
import org.rectiflow.benchmarks.measure.Machine;
import org.rectiflow.engine.cpu.CpuBackend;
import org.rectiflow.engine.cpu.kernels.Workers;
import org.rectiflow.safetensors.DType;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Measures the engine's kernels and those of other programs in turn. */
@Command(
    name = "peers.sh",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Measures rectiflow's kernels beside those of oneDNN and libtorch (PyTorch's library), in turn.",
      "",
      "Every ratio is the median, over the rounds, of two times measured one after the other; in",
      "brackets the quartiles. 1.0 is as fast as the peer, 2.0 twice as fast."
    },
    footer = {
      "",
      "Examples:",
      "  benchmarks/peers.sh --only conv --threads 2 --rounds 5",
      "  benchmarks/peers.sh --only matmul --filter '1178 x' --weights F32,BF16",
      "  benchmarks/peers.sh --threads 1,2 --bf16        everything, with peers in bfloat16 too"
    })
final class PeersMain implements Callable<Integer> {
  /** Kinds of problems. */
  enum Family {
    MATMUL,
    ATTENTION,
    CONV
  }

  /** Other programs. */
  enum Program {
    ONEDNN,
    LIBTORCH
  }

  /** Seconds for each contender: compiling one of our kernels may take nearly a second. */
  private static final double WARM_UP = 1;

  @Option(
      names = "--only",
      split = ",",
      paramLabel = "FAMILY",
      description = "matmul, attention, conv; default: all.")
  private List<Family> families = List.of(Family.values());

  @Option(
      names = "--filter",
      paramLabel = "REGEX",
      description = "Only sizes whose name contains a match, such as '128 -> 128'.")
  private Pattern filter = Pattern.compile("");

  @Option(
      names = "--peers",
      split = ",",
      paramLabel = "NAME",
      description = "onednn, libtorch; default: both.")
  private List<Program> programs = List.of(Program.values());

  @Option(
      names = "--weights",
      split = ",",
      paramLabel = "TYPE",
      description = "Types of rectiflow's weights; default: F32,F16,BF16 for matmul, else F32.")
  private List<DType> weights = List.of();

  @Option(names = "--bf16", description = "Also measure the peers in bfloat16.")
  private boolean bf16;

  @Option(
      names = "--threads",
      split = ",",
      paramLabel = "N",
      defaultValue = "2",
      description = "Numbers of threads, one after the other; default: ${DEFAULT-VALUE}.")
  private List<Integer> threads;

  @Option(
      names = "--rounds",
      paramLabel = "N",
      defaultValue = "5",
      description = "Default: ${DEFAULT-VALUE}.")
  private int rounds;

  @Option(
      names = "--turn",
      paramLabel = "SECONDS",
      defaultValue = "0.05",
      description = "Least time of one turn; default: ${DEFAULT-VALUE}.")
  private double turn;

  private final PrintWriter out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);

  @Override
  public Integer call() throws IOException, InterruptedException {
    for (int count : threads) {
      String wanted = Integer.toString(count);
      if (wanted.equals(System.getenv("OMP_NUM_THREADS"))) {
        measure(count);
      } else {
        int status = startAgain(wanted);
        if (status != 0) {
          return status;
        }
      }
    }
    return 0;
  }

  /** The peers take their number of threads from the environment when they are loaded. */
  private int startAgain(String count) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(System.getProperty("java.home") + File.separator + "bin" + File.separator + "java");
    command.addAll(java.lang.management.ManagementFactory.getRuntimeMXBean().getInputArguments());
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(PeersMain.class.getName());
    command.addAll(List.of("--threads", count, "--rounds", Integer.toString(rounds)));
    command.addAll(List.of("--turn", Double.toString(turn), "--filter", filter.pattern()));
    command.addAll(List.of("--only", joined(families), "--peers", joined(programs)));
    if (!weights.isEmpty()) {
      command.addAll(List.of("--weights", joined(weights)));
    }
    if (bf16) {
      command.add("--bf16");
    }
    ProcessBuilder builder = new ProcessBuilder(command).inheritIO();
    builder.environment().put("OMP_NUM_THREADS", count);
    return builder.start().waitFor();
  }

  private static String joined(List<?> values) {
    return String.join(",", values.stream().map(Object::toString).toList());
  }

  private void measure(int count) {
    out.printf("%s, %d threads%n", Machine.here(), count);
    if (programs.contains(Program.ONEDNN)) {
      out.println(OneDnn.describe());
    }
    if (programs.contains(Program.LIBTORCH)) {
      LibTorch.setThreads(count);
      out.println(LibTorch.describe());
    }
    try (CpuBackend backend = new CpuBackend(count);
        Workers workers = new Workers(count)) {
      FmaPeak peak = new FmaPeak(workers);
      Contest contest = new Contest(backend, peak, new Contest.Effort(rounds, turn, WARM_UP));
      for (Family family : families) {
        switch (family) {
          case MATMUL -> run(contest, family, count, Sd3Sizes.matMul());
          case ATTENTION -> run(contest, family, count, Sd3Sizes.attention());
          case CONV -> run(contest, family, count, Sd3Sizes.convolution());
        }
      }
    }
  }

  private void run(
      Contest contest,
      Family family,
      int count,
      List<? extends Supplier<? extends Problem>> sizes) {
    List<DType> types = List.of(DType.F32);
    if (!weights.isEmpty()) {
      types = weights;
    } else if (family == Family.MATMUL) {
      types = List.of(DType.F32, DType.F16, DType.BF16);
    }
    List<Contest.Outcome> outcomes = new ArrayList<>();
    for (Supplier<? extends Problem> size : sizes) {
      Problem problem = size.get();
      if (filter.matcher(problem.name()).find()) {
        Contest.Outcome outcome = contest.run(problem, types, peers(problem));
        Contest.print(out, outcome);
        outcomes.add(outcome);
      }
    }
    if (!outcomes.isEmpty()) {
      Contest.printSummary(out, family.name().toLowerCase(java.util.Locale.ROOT), count, outcomes);
    }
  }

  private List<Peer> peers(Problem problem) {
    List<Peer> peers = new ArrayList<>();
    for (boolean half : bf16 ? new boolean[] {false, true} : new boolean[] {false}) {
      for (Program program : programs) {
        switch (problem) {
          case MatMulProblem p ->
              peers.add(
                  program == Program.ONEDNN ? OneDnn.matMul(p, half) : LibTorch.matMul(p, half));
          case ConvProblem p ->
              peers.add(
                  program == Program.ONEDNN
                      ? OneDnn.convolution(p, half)
                      : LibTorch.convolution(p, half));
          case AttentionProblem p when program == Program.LIBTORCH ->
              peers.add(LibTorch.attention(p, half));
          default -> {
            // oneDNN's primitives have no attention.
          }
        }
      }
    }
    return peers;
  }

  /** Measures and exits: 0 success, 1 failure, 2 wrong usage. */
  public static void main(String[] args) {
    System.exit(
        new CommandLine(new PeersMain()).setCaseInsensitiveEnumValuesAllowed(true).execute(args));
  }
}
