package org.rectiflow.study.report;

import java.util.List;
import org.rectiflow.paper.output.DataTable;
import org.rectiflow.paper.output.Rendering;
import org.rectiflow.study.measure.Sampled;
import org.rectiflow.study.run.RunResult;
import org.rectiflow.study.run.RunResult.Training;

/** Validation loss, alignment and Frechet distance at 25 steps, as Table 2. */
final class ScoresSection {
  private static final int PAPER_STEPS = 25;

  private ScoresSection() {}

  static Rendering of(Findings findings) {
    int steps = findings.stepsNear(PAPER_STEPS);
    Findings.Place place =
        new Findings.Place(findings.weights(), steps, findings.largestGuidance());
    DataTable.Builder table =
        DataTable.of(
            "scores",
            "Scores at %d steps, guidance %s, %s weights (means over runs)"
                .formatted(steps, place.guidance(), place.weights()),
            findings.compared(),
            "runs",
            "parameters",
            "validation loss",
            findings.alignmentName(),
            findings.frechetName(),
            "seconds of training");
    for (String variant : findings.variants()) {
      List<RunResult> runs = findings.runs(variant);
      table.row(
          variant,
          Integer.toString(runs.size()),
          "%,d".formatted(runs.getFirst().training().parameters()),
          Findings.fixed(
              runs.stream()
                  .map(RunResult::training)
                  .mapToDouble(Training::bestLoss)
                  .average()
                  .orElseThrow(),
              4),
          Findings.fixed(findings.mean(variant, place, Sampled::alignment), 4),
          Findings.fixed(findings.mean(variant, place, Sampled::frechet), 3),
          Findings.fixed(
              runs.stream().mapToDouble(r -> r.training().seconds()).average().orElseThrow(), 0));
    }
    return new Rendering(
        List.of(),
        List.of(table.build()),
        List.of(
            "Losses of different formulations are of different targets and weights, and cannot be compared with each other."));
  }
}
