package org.rectiflow.benchmarks.kernels;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.rectiflow.benchmarks.measure.Contender;
import org.rectiflow.benchmarks.measure.FmaPeak;
import org.rectiflow.benchmarks.measure.ReadBandwidth;
import org.rectiflow.benchmarks.measure.Rounds;
import org.rectiflow.benchmarks.measure.Spread;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.cpu.kernels.Workers;
import org.rectiflow.safetensors.DType;

/**
 * The main kernels at a few sizes of SD3 as fractions of what the machine can do, in a minute or
 * two.
 *
 * @param matMul linear layers, each with weights of the types given
 * @param attention joint attentions
 * @param convolution convolutions
 * @param rounds at most; fewer where time runs out, but at least two
 * @param secondsPerSize after which no further round begins
 */
public record QuickSuite(
    List<Supplier<MatMulProblem>> matMul,
    List<Supplier<AttentionProblem>> attention,
    List<Supplier<ConvProblem>> convolution,
    List<DType> weights,
    int rounds,
    double secondsPerSize) {

  /**
   * One kernel.
   *
   * @param fraction of the peak measured in the same rounds
   */
  public record Line(
      String family, String size, DType weights, double gflops, Spread fraction, int rounds) {}

  /**
   * What came out.
   *
   * @param peakGflops the FMA peak over all rounds, 10^9 operations a second
   * @param readGigabytes bandwidth, 10^9 bytes a second
   */
  public record Result(List<Line> lines, Spread peakGflops, Spread readGigabytes) {

    /** The median over a family's sizes of their median fractions. */
    public Spread fraction(String family) {
      return Spread.of(
          lines.stream()
              .filter(line -> line.family().equals(family))
              .mapToDouble(line -> line.fraction().median())
              .toArray());
    }
  }

  /** Names of the families in {@link Line}, in order. */
  public static final List<String> FAMILIES = List.of("matmul", "attention", "conv");

  /** Sizes that take a second or less each on one core. */
  public static QuickSuite ofSd3() {
    return new QuickSuite(
        List.of(
            () -> MatMulProblem.of(154, 1536, 6144),
            () -> MatMulProblem.of(333, 1536, 1536),
            () -> MatMulProblem.of(1024, 1536, 6144),
            () -> MatMulProblem.of(1178, 6144, 1536)),
        List.of(
            () -> AttentionProblem.joint(24, 64, 1024, 333),
            () -> AttentionProblem.joint(24, 64, 4096, 333)),
        List.of(
            () -> ConvProblem.same(512, 512, 64, 64, 3),
            () -> ConvProblem.same(256, 256, 32, 256, 3),
            () -> ConvProblem.same(128, 128, 64, 512, 3),
            () -> ConvProblem.same(256, 128, 128, 512, 1),
            () -> ConvProblem.upsampled(256, 16, 128)),
        List.of(DType.F32, DType.F16, DType.BF16),
        7,
        3);
  }

  /** Measures everything; tells {@code say} what comes next. */
  public Result run(Backend backend, Workers workers, Consumer<String> say) {
    List<Line> lines = new ArrayList<>();
    List<Double> peaks = new ArrayList<>();
    FmaPeak peak = new FmaPeak(workers);
    Rounds.warmUp(peak, 0.1);
    Spread bandwidth;
    try (ReadBandwidth read = new ReadBandwidth(workers)) {
      say.accept("read bandwidth");
      Rounds.warmUp(read, 0.1);
      double[] rates =
          java.util.stream.DoubleStream.generate(read::seconds)
              .limit(5)
              .map(s -> read.bytes() / s * 1e-9)
              .toArray();
      bandwidth = Spread.of(rates);
    }
    Map<String, List<? extends Supplier<? extends Problem>>> families = new LinkedHashMap<>();
    families.put(FAMILIES.get(0), matMul);
    families.put(FAMILIES.get(1), attention);
    families.put(FAMILIES.get(2), convolution);
    families.forEach((family, sizes) -> {
      for (Supplier<? extends Problem> size : sizes) {
        Problem problem = size.get();
        say.accept(family + " " + problem.name());
        List<DType> types = family.equals("matmul") ? weights : List.of(DType.F32);
        lines.addAll(measure(family, problem, types, backend, peak, peaks));
      }
    });
    double[] gflops = peaks.stream().mapToDouble(p -> p * 1e-9).toArray();
    return new Result(List.copyOf(lines), Spread.of(gflops), bandwidth);
  }

  private List<Line> measure(
      String family,
      Problem problem,
      List<DType> types,
      Backend backend,
      FmaPeak peak,
      List<Double> peaks) {
    List<EngineKernel> kernels = new ArrayList<>();
    try {
      types.forEach(type -> kernels.add(new EngineKernel(backend, problem, type)));
      List<Contender> all = new ArrayList<>(kernels);
      all.add(peak);
      kernels.forEach(kernel -> Rounds.warmUp(kernel, 0.3));
      List<Rounds> measured = new ArrayList<>();
      long start = System.nanoTime();
      do {
        measured.add(Rounds.run(all, 1, 0.02));
      } while (measured.size() < rounds
          && (measured.size() < 2 || (System.nanoTime() - start) * 1e-9 < secondsPerSize));
      measured.forEach(m -> peaks.add(peak.flops() / m.seconds(peak)[0]));
      List<Line> lines = new ArrayList<>();
      for (int i = 0; i < types.size(); i++) {
        EngineKernel kernel = kernels.get(i);
        double[] fractions =
            measured.stream()
                .mapToDouble(m -> m.fraction(kernel, kernel.flops(), peak, peak.flops()).median())
                .toArray();
        double[] seconds = measured.stream().mapToDouble(m -> m.seconds(kernel)[0]).toArray();
        double gflops = kernel.flops() / Spread.of(seconds).median() * 1e-9;
        lines.add(
            new Line(
                family,
                problem.name(),
                types.get(i),
                gflops,
                Spread.of(fractions),
                measured.size()));
      }
      return lines;
    } finally {
      kernels.forEach(EngineKernel::close);
    }
  }
}
