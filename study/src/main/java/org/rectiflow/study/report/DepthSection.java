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
import org.rectiflow.study.measure.Sampled;
import org.rectiflow.study.run.RunResult;

/** Frechet distance over depth, as Figure 10. */
final class DepthSection {
  private DepthSection() {}

  static Rendering of(Findings findings) {
    Findings.Place place =
        new Findings.Place(findings.weights(), findings.mostSteps(), findings.largestGuidance());
    LineChart chart =
        VariantLines.chart("%d steps".formatted(place.steps()), "depth", findings.frechetName())
            .xFormat("0");
    VariantLines lines = new VariantLines(findings.variants());
    DataTable.Builder table =
        DataTable.of(
            "depth",
            "Scores over depth",
            findings.compared(),
            "depth",
            findings.frechetName(),
            findings.alignmentName());
    for (String variant : findings.variants()) {
      Map<Integer, List<RunResult>> byDepth =
          findings.runs(variant).stream()
              .collect(
                  Collectors.groupingBy(
                      run -> run.training().depth(), TreeMap::new, Collectors.toList()));
      double[] x = byDepth.keySet().stream().mapToDouble(d -> d).toArray();
      double[] y =
          byDepth.values().stream()
              .mapToDouble(runs -> Findings.mean(runs, place, Sampled::frechet))
              .toArray();
      lines.draw(chart, variant, x, y);
      byDepth.forEach((depth, runs) ->
          table.row(
              variant,
              Integer.toString(depth),
              Findings.fixed(Findings.mean(runs, place, Sampled::frechet), 3),
              Findings.fixed(Findings.mean(runs, place, Sampled::alignment), 4)));
    }
    return new Rendering(
        List.of(
            new NamedPicture(
                "depth",
                "Frechet distance over the depth of the model, a line for each "
                    + findings.compared(),
                new Panels(1, "", chart))),
        List.of(table.build()),
        List.of());
  }
}
