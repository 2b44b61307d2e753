package org.rectiflow.study.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.rectiflow.evaluation.GenEval;
import org.rectiflow.paper.output.DataTable;
import org.rectiflow.paper.output.Rendering;
import org.rectiflow.study.measure.Sampled;

/** Success rates by category of prompts, by the rules of the shapes world, as Table 4. */
final class CategoriesSection {
  private CategoriesSection() {}

  static Rendering of(Findings findings) {
    Findings.Place place =
        new Findings.Place(findings.weights(), findings.mostSteps(), findings.largestGuidance());
    List<String> columns = new ArrayList<>(List.of("task"));
    columns.addAll(findings.variants());
    DataTable.Builder table =
        DataTable.of(
            "categories",
            "Success rate [%%] by category at %d steps, guidance %s"
                .formatted(place.steps(), place.guidance()),
            columns.toArray(String[]::new));
    for (GenEval.Task task : GenEval.Task.values()) {
      table.row(row(findings, place, task.label(), rates -> rates.get(task.label())));
    }
    table.row(
        row(
            findings,
            place,
            "Overall",
            rates -> rates.values().stream().mapToDouble(r -> r).average().orElseThrow()));
    return new Rendering(List.of(), List.of(table.build()), List.of());
  }

  private interface Rate {
    double of(Map<String, Double> rates);
  }

  private static String[] row(Findings findings, Findings.Place place, String name, Rate rate) {
    List<String> cells = new ArrayList<>(List.of(name));
    for (String variant : findings.variants()) {
      double mean = findings.mean(variant, place, (Sampled s) -> rate.of(s.rates()));
      cells.add(Findings.fixed(100 * mean, 2));
    }
    return cells.toArray(String[]::new);
  }
}
