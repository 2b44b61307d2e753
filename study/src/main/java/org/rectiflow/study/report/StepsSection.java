package org.rectiflow.study.report;

import java.util.List;
import java.util.stream.IntStream;
import org.rectiflow.paper.draw.LineChart;
import org.rectiflow.paper.draw.Panels;
import org.rectiflow.paper.draw.VariantLines;
import org.rectiflow.paper.output.DataTable;
import org.rectiflow.paper.output.NamedPicture;
import org.rectiflow.paper.output.Rendering;
import org.rectiflow.study.measure.Sampled;

/** Frechet distance and alignment over the number of sampling steps, as Figure 3. */
final class StepsSection {
  private StepsSection() {}

  static Rendering of(Findings findings) {
    int[] steps = findings.plan().evaluation().steps().stream().mapToInt(n -> n).sorted().toArray();
    double guidance = findings.largestGuidance();
    double[] x = IntStream.of(steps).asDoubleStream().toArray();
    LineChart frechet =
        VariantLines.chart("guidance " + guidance, "sampling steps", findings.frechetName());
    LineChart alignment =
        VariantLines.chart("guidance " + guidance, "sampling steps", findings.alignmentName());
    frechet.xFormat("0");
    alignment.xFormat("0");
    VariantLines lines = new VariantLines(findings.variants());
    DataTable.Builder table =
        DataTable.of(
            "steps",
            "Scores over sampling steps",
            findings.compared(),
            "steps",
            findings.frechetName(),
            findings.alignmentName());
    for (String variant : findings.variants()) {
      double[] fd = new double[steps.length];
      double[] score = new double[steps.length];
      for (int i = 0; i < steps.length; i++) {
        Findings.Place place = new Findings.Place(findings.weights(), steps[i], guidance);
        fd[i] = findings.mean(variant, place, Sampled::frechet);
        score[i] = findings.mean(variant, place, Sampled::alignment);
        table.row(
            variant, Integer.toString(steps[i]), Double.toString(fd[i]), Double.toString(score[i]));
      }
      lines.draw(frechet, variant, x, fd);
      lines.draw(alignment, variant, x, score);
    }
    return new Rendering(
        List.of(
            new NamedPicture(
                "steps",
                "Frechet distance and alignment over the number of sampling steps, a line for each "
                    + findings.compared(),
                new Panels(2, "", frechet, alignment))),
        List.of(table.buildData()),
        List.of());
  }
}
