package org.rectiflow.paper.items;

import java.util.List;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.markers.SeriesMarkers;
import org.rectiflow.evaluation.Memorization;
import org.rectiflow.paper.draw.Colors;
import org.rectiflow.paper.draw.Dash;
import org.rectiflow.paper.draw.LineChart;
import org.rectiflow.paper.draw.Panels;
import org.rectiflow.paper.output.DataTable;
import org.rectiflow.paper.output.NamedPicture;
import org.rectiflow.paper.output.Rendering;

/** Figure 17 on a model that memorises by construction: marked pictures over the clique size. */
public final class Figure17 {

  private static final int PROMPTS = 16;
  private static final int GENERATIONS = 60;
  private static final int[] CLIQUES = {2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30};
  private static final long SEED = 17;

  private static final String REMARK =
      "Not the paper's models: for each of 16 prompts the exact model of 40 random pictures, of which"
          + " one is in the training set 1 to 46 times (before) or once (after); 60 generations for each"
          + " prompt, judged by Algorithm 2 with 16 tiles and ε = 0.15. A model of a finite set always"
          + " copies; duplicates make it copy the same picture again and again, which is what the"
          + " clique size measures.";

  private Figure17() {}

  /** Generates, connects and counts. */
  public static Rendering render() {
    MemorizingModel model = new MemorizingModel(SEED);
    int[] before = new int[CLIQUES.length];
    int[] after = new int[CLIQUES.length];
    for (int prompt = 0; prompt < PROMPTS; prompt++) {
      add(before, model.largestCliques(prompt, 1 + 3 * prompt, GENERATIONS));
      add(after, model.largestCliques(prompt, 1, GENERATIONS));
    }
    DataTable.Builder table =
        DataTable.of(
            "figure-17-memorization",
            "Generations marked as memorised of " + PROMPTS * GENERATIONS,
            "clique size T",
            "with duplicates",
            "deduplicated");
    double[] sizes = new double[CLIQUES.length];
    double[] beforeCounts = new double[CLIQUES.length];
    double[] afterCounts = new double[CLIQUES.length];
    for (int i = 0; i < CLIQUES.length; i++) {
      sizes[i] = CLIQUES[i];
      beforeCounts[i] = before[i];
      afterCounts[i] = after[i];
      table.row(
          Integer.toString(CLIQUES[i]), Integer.toString(before[i]), Integer.toString(after[i]));
    }
    LineChart chart =
        new LineChart("Algorithm 2 on a memorising model", "clique size T", "marked generations")
            .xRange(0, 30)
            .yRange(0, 1000)
            .legend(LegendPosition.InsideNE);
    chart.line(
        "with duplicates", sizes, beforeCounts, Colors.EDM, Dash.SOLID, SeriesMarkers.CIRCLE);
    chart.line("deduplicated", sizes, afterCounts, Colors.RF, Dash.SOLID, SeriesMarkers.SQUARE);
    return new Rendering(
        List.of(
            new NamedPicture(
                "figure-17-memorization",
                "Generations marked as memorised over the clique size, with and without duplicates in"
                    + " the training set",
                new Panels(1, REMARK, chart))),
        List.of(table.build()),
        List.of(REMARK));
  }

  private static void add(int[] counts, int[] largestCliques) {
    for (int i = 0; i < CLIQUES.length; i++) {
      for (boolean marked : Memorization.memorized(largestCliques, CLIQUES[i])) {
        counts[i] += marked ? 1 : 0;
      }
    }
  }
}
