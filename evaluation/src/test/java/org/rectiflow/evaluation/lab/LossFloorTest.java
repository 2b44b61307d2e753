package org.rectiflow.evaluation.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class LossFloorTest {

  /** Rectified flow, data N(0, s^2): s^2 / ((1-t)^2 s^2 + t^2). */
  @Test
  void velocityFloorOfOneGaussian() {
    double largest = 0;
    for (double s : new double[] {0.1, 1, 3}) {
      LineMixture line = new LineMixture(GaussianMixture.single(new double[] {0.4}, s));
      for (double t : new double[] {0.05, 0.25, 0.5, 0.75, 1}) {
        double floor = LossFloor.velocityFactor(1 - t, t, -1, 1) * LossFloor.ofX0(line, 1 - t, t);
        double expected = s * s / ((1 - t) * (1 - t) * s * s + t * t);
        largest = Math.max(largest, Math.abs(floor - expected) / expected);
        assertThat(floor).isCloseTo(expected, within(1e-11 * expected));
      }
    }
    System.out.printf("velocity floor, one Gaussian: largest relative difference %.3g%n", largest);
  }

  @Test
  void factSheetValues() {
    LineMixture unit = new LineMixture(GaussianMixture.single(new double[] {0}, 1));
    double[] times = {0.25, 0.5, 0.75, 1};
    double[] expected = {1.6, 2, 1.6, 1};
    for (int i = 0; i < times.length; i++) {
      double t = times[i];
      assertThat(LossFloor.velocityFactor(1 - t, t, -1, 1) * LossFloor.ofX0(unit, 1 - t, t))
          .isCloseTo(expected[i], within(1e-12));
    }
  }

  /** Two far components: at low noise their variances add, at high noise nothing is known. */
  @Test
  void mixtureLimits() {
    LineMixture line = new LineMixture(GaussianMixtureTest.LINE);
    double within = 0.25 * 0.04 + 0.75 * 0.36;
    double between = 0.25 * 0.75 * 4;
    assertThat(LossFloor.ofX0(line, 0, 1)).isCloseTo(within + between, within(1e-12));
    assertThat(LossFloor.ofX0(line, 1, 0)).isZero();
    double small = LossFloor.ofX0(line, 1, 1e-3);
    assertThat(small).isCloseTo(1e-6, within(1e-8));
  }

  @Test
  void simulationAgreesWithQuadrature() {
    LineMixture line = new LineMixture(GaussianMixtureTest.LINE);
    for (double t : new double[] {0.2, 0.5, 0.8}) {
      LossFloor.Estimate estimate = LossFloor.ofX0(GaussianMixtureTest.LINE, 1 - t, t, 100_000, 23);
      double exact = LossFloor.ofX0(line, 1 - t, t);
      System.out.printf(
          "floor at t=%.1f: %.6f, simulated %.6f +- %.6f%n",
          t, exact, estimate.mean(), estimate.standardError());
      assertThat(Math.abs(estimate.mean() - exact)).isLessThan(4 * estimate.standardError());
    }
  }

  @Test
  void epsilonAndX0FloorsAreTied() {
    assertThat(LossFloor.epsilonFactor(0.6, 0.3)).isCloseTo(4, within(1e-12));
    assertThat(LossFloor.velocityFactor(0.6, 0.3, -0.5, 2)).isCloseTo(20.25, within(1e-12));
  }

  @Test
  void refusesWhatHasNoFloor() {
    assertThatThrownBy(() -> LossFloor.epsilonFactor(1, 0)).hasMessageContaining("found b = 0.0");
    assertThatThrownBy(() -> LossFloor.velocityFactor(1, 0, -1, 1))
        .hasMessageContaining("found b = 0.0");
    assertThatThrownBy(() -> LossFloor.ofX0(GaussianMixtureTest.LINE, 1, 1, 1, 0))
        .hasMessageContaining("samples must be at least 2");
    LineMixture narrow =
        new LineMixture(GaussianMixture.uniform(new double[][] {{-100}, {100}}, 1e-4));
    assertThatThrownBy(() -> LossFloor.ofX0(narrow, 1, 1e-4))
        .hasMessageContaining("integration points");
  }
}
