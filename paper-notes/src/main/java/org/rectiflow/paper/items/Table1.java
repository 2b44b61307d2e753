package org.rectiflow.paper.items;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.rectiflow.evaluation.ControlSetting;
import org.rectiflow.evaluation.RankingStudy;
import org.rectiflow.evaluation.RankingStudy.RankedVariant;
import org.rectiflow.paper.output.DataTable;
import org.rectiflow.paper.output.Rendering;

/** Table 1: the ranking of the 61 formulations. */
public final class Table1 {

  /** A printed row: variant, mean rank over all 24 settings, over 5 steps, over 50 steps. */
  private record Row(String variant, double all, double five, double fifty) {}

  private static final List<Row> PRINTED =
      List.of(
          new Row("rf/lognorm(0.00, 1.00)", 1.54, 1.25, 1.50),
          new Row("rf/lognorm(1.00, 0.60)", 2.08, 3.50, 2.00),
          new Row("rf/lognorm(0.50, 0.60)", 2.71, 8.50, 1.00),
          new Row("rf/mode(1.29)", 2.75, 3.25, 3.00),
          new Row("rf/lognorm(0.50, 1.00)", 2.83, 1.50, 2.50),
          new Row("eps/linear", 2.88, 4.25, 2.75),
          new Row("rf/mode(1.75)", 3.33, 2.75, 2.75),
          new Row("rf/cosmap", 4.13, 3.75, 4.00),
          new Row("edm(0.00, 0.60)", 5.63, 13.25, 3.25),
          new Row("rf", 5.67, 6.50, 5.75),
          new Row("v/linear", 6.83, 5.75, 7.75),
          new Row("edm(0.60, 1.20)", 9.00, 13.00, 9.00),
          new Row("v/cos", 9.17, 12.25, 8.75),
          new Row("edm/cos", 11.04, 14.25, 11.25),
          new Row("edm/rf", 13.04, 15.25, 13.25),
          new Row("edm(-1.20, 1.20)", 15.58, 20.25, 15.00));

  private static final int SETTINGS = ControlSetting.paper().size();
  private static final int SETTINGS_WITH_5_STEPS = 4;

  private Table1() {}

  /** The printed mean ranks over all settings, by the printed names, best first. */
  public static Map<String, Double> meanRanks() {
    Map<String, Double> ranks = new LinkedHashMap<>();
    PRINTED.forEach(row -> ranks.put(row.variant(), row.all()));
    return ranks;
  }

  /** Checks the printed table; shows a study in miniature, and one in the exact laboratory. */
  public static Rendering render() {
    Miniature study = Miniature.of("formulations");
    List<String> notes = new ArrayList<>(study.notes());
    notes.addAll(
        List.of(
            "The printed ranks are means of whole ranks: the column \"all\" consists of multiples of"
                + " 1/24, as 24 settings give, and both others of multiples of 1/4. For 5 steps that"
                + " is one sampler with and without EMA on two datasets; for 50 steps it means that"
                + " one guidance scale of the three was averaged, not all.",
            "The second table runs the same procedure without training: every formulation has a"
                + " perfect network for two mixtures of eight Gaussians in the plane, under the six"
                + " samplers of Appendix B.3. The mean probability of the requested class stands for"
                + " the CLIP score, the Frechet distance to the data for FID. A perfect network does"
                + " not depend on the training density, so all rf formulations are one sampler, and"
                + " so are eps and v on a path: the differences between them in the paper are"
                + " differences of training. edm takes Euler steps in b/a, the others in t, all"
                + " equal in t, which the paper does not state."));
    return new Rendering(List.of(), List.of(printed(), trained(study), exact()), notes);
  }

  /** One run of the study in miniature. */
  private static DataTable trained(Miniature study) {
    return study
        .cells("ranking")
        .table(
            "table-01-miniature",
            "Sixteen formulations trained here for minutes (not the paper's models or data)");
  }

  private static DataTable printed() {
    DataTable.Builder table =
        DataTable.of(
            "table-01-printed",
            "Table 1 as printed, and the sum of ranks each mean stands for",
            "variant",
            "all",
            "x 24",
            "5 steps",
            "x 4",
            "50 steps",
            "x 4");
    for (Row row : PRINTED) {
      table.row(
          row.variant(),
          Grids.fixed(row.all(), 2),
          wholeSum(row.all(), SETTINGS),
          Grids.fixed(row.five(), 2),
          wholeSum(row.five(), SETTINGS_WITH_5_STEPS),
          Grids.fixed(row.fifty(), 2),
          wholeSum(row.fifty(), SETTINGS_WITH_5_STEPS));
    }
    return table.build();
  }

  /** The whole number whose share prints as the mean, or a remark that there is none. */
  private static String wholeSum(double mean, int settings) {
    long sum = Math.round(mean * settings);
    boolean exact = Math.abs((double) sum / settings - mean) <= 0.005 + 1e-12;
    return exact ? Long.toString(sum) : "not whole";
  }

  private static DataTable exact() {
    ExactStudy study = ExactStudy.run();
    RankingStudy ranking = study.ranking();
    Function<List<RankedVariant>, Map<String, Double>> byName =
        list ->
            list.stream()
                .collect(Collectors.toMap(RankedVariant::variant, RankedVariant::meanRank));
    Map<String, Double> five = byName.apply(ranking.meanRanks(s -> s.steps() == 5));
    Map<String, Double> fifty =
        byName.apply(ranking.meanRanks(s -> s.steps() == 50 && s.guidance() == 5));
    DataTable.Builder table =
        DataTable.of(
            "table-01-exact",
            "The procedure of Table 1 in the exact laboratory (not the paper's numbers)",
            "sampler",
            "formulations",
            "all",
            "5 steps",
            "50 steps");
    List<String> seen = new ArrayList<>();
    for (RankedVariant variant : ranking.meanRanks(_ -> true)) {
      String sampler = study.samplerOf(variant.variant());
      if (!seen.contains(sampler)) {
        seen.add(sampler);
        table.row(
            sampler,
            study.formulationsOf(sampler),
            Grids.fixed(variant.meanRank(), 2),
            Grids.fixed(five.get(variant.variant()), 2),
            Grids.fixed(fifty.get(variant.variant()), 2));
      }
    }
    return table.build();
  }
}
