package org.rectiflow.evaluation;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.rectiflow.evaluation.ParetoRanking.Direction;

/**
 * The study behind Table 1: in every control setting each variant has a CLIP score (higher is
 * better) and a FID (lower is better); variants are ranked within each setting and the ranks are
 * averaged over the settings a column selects.
 */
public final class RankingStudy {

  /**
   * The two metrics of one variant in one setting.
   *
   * @param clip text-image agreement, higher is better
   * @param fid Frechet distance of image features, lower is better
   */
  public record Score(double clip, double fid) {}

  /** A variant and its mean rank. */
  public record RankedVariant(String variant, double meanRank) {}

  private final List<String> variants;
  private final Map<ControlSetting, int[]> ranks = new LinkedHashMap<>();

  /**
   * A study of these variants, still without results.
   *
   * @throws IllegalArgumentException if there is none or a name comes twice
   */
  public RankingStudy(List<String> variants) {
    if (variants.isEmpty() || variants.stream().distinct().count() != variants.size()) {
      throw new IllegalArgumentException(
          "a ranking needs distinct variants, at least one; found " + variants);
    }
    this.variants = List.copyOf(variants);
  }

  /**
   * Adds the scores of one control setting and ranks the variants in it.
   *
   * @throws IllegalArgumentException if the setting was added before, or the variants of {@code
   *     scores} are not exactly those of the study
   */
  public void add(ControlSetting setting, Map<String, Score> scores) {
    if (ranks.containsKey(setting)) {
      throw new IllegalArgumentException(setting + " was added before");
    }
    if (!scores.keySet().equals(Set.copyOf(variants))) {
      throw new IllegalArgumentException(
          "scores of %s are for %s, the study is of %s"
              .formatted(setting, scores.keySet(), variants));
    }
    double[][] table = new double[variants.size()][];
    for (int i = 0; i < table.length; i++) {
      Score score = scores.get(variants.get(i));
      table[i] = new double[] {score.clip(), score.fid()};
    }
    ranks.put(
        setting, ParetoRanking.ranks(table, Direction.HIGHER_IS_BETTER, Direction.LOWER_IS_BETTER));
  }

  /** The settings added so far, in order. */
  public List<ControlSetting> settings() {
    return List.copyOf(ranks.keySet());
  }

  /** The ranks of one setting, in the order of the variants given to the constructor. */
  public int[] ranks(ControlSetting setting) {
    int[] found = ranks.get(setting);
    if (found == null) {
      throw new IllegalArgumentException(setting + " was not added; there are " + ranks.keySet());
    }
    return found.clone();
  }

  /**
   * Mean rank of each variant over the settings that {@code column} selects, best first (the paper
   * has the columns "all", "5 steps" and "50 steps").
   *
   * @throws IllegalArgumentException if no setting is selected
   */
  public List<RankedVariant> meanRanks(Predicate<ControlSetting> column) {
    List<int[]> selected = new ArrayList<>();
    ranks.forEach((setting, settingRanks) -> {
      if (column.test(setting)) {
        selected.add(settingRanks);
      }
    });
    double[] mean = ParetoRanking.average(selected);
    List<RankedVariant> result = new ArrayList<>();
    for (int i = 0; i < mean.length; i++) {
      result.add(new RankedVariant(variants.get(i), mean[i]));
    }
    result.sort(Comparator.comparingDouble(RankedVariant::meanRank));
    return List.copyOf(result);
  }
}
