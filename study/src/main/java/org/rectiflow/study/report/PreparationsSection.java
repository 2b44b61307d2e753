package org.rectiflow.study.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.rectiflow.paper.output.DataTable;
import org.rectiflow.paper.output.Rendering;

/** The last validations of preparations: of autoencoders, Table 3's reconstructions. */
final class PreparationsSection {
  private PreparationsSection() {}

  static Rendering of(Preparations preparations) {
    Set<String> names = new TreeSet<>();
    preparations.validations().values().forEach(v -> names.addAll(v.keySet()));
    List<String> columns = new ArrayList<>(List.of("preparation"));
    columns.addAll(names);
    DataTable.Builder table =
        DataTable.of(
            "preparations", "Last validation of each preparation", columns.toArray(String[]::new));
    preparations
        .validations()
        .forEach((name, values) -> {
          List<String> cells = new ArrayList<>(List.of(name));
          for (String column : names) {
            Double value = values.get(column);
            cells.add(value == null ? "-" : Findings.fixed(value, 4));
          }
          table.row(cells.toArray(String[]::new));
        });
    return new Rendering(List.of(), List.of(table.build()), List.of());
  }
}
