package org.rectiflow.paper.items;

import java.util.List;
import org.rectiflow.evaluation.ParetoRanking;
import org.rectiflow.evaluation.ParetoRanking.Direction;
import org.rectiflow.paper.output.DataTable;
import org.rectiflow.paper.output.Rendering;

/** Table 2: CLIP score and FID at 25 steps; the numbers are the paper's, the ranks computed. */
public final class Table2 {

  /** A printed row: CLIP and FID on ImageNet, then on CC12M. */
  private record Row(
      String variant, double imageNetClip, double imageNetFid, double ccClip, double ccFid) {}

  private static final List<Row> PRINTED =
      List.of(
          new Row("rf", 0.247, 49.70, 0.217, 94.90),
          new Row("edm(-1.20, 1.20)", 0.236, 63.12, 0.200, 116.60),
          new Row("eps/linear", 0.245, 48.42, 0.222, 90.34),
          new Row("v/cos", 0.244, 50.74, 0.209, 97.87),
          new Row("v/linear", 0.246, 51.68, 0.217, 100.76),
          new Row("rf/lognorm(0.50, 0.60)", 0.256, 80.41, 0.233, 120.84),
          new Row("rf/mode(1.75)", 0.253, 44.39, 0.218, 94.06),
          new Row("rf/lognorm(1.00, 0.60)", 0.254, 114.26, 0.234, 147.69),
          new Row("rf/lognorm(-0.50, 1.00)", 0.248, 45.64, 0.219, 89.70),
          new Row("rf/lognorm(0.00, 1.00)", 0.250, 45.78, 0.224, 89.91));

  private Table2() {}

  /** Prints the table with the three best of each column and the rank of each row. */
  public static Rendering render() {
    double[][] imageNet = new double[PRINTED.size()][];
    double[][] cc = new double[PRINTED.size()][];
    for (int i = 0; i < PRINTED.size(); i++) {
      Row row = PRINTED.get(i);
      imageNet[i] = new double[] {row.imageNetClip(), row.imageNetFid()};
      cc[i] = new double[] {row.ccClip(), row.ccFid()};
    }
    int[] imageNetRanks = ranks(imageNet);
    int[] ccRanks = ranks(cc);
    DataTable.Builder table =
        DataTable.of(
            "table-02-ranks",
            "Table 2 as printed; (1) to (3) mark the best of a column, ranks peel these ten rows",
            "variant",
            "ImageNet CLIP",
            "FID",
            "rank",
            "CC12M CLIP",
            "FID",
            "rank");
    for (int i = 0; i < PRINTED.size(); i++) {
      table.row(
          PRINTED.get(i).variant(),
          marked(imageNet, i, 0),
          marked(imageNet, i, 1),
          Integer.toString(imageNetRanks[i]),
          marked(cc, i, 0),
          marked(cc, i, 1),
          Integer.toString(ccRanks[i]));
    }
    return new Rendering(
        List.of(),
        List.of(table.build()),
        List.of(
            "CLIP scores and FIDs are the paper's and need trained models. The ranks are those of"
                + " these ten rows alone; the paper's average ranks come from all 61 formulations."));
  }

  private static int[] ranks(double[][] scores) {
    return ParetoRanking.ranks(scores, Direction.HIGHER_IS_BETTER, Direction.LOWER_IS_BETTER);
  }

  private static String marked(double[][] scores, int row, int metric) {
    int place = 1;
    for (double[] other : scores) {
      boolean better = metric == 0 ? other[0] > scores[row][0] : other[1] < scores[row][1];
      place += better ? 1 : 0;
    }
    String number = Grids.fixed(scores[row][metric], metric == 0 ? 3 : 2);
    return place <= 3 ? number + " (" + place + ")" : number;
  }
}
