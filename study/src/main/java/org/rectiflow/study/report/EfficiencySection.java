package org.rectiflow.study.report;

import java.util.ArrayList;
import java.util.List;
import org.rectiflow.paper.output.DataTable;
import org.rectiflow.paper.output.Rendering;
import org.rectiflow.study.measure.Sampled;

/** Score lost with fewer steps at fixed seeds, and path length, as Table 6. */
final class EfficiencySection {
  private EfficiencySection() {}

  static Rendering of(Findings findings) {
    int most = findings.mostSteps();
    int[] fewer =
        findings.plan().evaluation().steps().stream()
            .mapToInt(n -> n)
            .filter(n -> n < most)
            .sorted()
            .toArray();
    List<String> columns = new ArrayList<>(List.of(findings.compared()));
    for (int steps : fewer) {
      columns.add("%d/%d steps [%%]".formatted(steps, most));
    }
    columns.add("path length");
    DataTable.Builder table =
        DataTable.of(
            "efficiency",
            "Relative loss of %s against %d steps at fixed seeds, and length of the path"
                .formatted(findings.alignmentName(), most),
            columns.toArray(String[]::new));
    for (String variant : findings.variants()) {
      Findings.Place full = place(findings, most);
      double reference = findings.mean(variant, full, Sampled::alignment);
      List<String> cells = new ArrayList<>(List.of(variant));
      for (int steps : fewer) {
        double score = findings.mean(variant, place(findings, steps), Sampled::alignment);
        cells.add(reference == 0 ? "-" : Findings.fixed(100 * (reference - score) / reference, 2));
      }
      cells.add(Findings.fixed(findings.mean(variant, full, Sampled::pathLength), 2));
      table.row(cells.toArray(String[]::new));
    }
    return new Rendering(
        List.of(),
        List.of(table.build()),
        List.of(
            "Path lengths are sums of distances between consecutive latents at the most steps. A dash stands where the score at the most steps is zero."));
  }

  private static Findings.Place place(Findings findings, int steps) {
    return new Findings.Place(findings.weights(), steps, findings.largestGuidance());
  }
}
