package org.rectiflow.evaluation.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.Test;
import org.rectiflow.scheduler.formulation.Formulation;
import org.rectiflow.scheduler.path.Cosine;
import org.rectiflow.scheduler.path.Edm;
import org.rectiflow.scheduler.path.NoisePath;
import org.rectiflow.scheduler.path.Prediction;
import org.rectiflow.scheduler.path.RectifiedFlow;

class LossFloorTest {

  private static final NoisePath RF = new RectifiedFlow();
  private static final LineMixture UNIT =
      new LineMixture(GaussianMixture.single(new double[] {0}, 1));

  /** Rectified flow, data N(0, s^2): s^2 / ((1-t)^2 s^2 + t^2). */
  @Test
  void velocityFloorOfOneGaussian() {
    double largest = 0;
    for (double s : new double[] {0.1, 1, 3}) {
      LineMixture line = new LineMixture(GaussianMixture.single(new double[] {0.4}, s));
      for (double t : new double[] {0.05, 0.25, 0.5, 0.75, 1}) {
        double floor = LossFloor.at(line, RF, Prediction.VELOCITY, t);
        double expected = s * s / ((1 - t) * (1 - t) * s * s + t * t);
        largest = Math.max(largest, Math.abs(floor - expected) / expected);
        assertThat(floor).isCloseTo(expected, within(1e-11 * expected));
      }
    }
    System.out.printf("velocity floor, one Gaussian: largest relative difference %.3g%n", largest);
  }

  @Test
  void factSheetValues() {
    double[] times = {0.25, 0.5, 0.75, 1};
    double[] expected = {1.6, 2, 1.6, 1};
    for (int i = 0; i < times.length; i++) {
      double t = times[i];
      assertThat(LossFloor.at(UNIT, RF, Prediction.VELOCITY, t))
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

  /** With unit-variance data and a^2 + b^2 = 1, x0 keeps b^2, epsilon a^2 and v everything, 1. */
  @Test
  void floorsOfTheCosinePath() {
    Cosine path = new Cosine();
    for (double t : new double[] {0.1, 0.5, 0.9}) {
      double a = path.a(t);
      assertThat(LossFloor.ofX0(UNIT, a, path.b(t))).isCloseTo(1 - a * a, within(1e-12));
      assertThat(LossFloor.at(UNIT, path, Prediction.EPSILON, t)).isCloseTo(a * a, within(1e-12));
      assertThat(LossFloor.at(UNIT, path, Prediction.V, t)).isCloseTo(1, within(1e-12));
    }
  }

  /**
   * Integrals of 1 / (1 - 2t + 2t^2) over the density, for data N(0, 1): pi/2 for uniform
   * timesteps, 1 + 2/pi for CosMap; on the cosine path 1/2 for epsilon and 1 for v; 5/2 for
   * symmetric edm.
   */
  @Test
  void floorsOfFormulations() {
    assertThat(LossFloor.of(UNIT, Formulation.parse("rf"), 2000))
        .isCloseTo(Math.PI / 2, within(1e-6));
    assertThat(LossFloor.of(UNIT, Formulation.parse("rf/cosmap"), 2000))
        .isCloseTo(1 + 2 / Math.PI, within(1e-6));
    assertThat(LossFloor.of(UNIT, Formulation.parse("eps/cos"), 2000)).isCloseTo(0.5, within(1e-9));
    assertThat(LossFloor.of(UNIT, Formulation.parse("v/cos"), 2000)).isCloseTo(1, within(1e-9));
    // F has the floor 4 (sigma^2 + 1/4) / (sigma^2 + 1); sigma and 1/sigma together give 5.
    assertThat(LossFloor.of(UNIT, Formulation.parse("edm(0.00,0.60)"), 2000))
        .isCloseTo(2.5, within(1e-9));
  }

  /** Any prediction's floor by simulation: the error of the exact model on drawn pairs. */
  @Test
  void floorsAreTheErrorsOfTheExactModel() {
    LineMixture line = new LineMixture(GaussianMixtureTest.LINE);
    Edm path = new Edm(-1.2, 1.2);
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(31);
    for (Prediction prediction : Prediction.values()) {
      double t = 0.8;
      ExactModel model = new ExactModel(GaussianMixtureTest.LINE, path, prediction);
      double scale = prediction.inputScale(path, t);
      int n = 100_000;
      double sum = 0;
      double squares = 0;
      for (int i = 0; i < n; i++) {
        double x0 = GaussianMixtureTest.LINE.sample(random)[0];
        double epsilon = random.nextGaussian();
        double[] input = {scale * path.noised(x0, epsilon, t)};
        double error = model.output(input, t)[0] - prediction.target(path, t, x0, epsilon);
        sum += error * error;
        squares += error * error * error * error;
      }
      double mean = sum / n;
      double standardError = Math.sqrt((squares / n - mean * mean) / n);
      assertThat(Math.abs(mean - LossFloor.at(line, path, prediction, t)))
          .as(prediction.toString())
          .isLessThan(4 * standardError);
    }
  }

  @Test
  void refusesWhatHasNoFloor() {
    assertThatThrownBy(() -> LossFloor.factor(RF, Prediction.EPSILON, 0))
        .hasMessageContaining("needs noise, but b = 0.0 at t = 0.0 of rf");
    assertThatThrownBy(() -> LossFloor.of(UNIT, Formulation.parse("rf"), 0))
        .hasMessageContaining("points must be at least 1");
    assertThatThrownBy(() -> LossFloor.ofX0(GaussianMixtureTest.LINE, 1, 1, 1, 0))
        .hasMessageContaining("samples must be at least 2");
    LineMixture narrow =
        new LineMixture(GaussianMixture.uniform(new double[][] {{-100}, {100}}, 1e-4));
    assertThatThrownBy(() -> LossFloor.ofX0(narrow, 1, 1e-4))
        .hasMessageContaining("integration points");
  }
}
