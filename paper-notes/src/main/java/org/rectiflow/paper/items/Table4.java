package org.rectiflow.paper.items;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.rectiflow.evaluation.GenEval;
import org.rectiflow.evaluation.GenEval.Count;
import org.rectiflow.evaluation.GenEval.Task;
import org.rectiflow.paper.output.DataTable;
import org.rectiflow.paper.output.Rendering;

/** Table 4: GenEval of training with original captions and with a mix of synthetic ones. */
public final class Table4 {

  /** Printed success rates in percent: task, original captions, 50/50 mix. */
  private record Row(Task task, double original, double mix) {}

  private static final List<Row> PRINTED =
      List.of(
          new Row(Task.COLOR_ATTRIBUTION, 11.75, 24.75),
          new Row(Task.COLORS, 71.54, 68.09),
          new Row(Task.POSITION, 6.50, 18.00),
          new Row(Task.COUNTING, 33.44, 41.56),
          new Row(Task.SINGLE_OBJECT, 95.00, 93.75),
          new Row(Task.TWO_OBJECTS, 41.41, 52.53));

  private Table4() {}

  /** Finds the counts behind the rates and computes the overall row. */
  public static Rendering render() {
    Map<Task, Count> original = new EnumMap<>(Task.class);
    Map<Task, Count> mix = new EnumMap<>(Task.class);
    DataTable.Builder table =
        DataTable.of(
            "table-04-geneval",
            "Table 4: printed success rates [%] and the pictures they stand for",
            "task",
            "original",
            "pictures",
            "50/50 mix",
            "pictures");
    for (Row row : PRINTED) {
      original.put(row.task(), GenEval.countFromPercent(row.task(), row.original(), 2));
      mix.put(row.task(), GenEval.countFromPercent(row.task(), row.mix(), 2));
      table.row(
          row.task().label(),
          Grids.fixed(row.original(), 2),
          fraction(original.get(row.task())),
          Grids.fixed(row.mix(), 2),
          fraction(mix.get(row.task())));
    }
    table.row(
        "Overall, computed",
        Grids.fixed(100 * GenEval.overallOfCounts(original), 2),
        "",
        Grids.fixed(100 * GenEval.overallOfCounts(mix), 2),
        "");
    table.row("Overall, printed", "43.27", "", "49.78", "");
    Miniature study = Miniature.of("captions");
    List<String> notes = new ArrayList<>(study.notes());
    notes.add(
        "Every printed rate is a whole number of GenEval's pictures, four for each of its 553"
            + " prompts, and the overall row is the unweighted mean of the six rates. The rates"
            + " themselves need the two d = 15 models.");
    return new Rendering(
        List.of(),
        List.of(
            table.build(),
            study
                .cells("categories")
                .table(
                    "table-04-miniature", "Success rates [%] of models trained here for minutes")),
        notes);
  }

  private static String fraction(Count count) {
    return count.correct() + " / " + count.total();
  }
}
