package org.rectiflow.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class BetaQuantileTest {

  /** p, a, b and {@code scipy.stats.beta.ppf(p, a, b)} of SciPy 1.17.1. */
  private static final double[][] SCIPY = {
    {1e-12, 0.6, 0.6, 1.8558824624914097e-20},
    {0.001, 0.6, 0.6, 1.855873851745199e-05},
    {0.05, 0.6, 0.6, 0.012554456873611399},
    {0.14285714285714285, 0.6, 0.6, 0.07114202617035977},
    {0.5, 0.6, 0.6, 0.5000000000000001},
    {0.8571428571428571, 0.6, 0.6, 0.9288579738296402},
    {0.95, 0.6, 0.6, 0.9874455431263885},
    {0.999, 0.6, 0.6, 0.9999814412614826},
    {0.2, 2.0, 5.0, 0.1398806882699578},
    {0.7, 30.0, 0.5, 0.9975078775449538},
    {1e-06, 3.0, 3.0, 0.004652416361586582},
  };

  @Test
  void equalsScipy() {
    double largest = 0;
    for (double[] row : SCIPY) {
      double actual = BetaQuantile.of(row[0], row[1], row[2]);
      largest = Math.max(largest, Math.abs(actual - row[3]) / row[3]);
      assertThat(actual).isCloseTo(row[3], within(1e-13 * row[3]));
    }
    System.out.printf("largest relative difference from SciPy: %.1e%n", largest);
  }

  @Test
  void endsAndBadInput() {
    assertThat(BetaQuantile.of(0, 0.6, 0.6)).isEqualTo(0);
    assertThat(BetaQuantile.of(1, 0.6, 0.6)).isEqualTo(1);
    assertThatThrownBy(() -> BetaQuantile.of(1.5, 0.6, 0.6)).hasMessageContaining("found 1.5");
  }
}
