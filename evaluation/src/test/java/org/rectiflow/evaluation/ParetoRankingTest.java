package org.rectiflow.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.rectiflow.evaluation.ParetoRanking.Direction.HIGHER_IS_BETTER;
import static org.rectiflow.evaluation.ParetoRanking.Direction.LOWER_IS_BETTER;

import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class ParetoRankingTest {

  /** Table 2 of the paper, top to bottom: CLIP and FID on ImageNet. */
  private static final double[][] IMAGENET = {
    {0.247, 49.70}, {0.236, 63.12}, {0.245, 48.42}, {0.244, 50.74}, {0.246, 51.68},
    {0.256, 80.41}, {0.253, 44.39}, {0.254, 114.26}, {0.248, 45.64}, {0.250, 45.78}
  };

  /** The same on CC12M. */
  private static final double[][] CC12M = {
    {0.217, 94.90}, {0.200, 116.60}, {0.222, 90.34}, {0.209, 97.87}, {0.217, 100.76},
    {0.233, 120.84}, {0.218, 94.06}, {0.234, 147.69}, {0.219, 89.70}, {0.224, 89.91}
  };

  @Test
  void peelsTheRowsOfTable2() {
    assertThat(ParetoRanking.ranks(IMAGENET, HIGHER_IS_BETTER, LOWER_IS_BETTER))
        .containsExactly(3, 5, 3, 4, 4, 1, 1, 2, 2, 2);
    assertThat(ParetoRanking.ranks(CC12M, HIGHER_IS_BETTER, LOWER_IS_BETTER))
        .containsExactly(4, 6, 2, 5, 5, 1, 3, 1, 1, 1);
  }

  @Test
  void oneMetricIsDenseRanking() {
    double[][] scores = {{3}, {1}, {3}, {2}};
    assertThat(ParetoRanking.ranks(scores, HIGHER_IS_BETTER)).containsExactly(1, 3, 1, 2);
    assertThat(ParetoRanking.ranks(scores, LOWER_IS_BETTER)).containsExactly(3, 1, 3, 2);
  }

  @Test
  void equalRowsShareARankAndAnAntichainIsOneFront() {
    assertThat(
            ParetoRanking.ranks(
                new double[][] {{1, 1}, {1, 1}, {2, 0}, {0, 2}},
                HIGHER_IS_BETTER,
                HIGHER_IS_BETTER))
        .containsOnly(1);
  }

  /** A rank is the length of the longest chain of dominating rows that ends at the row. */
  @Test
  void rankIsTheLongestChainAbove() {
    SplittableRandom random = new SplittableRandom(3);
    for (int round = 0; round < 20; round++) {
      double[][] scores = new double[40][2];
      for (double[] row : scores) {
        row[0] = random.nextInt(12);
        row[1] = random.nextInt(12);
      }
      int[] ranks = ParetoRanking.ranks(scores, HIGHER_IS_BETTER, LOWER_IS_BETTER);
      for (int i = 0; i < scores.length; i++) {
        assertThat(ranks[i]).isEqualTo(chain(scores, i));
      }
    }
  }

  private static int chain(double[][] scores, int i) {
    int longest = 0;
    for (double[] other : scores) {
      boolean dominates =
          other[0] >= scores[i][0]
              && other[1] <= scores[i][1]
              && (other[0] > scores[i][0] || other[1] < scores[i][1]);
      if (dominates) {
        longest = Math.max(longest, chain(scores, List.of(scores).indexOf(other)));
      }
    }
    return longest + 1;
  }

  @Test
  void averagesOverSettings() {
    assertThat(ParetoRanking.average(List.of(new int[] {1, 3}, new int[] {2, 3}, new int[] {2, 1})))
        .containsExactly(5 / 3.0, 7 / 3.0);
  }

  @Test
  void refusesWhatCannotBeRanked() {
    assertThatThrownBy(() -> ParetoRanking.ranks(new double[][] {{1}}))
        .hasMessageContaining("at least one metric");
    assertThatThrownBy(() ->
            ParetoRanking.ranks(new double[][] {{1, 2}, {1}}, HIGHER_IS_BETTER, LOWER_IS_BETTER))
        .hasMessageContaining("row 1 has 1 scores but 2");
    assertThatThrownBy(() -> ParetoRanking.ranks(new double[][] {{Double.NaN}}, LOWER_IS_BETTER))
        .hasMessageContaining("score 0 of row 0 is NaN");
    assertThatThrownBy(() -> ParetoRanking.average(List.of()))
        .hasMessageContaining("no control setting");
    assertThatThrownBy(() -> ParetoRanking.average(List.of(new int[] {1}, new int[] {1, 2})))
        .hasMessageContaining("same variants");
  }

  @Test
  void emptyTableHasNoRanks() {
    assertThat(ParetoRanking.ranks(new double[0][], HIGHER_IS_BETTER)).isEmpty();
  }
}
