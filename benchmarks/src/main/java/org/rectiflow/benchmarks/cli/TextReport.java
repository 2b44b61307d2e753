package org.rectiflow.benchmarks.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.rectiflow.benchmarks.kernels.QuickSuite;
import org.rectiflow.benchmarks.measure.Machine;
import org.rectiflow.benchmarks.measure.Spread;
import org.rectiflow.benchmarks.model.ModelBench;
import org.rectiflow.benchmarks.model.Roofline;

/** What was measured, as tables for people. */
final class TextReport {
  private TextReport() {}

  static void quick(PrintWriter out, Machine machine, int threads, QuickSuite.Result result) {
    out.println(describe(machine, threads));
    out.printf(
        Locale.ROOT,
        "FMA peak %.0f GFLOP/s [%.0f, %.0f], reads %.1f GB/s; in brackets the quartiles%n",
        result.peakGflops().median(),
        result.peakGflops().lower(),
        result.peakGflops().upper(),
        result.readGigabytes().median());
    for (String family : QuickSuite.FAMILIES) {
      out.printf(
          Locale.ROOT,
          "%n%-40s %9s %8s  %s%n",
          family,
          "weights",
          "GFLOP/s",
          "fraction of the FMA peak");
      for (QuickSuite.Line line : result.lines()) {
        if (line.family().equals(family)) {
          out.printf(
              Locale.ROOT,
              "  %-38s %9s %8.1f  %s%n",
              line.size(),
              line.weights(),
              line.gflops(),
              text(line.fraction()));
        }
      }
      out.printf(
          Locale.ROOT, "  %-38s %18s  %.3f%n", "median", "", result.fraction(family).median());
    }
  }

  /** One size as soon as it is measured. */
  static void size(PrintWriter out, ModelBench.Result r) {
    ModelBench.Setting s = r.setting();
    out.printf(
        Locale.ROOT,
        "%n%dx%d, %d tokens of text, batch of %d%n",
        s.width(),
        s.height(),
        s.textTokens(),
        s.guided() ? 2 : 1);
    out.printf(
        Locale.ROOT,
        "  %.2f s a step [%.2f, %.2f], the first %.2f s; %.2f TFLOP a step, %s of the FMA peak%n",
        r.stepSeconds().median(),
        r.stepSeconds().lower(),
        r.stepSeconds().upper(),
        r.firstStepSeconds(),
        r.flops() * 1e-12,
        text(r.fractionOfPeak()));
    out.printf(
        Locale.ROOT,
        "  memory: %s%.2f GB of activations planned%n",
        r.memory()
            .map(m ->
                String.format(
                    Locale.ROOT,
                    "at most %.2f GB of its own and %.2f GB of mapped files; ",
                    m.anonymous() * 1e-9,
                    m.mapped() * 1e-9))
            .orElse(""),
        r.arenaBytes() * 1e-9);
    out.printf(
        Locale.ROOT,
        "  roofline: %.0f GFLOP/s, %.1f GB/s%n%n",
        r.roofline().gflops(),
        r.roofline().gigabytes());
    out.printf(
        Locale.ROOT,
        "  %-32s %6s %9s %7s %9s %7s %10s %12s%n",
        "kernels",
        "runs",
        "seconds",
        "share",
        "GFLOP/s",
        "GB/s",
        "FLOP/byte",
        "of roofline");
    for (Roofline.Row row : r.rows()) {
      out.printf(
          Locale.ROOT,
          "  %-32s %6d %9.3f %6.1f%% %9.1f %7.1f %10.1f %12.2f%n",
          row.op(),
          row.runs(),
          row.seconds(),
          100 * row.share(),
          row.gflops(),
          row.gigabytes(),
          row.intensity(),
          row.fraction());
    }
  }

  static void summary(
      PrintWriter out,
      Machine machine,
      int threads,
      Path model,
      double secondsToFirstStep,
      List<ModelBench.Result> results) {
    out.printf("%n%s%nmodel %s%n", describe(machine, threads), model);
    out.printf(
        Locale.ROOT, "first step begun %.2f s after the program started%n", secondsToFirstStep);
    for (ModelBench.Result r : results) {
      out.printf(
          Locale.ROOT,
          "  %4dx%-4d  %7.2f s a step  %6.2f TFLOP  %s of the FMA peak%n",
          r.setting().width(),
          r.setting().height(),
          r.stepSeconds().median(),
          r.flops() * 1e-12,
          text(r.fractionOfPeak()));
    }
  }

  private static String describe(Machine machine, int threads) {
    return "%s, %d thread%s of %d, vectors of %d bits, %s"
        .formatted(
            machine.processor(),
            threads,
            threads == 1 ? "" : "s",
            machine.logicalProcessors(),
            machine.vectorBits(),
            machine.java());
  }

  private static String text(Spread s) {
    return String.format(Locale.ROOT, "%.3f [%.3f, %.3f]", s.median(), s.lower(), s.upper());
  }
}
