package org.rectiflow.study.report;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.rectiflow.evaluation.ControlSetting;
import org.rectiflow.evaluation.RankingStudy;
import org.rectiflow.evaluation.RankingStudy.RankedVariant;
import org.rectiflow.evaluation.RankingStudy.Score;
import org.rectiflow.paper.output.DataTable;
import org.rectiflow.paper.output.Rendering;
import org.rectiflow.study.measure.Sampled;

/** Mean non-dominated ranks over all control settings, as Table 1. */
final class RankingSection {
  private RankingSection() {}

  static Rendering of(Findings findings) {
    List<String> variants = findings.variants();
    RankingStudy ranking = new RankingStudy(variants);
    for (Findings.Place place : findings.places()) {
      Map<String, Score> scores = new LinkedHashMap<>();
      for (String variant : variants) {
        scores.put(
            variant,
            new Score(
                findings.mean(variant, place, Sampled::alignment),
                findings.mean(variant, place, Sampled::frechet)));
      }
      ranking.add(
          new ControlSetting(
              "study", place.weights().equals("ema"), place.steps(), place.guidance()),
          scores);
    }
    int few = findings.plan().evaluation().steps().stream().mapToInt(n -> n).min().orElseThrow();
    int most = findings.mostSteps();
    double guidance = findings.largestGuidance();
    Map<String, Double> fewSteps = ranks(ranking, s -> s.steps() == few);
    Map<String, Double> mostSteps =
        ranks(ranking, s -> s.steps() == most && s.guidance() == guidance);
    Map<String, Double> printed = PaperRanks.of(variants);
    DataTable.Builder table =
        DataTable.of(
            "ranking",
            "Mean ranks over %d control settings (smaller is better), and the paper's Table 1"
                .formatted(ranking.settings().size()),
            findings.compared(),
            "all",
            few + " steps",
            most + " steps",
            "paper: all");
    Map<String, Double> ours = new LinkedHashMap<>();
    for (RankedVariant variant : ranking.meanRanks(_ -> true)) {
      String name = variant.variant();
      ours.put(name, variant.meanRank());
      table.row(
          name,
          Findings.fixed(variant.meanRank(), 2),
          Findings.fixed(fewSteps.get(name), 2),
          Findings.fixed(mostSteps.get(name), 2),
          printed.containsKey(name) ? Findings.fixed(printed.get(name), 2) : "-");
    }
    return new Rendering(List.of(), List.of(table.build()), PaperRanks.agreement(ours, printed));
  }

  private static Map<String, Double> ranks(RankingStudy ranking, Predicate<ControlSetting> column) {
    return ranking.meanRanks(column).stream()
        .collect(Collectors.toMap(RankedVariant::variant, RankedVariant::meanRank));
  }
}
