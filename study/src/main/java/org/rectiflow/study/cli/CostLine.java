package org.rectiflow.study.cli;

import java.util.List;
import java.util.Locale;
import org.rectiflow.engine.Backend;
import org.rectiflow.pipeline.checkpoint.Checkpoint;
import org.rectiflow.study.plan.Cell;
import org.rectiflow.study.plan.StudyPlan;
import org.rectiflow.study.run.Bases;
import org.rectiflow.study.run.CostEstimate;

/** The estimate of a study's cost in a sentence. */
final class CostLine {
  private CostLine() {}

  static String of(StudyPlan plan, List<Cell> left, Backend backend) {
    try (Checkpoint base = Bases.forSizes(left.getFirst().settings())) {
      CostEstimate cost = CostEstimate.of(plan, left, base, backend);
      return String.format(
          Locale.ROOT,
          "about %s here (%.1f TFLOP of training and %.1f of measuring at %.1f GFLOP/s as just measured; encoding data, validation and preparations come on top)",
          duration(cost.seconds()),
          cost.trainingFlops() * 1e-12,
          cost.measuringFlops() * 1e-12,
          cost.flopsPerSecond() * 1e-9);
    }
  }

  private static String duration(double seconds) {
    if (seconds < 5400) {
      return seconds < 90 ? "a minute" : String.format(Locale.ROOT, "%.0f minutes", seconds / 60);
    }
    return seconds < 48 * 3600
        ? String.format(Locale.ROOT, "%.1f hours", seconds / 3600)
        : String.format(Locale.ROOT, "%.1f days", seconds / 86400);
  }
}
