package org.rectiflow.study.report;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.rectiflow.paper.items.Table1;

/** The ranks that the paper prints beside those of a study. */
final class PaperRanks {
  private static final int ENOUGH = 3;

  private PaperRanks() {}

  /** The printed mean ranks of these variants, where there are any. */
  static Map<String, Double> of(List<String> variants) {
    Map<String, Double> bare = new LinkedHashMap<>();
    Table1.meanRanks().forEach((name, rank) -> bare.put(bare(name), rank));
    Map<String, Double> found = new LinkedHashMap<>();
    for (String variant : variants) {
      Double rank = bare.get(bare(variant));
      if (rank != null) {
        found.put(variant, rank);
      }
    }
    return found;
  }

  /** Without blanks and needless zeros, which the names may or may not have. */
  private static String bare(String name) {
    return name.replaceAll("\\s", "")
        .replaceAll("(\\.\\d*?)0+(?=[,)])", "$1")
        .replaceAll("\\.(?=[,)])", "");
  }

  /** How far both agree, in a sentence. */
  static List<String> agreement(Map<String, Double> ours, Map<String, Double> printed) {
    List<String> common = ours.keySet().stream().filter(printed::containsKey).toList();
    if (common.size() < ENOUGH) {
      return List.of();
    }
    double[] a = common.stream().mapToDouble(ours::get).toArray();
    double[] b = common.stream().mapToDouble(printed::get).toArray();
    return List.of(
        "Spearman's rank correlation with the paper's ranks over the %d variants that both have: %s (1: the same order, 0: none, -1: reversed). The paper's first is %s, ours is %s."
            .formatted(
                common.size(),
                Findings.fixed(spearman(a, b), 2),
                best(common, printed),
                best(common, ours)));
  }

  private static String best(List<String> names, Map<String, Double> ranks) {
    List<String> sorted = new ArrayList<>(names);
    sorted.sort((x, y) -> Double.compare(ranks.get(x), ranks.get(y)));
    return sorted.getFirst();
  }

  /** The correlation of mid-ranks. */
  static double spearman(double[] a, double[] b) {
    double[] x = ranks(a);
    double[] y = ranks(b);
    double mean = (a.length + 1) / 2.0;
    double xy = 0;
    double xx = 0;
    double yy = 0;
    for (int i = 0; i < x.length; i++) {
      xy += (x[i] - mean) * (y[i] - mean);
      xx += (x[i] - mean) * (x[i] - mean);
      yy += (y[i] - mean) * (y[i] - mean);
    }
    return xx == 0 || yy == 0 ? 0 : xy / Math.sqrt(xx * yy);
  }

  private static double[] ranks(double[] values) {
    return Arrays.stream(values)
        .map(v -> {
          long smaller = Arrays.stream(values).filter(o -> o < v).count();
          long equal = Arrays.stream(values).filter(o -> o == v).count();
          return smaller + (equal + 1) / 2.0;
        })
        .toArray();
  }
}
