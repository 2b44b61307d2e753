package org.rectiflow.study.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.knowm.xchart.style.markers.SeriesMarkers;
import org.rectiflow.paper.draw.Colors;
import org.rectiflow.paper.draw.LineChart;
import org.rectiflow.paper.draw.Panels;
import org.rectiflow.paper.draw.VariantLines;
import org.rectiflow.paper.output.DataTable;
import org.rectiflow.paper.output.NamedPicture;
import org.rectiflow.paper.output.Rendering;
import org.rectiflow.study.measure.Sampled;
import org.rectiflow.study.run.RunResult;

/** Validation loss over training steps and FLOPs, and scores over the loss, as Figure 8. */
final class ScalingSection {
  private ScalingSection() {}

  static Rendering of(Findings findings) {
    LineChart steps = VariantLines.chart("Loss over steps", "training steps", "validation loss");
    LineChart flops = VariantLines.chart("Loss over compute", "training TFLOPs", "validation loss");
    LineChart score =
        VariantLines.chart("Score over loss", "validation loss", findings.alignmentName());
    steps.xFormat("0");
    List<String> variants = findings.variants();
    VariantLines lines = new VariantLines(variants);
    Findings.Place place =
        new Findings.Place(findings.weights(), findings.mostSteps(), findings.largestGuidance());
    DataTable.Builder table =
        DataTable.of(
            "scaling",
            "Scaling",
            findings.compared(),
            "parameters",
            "training TFLOPs",
            "validation loss",
            findings.alignmentName(),
            findings.frechetName());
    List<double[]> ends = new ArrayList<>();
    for (String variant : variants) {
      Map<Long, Double> losses = TrainingSection.losses(findings, variant);
      RunResult run = findings.runs(variant).getFirst();
      double perStep = run.training().stepFlops() * 1e-12;
      double[] x = losses.keySet().stream().mapToDouble(Long::doubleValue).toArray();
      double[] y = losses.values().stream().mapToDouble(l -> l).toArray();
      lines.draw(steps, variant, x, y);
      double[] compute = x.clone();
      for (int i = 0; i < compute.length; i++) {
        compute[i] *= perStep;
      }
      lines.draw(flops, variant, compute, y);
      double loss =
          findings.runs(variant).stream()
              .mapToDouble(r -> r.training().bestLoss())
              .average()
              .orElseThrow();
      double alignment = findings.mean(variant, place, Sampled::alignment);
      score.points(
          variant,
          new double[] {loss},
          new double[] {alignment},
          Colors.ramp(variants.indexOf(variant), variants.size()),
          SeriesMarkers.CIRCLE);
      ends.add(new double[] {loss, alignment});
      table.row(
          variant,
          "%,d".formatted(run.training().parameters()),
          Findings.fixed(perStep * run.training().steps(), 2),
          Findings.fixed(loss, 4),
          Findings.fixed(alignment, 4),
          Findings.fixed(findings.mean(variant, place, Sampled::frechet), 3));
    }
    return new Rendering(
        List.of(
            new NamedPicture(
                "scaling",
                "Validation loss over training steps and over compute, and score over loss, for each "
                    + findings.compared(),
                new Panels(3, "", steps, flops, score))),
        List.of(table.build()),
        notes(ends));
  }

  /** Whether the score rises as the loss falls, as the paper finds. */
  private static List<String> notes(List<double[]> ends) {
    if (ends.size() < 3) {
      return List.of();
    }
    double correlation =
        PaperRanks.spearman(
            ends.stream().mapToDouble(e -> -e[0]).toArray(),
            ends.stream().mapToDouble(e -> e[1]).toArray());
    return List.of(
        "Spearman's rank correlation of falling loss and score over the models: %s. The paper finds validation loss a strong predictor of scores."
            .formatted(Findings.fixed(correlation, 2)));
  }
}
