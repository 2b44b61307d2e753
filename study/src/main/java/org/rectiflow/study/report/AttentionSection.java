package org.rectiflow.study.report;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.rectiflow.paper.draw.LineChart;
import org.rectiflow.paper.draw.Panels;
import org.rectiflow.paper.draw.VariantLines;
import org.rectiflow.paper.output.DataTable;
import org.rectiflow.paper.output.NamedPicture;
import org.rectiflow.paper.output.Rendering;
import org.rectiflow.study.run.RunResult.Attention;

/** Largest attention logit and attention entropy of the last five blocks, as Figure 5. */
final class AttentionSection {
  private static final int LAST_BLOCKS = 5;

  private AttentionSection() {}

  static Rendering of(Findings findings) {
    LineChart logits = VariantLines.chart("Largest attention logit", "training steps", "logit");
    LineChart entropy = VariantLines.chart("Attention entropy", "training steps", "nats");
    logits.xFormat("0");
    entropy.xFormat("0");
    VariantLines lines = new VariantLines(findings.variants());
    DataTable.Builder table =
        DataTable.of(
            "attention",
            "Attention, means over the last five blocks and over runs",
            findings.compared(),
            "step",
            "largest logit",
            "entropy");
    for (String variant : findings.variants()) {
      Map<Long, Double> max = means(findings, variant, Attention::maxLogit);
      Map<Long, Double> spread = means(findings, variant, Attention::entropy);
      double[] steps = max.keySet().stream().mapToDouble(Long::doubleValue).toArray();
      lines.draw(logits, variant, steps, values(max));
      lines.draw(entropy, variant, steps, values(spread));
      max.forEach((step, logit) ->
          table.row(
              variant,
              Long.toString(step),
              Double.toString(logit),
              Double.toString(spread.get(step))));
    }
    return new Rendering(
        List.of(
            new NamedPicture(
                "attention",
                "Largest attention logit and attention entropy over training, a line for each "
                    + findings.compared(),
                new Panels(2, "", logits, entropy))),
        List.of(table.buildData()),
        List.of("Means over the last %d blocks, as the paper plots.".formatted(LAST_BLOCKS)));
  }

  private static double[] values(Map<Long, Double> map) {
    return map.values().stream().mapToDouble(v -> v).toArray();
  }

  private static Map<Long, Double> means(
      Findings findings, String variant, Function<Attention, List<Double>> what) {
    return findings.runs(variant).stream()
        .flatMap(run -> run.training().attention().stream())
        .collect(
            Collectors.groupingBy(
                Attention::step,
                TreeMap::new,
                Collectors.averagingDouble(a -> lastBlocks(what.apply(a)))));
  }

  private static double lastBlocks(List<Double> blocks) {
    return blocks.subList(Math.max(0, blocks.size() - LAST_BLOCKS), blocks.size()).stream()
        .mapToDouble(b -> b)
        .average()
        .orElseThrow();
  }
}
