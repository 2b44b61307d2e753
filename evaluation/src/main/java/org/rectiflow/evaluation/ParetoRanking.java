package org.rectiflow.evaluation;

import java.util.Arrays;
import java.util.List;

/**
 * Non-dominated sorting, the ranking of Section 5.1.1 of the paper: the Pareto-optimal variants get
 * rank 1 and are removed, the Pareto-optimal ones of the rest get rank 2, and so on.
 *
 * <p>A variant dominates another when it is at least as good in every metric and better in one, so
 * equal variants share a rank.
 */
public final class ParetoRanking {

  /** Which way a metric improves. */
  public enum Direction {
    /** Larger is better: CLIP score, SSIM. */
    HIGHER_IS_BETTER,
    /** Smaller is better: FID, losses. */
    LOWER_IS_BETTER
  }

  private ParetoRanking() {}

  /**
   * Ranks variants by repeated removal of the Pareto-optimal ones.
   *
   * @param scores one row a variant, one column a metric
   * @param directions one direction a metric
   * @return the rank of each row, from 1
   * @throws IllegalArgumentException if there is no metric, a row has another length than {@code
   *     directions}, or a score is NaN (which no ranking can place)
   */
  public static int[] ranks(double[][] scores, Direction... directions) {
    double[][] goodness = goodness(scores, directions);
    int[] ranks = new int[scores.length];
    int ranked = 0;
    for (int rank = 1; ranked < scores.length; rank++) {
      int[] front = front(goodness, ranks);
      for (int i : front) {
        ranks[i] = rank;
      }
      ranked += front.length;
    }
    return ranks;
  }

  /**
   * Averages the ranks of several control settings, as the columns of Table 1 do.
   *
   * @param ranksPerSetting for each setting the ranks of the same variants in the same order
   * @return the mean rank of each variant
   * @throws IllegalArgumentException if there is no setting or the settings differ in length
   */
  public static double[] average(List<int[]> ranksPerSetting) {
    if (ranksPerSetting.isEmpty()) {
      throw new IllegalArgumentException("no control setting to average ranks over");
    }
    int variants = ranksPerSetting.getFirst().length;
    double[] mean = new double[variants];
    for (int[] ranks : ranksPerSetting) {
      if (ranks.length != variants) {
        throw new IllegalArgumentException(
            "every setting must rank the same variants: one ranks %d, another %d"
                .formatted(variants, ranks.length));
      }
      for (int i = 0; i < variants; i++) {
        mean[i] += ranks[i];
      }
    }
    for (int i = 0; i < variants; i++) {
      mean[i] /= ranksPerSetting.size();
    }
    return mean;
  }

  private static double[][] goodness(double[][] scores, Direction[] directions) {
    if (directions.length == 0) {
      throw new IllegalArgumentException("ranking needs at least one metric and its direction");
    }
    double[][] goodness = new double[scores.length][];
    for (int i = 0; i < scores.length; i++) {
      if (scores[i].length != directions.length) {
        throw new IllegalArgumentException(
            "row %d has %d scores but %d directions were given"
                .formatted(i, scores[i].length, directions.length));
      }
      goodness[i] = scores[i].clone();
      for (int m = 0; m < directions.length; m++) {
        if (Double.isNaN(scores[i][m])) {
          throw new IllegalArgumentException("score %d of row %d is NaN".formatted(m, i));
        }
        if (directions[m] == Direction.LOWER_IS_BETTER) {
          goodness[i][m] = -scores[i][m];
        }
      }
    }
    return goodness;
  }

  /** The rows without a rank that no other row without a rank dominates. */
  private static int[] front(double[][] goodness, int[] ranks) {
    int[] front = new int[goodness.length];
    int size = 0;
    for (int i = 0; i < goodness.length; i++) {
      boolean optimal = ranks[i] == 0;
      for (int j = 0; optimal && j < goodness.length; j++) {
        optimal = ranks[j] != 0 || !dominates(goodness[j], goodness[i]);
      }
      if (optimal) {
        front[size++] = i;
      }
    }
    return Arrays.copyOf(front, size);
  }

  private static boolean dominates(double[] a, double[] b) {
    boolean better = false;
    for (int m = 0; m < a.length; m++) {
      if (a[m] < b[m]) {
        return false;
      }
      better |= a[m] > b[m];
    }
    return better;
  }
}
