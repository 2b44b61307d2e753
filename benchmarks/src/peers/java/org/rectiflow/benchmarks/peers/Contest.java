package org.rectiflow.benchmarks.peers;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.rectiflow.benchmarks.kernels.EngineKernel;
import org.rectiflow.benchmarks.kernels.Problem;
import org.rectiflow.benchmarks.measure.Contender;
import org.rectiflow.benchmarks.measure.FmaPeak;
import org.rectiflow.benchmarks.measure.Rounds;
import org.rectiflow.benchmarks.measure.Spread;
import org.rectiflow.engine.Backend;
import org.rectiflow.safetensors.DType;

/** The same problem computed by the engine and its peers in turn, together with the FMA peak. */
final class Contest {
  /** How long to measure. */
  record Effort(int rounds, double turnSeconds, double warmUpSeconds) {}

  /**
   * What came out.
   *
   * @param ratios how many times as fast as the peer the engine is, by "RECTIFLOW / PEER"
   * @param fractions of the FMA peak, by contender
   * @param difference the largest between the float32 results of the engine and its first peer,
   *     relative to the largest result
   */
  record Outcome(
      String problem,
      Map<String, Spread> ratios,
      Map<String, Spread> fractions,
      double difference) {}

  private final Backend backend;
  private final FmaPeak peak;
  private final Effort effort;

  Contest(Backend backend, FmaPeak peak, Effort effort) {
    this.backend = backend;
    this.peak = peak;
    this.effort = effort;
  }

  /** Measures; closes {@code peers}. */
  Outcome run(Problem problem, List<DType> weights, List<? extends Peer> peers) {
    List<EngineKernel> own = new ArrayList<>();
    try {
      weights.forEach(type -> own.add(new EngineKernel(backend, problem, type)));
      List<Contender> all = new ArrayList<>(own);
      all.addAll(peers);
      all.add(peak);
      all.forEach(contender -> Rounds.warmUp(contender, effort.warmUpSeconds));
      double difference = peers.isEmpty() ? 0 : difference(own, weights, peers.getFirst());
      Rounds rounds = Rounds.run(all, effort.rounds, effort.turnSeconds);
      double flops = own.getFirst().flops();
      Map<String, Spread> ratios = new LinkedHashMap<>();
      for (EngineKernel kernel : own) {
        for (Peer peer : peers) {
          ratios.put(kernel.name() + " / " + peer.name(), rounds.speed(kernel, peer));
        }
      }
      Map<String, Spread> fractions = new LinkedHashMap<>();
      for (Contender contender : all.subList(0, all.size() - 1)) {
        fractions.put(contender.name(), rounds.fraction(contender, flops, peak, peak.flops()));
      }
      return new Outcome(problem.name(), ratios, fractions, difference);
    } finally {
      own.forEach(EngineKernel::close);
      peers.forEach(Peer::close);
    }
  }

  private static double difference(List<EngineKernel> own, List<DType> weights, Peer peer) {
    int exact = weights.indexOf(DType.F32);
    if (exact < 0 || !peer.name().endsWith("F32")) {
      return Double.NaN;
    }
    float[] a = own.get(exact).result().data();
    float[] b = peer.result();
    if (a.length != b.length) {
      throw new IllegalStateException(
          "%s gives %d values, rectiflow %d".formatted(peer.name(), b.length, a.length));
    }
    double largest = 0;
    double difference = 0;
    for (int i = 0; i < a.length; i++) {
      largest = Math.max(largest, Math.abs(b[i]));
      difference = Math.max(difference, Math.abs(a[i] - b[i]));
    }
    if (difference > 1e-3 * largest) {
      throw new IllegalStateException(
          "%s and rectiflow disagree by %g of %g: they do not compute the same"
              .formatted(peer.name(), difference, largest));
    }
    return difference / largest;
  }

  /** One block of the table. */
  static void print(PrintWriter out, Outcome outcome) {
    String agreement =
        Double.isNaN(outcome.difference)
            ? "not compared, which takes float32 weights"
            : "results agree to %.1e".formatted(outcome.difference);
    out.printf("%n%s   (%s)%n", outcome.problem, agreement);
    outcome.fractions.forEach((name, f) ->
        out.printf(
            "    %-38s %5.3f of the FMA peak  [%5.3f, %5.3f]%n",
            name, f.median(), f.lower(), f.upper()));
    outcome.ratios.forEach((name, r) ->
        out.printf(
            "    %-38s %5.3f times as fast    [%5.3f, %5.3f]%n",
            name, r.median(), r.lower(), r.upper()));
    out.flush();
  }

  /** The geometric mean and the least of each ratio over all problems. */
  static void printSummary(PrintWriter out, String family, int threads, List<Outcome> outcomes) {
    out.printf(
        "%n%s, %d thread%s, over %d sizes        geometric mean    least%n",
        family, threads, threads == 1 ? "" : "s", outcomes.size());
    for (String name : outcomes.getFirst().ratios.keySet()) {
      double[] medians = outcomes.stream().mapToDouble(o -> o.ratios.get(name).median()).toArray();
      out.printf(
          "    %-38s %8.3f %15.3f%n",
          name,
          Spread.geometricMean(medians),
          java.util.Arrays.stream(medians).min().orElseThrow());
    }
    for (String name : outcomes.getFirst().fractions.keySet()) {
      double[] medians =
          outcomes.stream().mapToDouble(o -> o.fractions.get(name).median()).toArray();
      out.printf(
          "    %-38s %8.3f %15.3f   of the FMA peak%n",
          name,
          Spread.geometricMean(medians),
          java.util.Arrays.stream(medians).min().orElseThrow());
    }
    out.flush();
  }
}
