package org.rectiflow.study.report;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.rectiflow.paper.draw.LineChart;
import org.rectiflow.paper.draw.Panels;
import org.rectiflow.paper.draw.VariantLines;
import org.rectiflow.paper.output.DataTable;
import org.rectiflow.paper.output.NamedPicture;
import org.rectiflow.paper.output.Rendering;
import org.rectiflow.study.run.RunResult.Loss;

/** Validation loss over training steps, as the left of Figure 4. */
final class TrainingSection {
  private TrainingSection() {}

  static Rendering of(Findings findings) {
    LineChart chart = VariantLines.chart("Validation loss", "training steps", "loss").xFormat("0");
    VariantLines lines = new VariantLines(findings.variants());
    DataTable.Builder table =
        DataTable.of(
            "training", "Validation loss over training", findings.compared(), "step", "loss");
    for (String variant : findings.variants()) {
      Map<Long, Double> means = losses(findings, variant);
      lines.draw(
          chart,
          variant,
          means.keySet().stream().mapToDouble(Long::doubleValue).toArray(),
          means.values().stream().mapToDouble(l -> l).toArray());
      means.forEach((step, loss) -> table.row(variant, Long.toString(step), Double.toString(loss)));
    }
    return new Rendering(
        List.of(
            new NamedPicture(
                "training",
                "Validation loss over training steps, a line for each " + findings.compared(),
                new Panels(1, "", chart))),
        List.of(table.buildData()),
        List.of());
  }

  /** The mean over the variant's runs at each step. */
  static Map<Long, Double> losses(Findings findings, String variant) {
    return findings.runs(variant).stream()
        .flatMap(run -> run.training().validation().stream())
        .collect(
            Collectors.groupingBy(
                Loss::step, TreeMap::new, Collectors.averagingDouble(Loss::loss)));
  }
}
