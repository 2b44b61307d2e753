package org.rectiflow.paper.items;

import java.util.List;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.markers.SeriesMarkers;
import org.rectiflow.paper.draw.Colors;
import org.rectiflow.paper.draw.Dash;
import org.rectiflow.paper.draw.LineChart;
import org.rectiflow.paper.draw.Panels;
import org.rectiflow.paper.output.DataTable;
import org.rectiflow.paper.output.NamedPicture;
import org.rectiflow.paper.output.Rendering;

/** Figure 16 on planted data: how much deduplication removes at which threshold. */
public final class Figure16 {

  private static final int[] CLUSTERS = {1, 8, 64};
  private static final long SEED = 16;

  private static final String REMARK =
      "Not the paper's data: 800 random unit vectors in 128 dimensions, of which 400 have one copy"
          + " at a cosine similarity drawn evenly between 0.3 and 1. With one cluster Algorithm 1 finds"
          + " exactly the planted copies; more clusters cost less time and lose the copies that fall"
          + " into another cluster than their original.";

  private Figure16() {}

  /** Runs Algorithm 1 at ten thresholds. */
  public static Rendering render() {
    PlantedEmbeddings data = new PlantedEmbeddings(SEED);
    double[] thresholds = Grids.linear(0.5, 0.95, 10);
    DataTable.Builder table =
        DataTable.of(
            "figure-16-deduplication",
            "Items removed by Algorithm 1 of " + data.size(),
            "threshold",
            "planted",
            "1 cluster",
            "8 clusters",
            "64 clusters");
    int[][] assignments = new int[CLUSTERS.length][];
    for (int c = 0; c < CLUSTERS.length; c++) {
      assignments[c] = data.clusters(CLUSTERS[c]);
    }
    double[][] percent = new double[CLUSTERS.length + 1][thresholds.length];
    for (int i = 0; i < thresholds.length; i++) {
      String[] row = new String[CLUSTERS.length + 2];
      row[0] = Grids.fixed(thresholds[i], 2);
      row[1] = Integer.toString(data.planted(thresholds[i]));
      percent[0][i] = 100.0 * data.planted(thresholds[i]) / data.size();
      for (int c = 0; c < CLUSTERS.length; c++) {
        int removed = data.removed(assignments[c], thresholds[i]).size();
        row[c + 2] = Integer.toString(removed);
        percent[c + 1][i] = 100.0 * removed / data.size();
      }
      table.row(row);
    }
    LineChart chart =
        new LineChart(
                "Algorithm 1 on planted duplicates", "cosine similarity threshold", "removed [%]")
            .xRange(0.5, 0.95)
            .yRange(0, 30)
            .legend(LegendPosition.OutsideE);
    chart.points("planted", thresholds, percent[0], Colors.NEUTRAL, SeriesMarkers.CROSS);
    for (int c = 0; c < CLUSTERS.length; c++) {
      chart.line(
          CLUSTERS[c] == 1 ? "1 cluster" : CLUSTERS[c] + " clusters",
          thresholds,
          percent[c + 1],
          Colors.ramp(c, CLUSTERS.length),
          Dash.SOLID,
          SeriesMarkers.NONE);
    }
    return new Rendering(
        List.of(
            new NamedPicture(
                "figure-16-deduplication",
                "Percentage of items that Algorithm 1 removes over the threshold, for three numbers"
                    + " of clusters, against the planted duplicates",
                new Panels(1, REMARK, chart))),
        List.of(table.build()),
        List.of(REMARK));
  }
}
