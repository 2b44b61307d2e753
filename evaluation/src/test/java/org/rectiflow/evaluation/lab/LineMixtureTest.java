package org.rectiflow.evaluation.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class LineMixtureTest {

  private static final LineMixture LINE = new LineMixture(GaussianMixtureTest.LINE);

  @Test
  void quantileInvertsTheCdf() {
    double largest = 0;
    for (double t : new double[] {0, 0.2, 0.6, 1}) {
      for (double p : new double[] {1e-12, 1e-3, 0.1, 0.25, 0.5, 0.9, 1 - 1e-9}) {
        double z = LINE.quantile(p, 1 - t, t);
        double difference = Math.abs(LINE.cdf(z, 1 - t, t) - p);
        largest = Math.max(largest, difference);
        assertThat(difference).isLessThan(1e-14);
      }
    }
    System.out.printf("cdf(quantile(p)) - p: largest difference %.3g%n", largest);
  }

  @Test
  void oneGaussianIsTransportedLinearly() {
    LineMixture line = new LineMixture(GaussianMixture.single(new double[] {0.3}, 0.5));
    for (double z : new double[] {-4, -1, 0, 0.5, 6}) {
      // From N(0.3 a, a^2/4 + b^2) to N(0.3, 1/4).
      double a = 0.2;
      double b = 0.9;
      double expected = 0.3 + 0.5 * (z - 0.3 * a) / Math.sqrt(0.25 * a * a + b * b);
      assertThat(line.transport(z, a, b, 1, 0)).isCloseTo(expected, within(1e-12));
    }
  }

  /** The quantile map against fourth-order integration of the optimal velocity. */
  @Test
  void transportSolvesTheOde() {
    double largest = 0;
    for (double start : new double[] {-2, -0.5, 0.1, 1.5}) {
      double z = start;
      int n = 2000;
      for (int i = 0; i < n; i++) {
        double t = 1 - (double) i / n;
        double h = -1.0 / n;
        double k1 = velocity(z, t);
        double k2 = velocity(z + h / 2 * k1, t + h / 2);
        double k3 = velocity(z + h / 2 * k2, t + h / 2);
        double k4 = velocity(z + h * k3, t + h);
        z += h / 6 * (k1 + 2 * k2 + 2 * k3 + k4);
      }
      double difference = Math.abs(z - LINE.transport(start, 0, 1, 1, 0));
      largest = Math.max(largest, difference);
      assertThat(difference).isLessThan(1e-8);
    }
    System.out.printf("quantile map against Runge-Kutta: largest difference %.3g%n", largest);
  }

  private static double velocity(double z, double t) {
    return GaussianMixtureTest.LINE.posterior(new double[] {z}, 1 - t, Math.max(t, 0))
        .velocity(-1, 1)[0];
  }

  @Test
  void refusesImpossibleProbabilities() {
    assertThatThrownBy(() -> LINE.quantile(0, 1, 0)).hasMessageContaining("found 0.0");
    assertThatThrownBy(() -> LINE.quantile(1, 1, 0)).hasMessageContaining("found 1.0");
  }
}
