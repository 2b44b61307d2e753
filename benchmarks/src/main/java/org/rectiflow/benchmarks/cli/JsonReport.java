package org.rectiflow.benchmarks.cli;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.rectiflow.benchmarks.kernels.QuickSuite;
import org.rectiflow.benchmarks.measure.Machine;
import org.rectiflow.benchmarks.measure.Spread;
import org.rectiflow.benchmarks.model.ModelBench;
import org.rectiflow.benchmarks.model.Roofline;

/** What was measured, as maps that become one JSON object. */
final class JsonReport {
  private JsonReport() {}

  /** Of {@code --quick}: {@code matmul.fraction_of_peak} and so on. */
  static Map<String, Object> quick(Machine machine, int threads, QuickSuite.Result result) {
    Map<String, Object> report = head("quick", machine, threads);
    Map<String, Object> peak = new LinkedHashMap<>();
    peak.put("fma_gflops", spread(result.peakGflops()));
    peak.put("read_gb_per_second", spread(result.readGigabytes()));
    report.put("peak", peak);
    for (String family : QuickSuite.FAMILIES) {
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put("fraction_of_peak", result.fraction(family).median());
      entry.put("threads", threads);
      entry.put(
          "sizes",
          result.lines().stream()
              .filter(line -> line.family().equals(family))
              .map(JsonReport::line)
              .toList());
      report.put(family, entry);
    }
    return report;
  }

  private static Map<String, Object> line(QuickSuite.Line line) {
    Map<String, Object> entry = new LinkedHashMap<>();
    entry.put("size", line.size());
    entry.put("weights", line.weights().toString());
    entry.put("gflops", line.gflops());
    entry.put("fraction_of_peak", line.fraction().median());
    entry.put("lower_quartile", line.fraction().lower());
    entry.put("upper_quartile", line.fraction().upper());
    entry.put("rounds", line.rounds());
    return entry;
  }

  /** Of whole steps. */
  static Map<String, Object> whole(
      Machine machine,
      int threads,
      Path model,
      double secondsToFirstStep,
      List<ModelBench.Result> results) {
    Map<String, Object> report = head("model", machine, threads);
    report.put("model", model.toString());
    report.put("seconds_to_first_step", secondsToFirstStep);
    report.put("sizes", results.stream().map(JsonReport::size).toList());
    return report;
  }

  private static Map<String, Object> size(ModelBench.Result r) {
    Map<String, Object> entry = new LinkedHashMap<>();
    entry.put("width", r.setting().width());
    entry.put("height", r.setting().height());
    entry.put("text_tokens", r.setting().textTokens());
    entry.put("batch", r.setting().guided() ? 2 : 1);
    entry.put("steps", r.setting().steps());
    entry.put("seconds_per_step", spread(r.stepSeconds()));
    entry.put("first_step_seconds", r.firstStepSeconds());
    entry.put("compile_seconds", r.compileSeconds());
    entry.put("flops_per_step", r.flops());
    entry.put("fraction_of_peak", spread(r.fractionOfPeak()));
    entry.put("fma_gflops", spread(r.peakGflops()));
    entry.put("read_gb_per_second", r.roofline().gigabytes());
    entry.put("activation_bytes", r.arenaBytes());
    r.memory()
        .ifPresent(m -> {
          entry.put("peak_anonymous_bytes", m.anonymous());
          entry.put("peak_mapped_bytes", m.mapped());
        });
    entry.put("kernels", r.rows().stream().map(JsonReport::row).toList());
    return entry;
  }

  private static Map<String, Object> row(Roofline.Row r) {
    Map<String, Object> entry = new LinkedHashMap<>();
    entry.put("op", r.op());
    entry.put("runs", r.runs());
    entry.put("seconds", r.seconds());
    entry.put("share", r.share());
    entry.put("gflops", r.gflops());
    entry.put("gb_per_second", r.gigabytes());
    entry.put("flops_per_byte", r.intensity());
    entry.put("fraction_of_roofline", r.fraction());
    return entry;
  }

  private static Map<String, Object> head(String mode, Machine machine, int threads) {
    Map<String, Object> report = new LinkedHashMap<>();
    report.put("mode", mode);
    report.put("threads", threads);
    Map<String, Object> where = new LinkedHashMap<>();
    where.put("processor", machine.processor());
    where.put("logical_processors", machine.logicalProcessors());
    where.put("vector_bits", machine.vectorBits());
    where.put("java", machine.java());
    report.put("machine", where);
    return report;
  }

  private static Map<String, Object> spread(Spread s) {
    Map<String, Object> entry = new LinkedHashMap<>();
    entry.put("median", s.median());
    entry.put("lower_quartile", s.lower());
    entry.put("upper_quartile", s.upper());
    return entry;
  }
}
