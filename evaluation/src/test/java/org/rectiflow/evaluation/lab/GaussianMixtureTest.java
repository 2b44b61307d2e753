package org.rectiflow.evaluation.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.Test;
import org.rectiflow.evaluation.FrechetDistance;
import org.rectiflow.evaluation.GaussianStatistics;

class GaussianMixtureTest {

  static final GaussianMixture PLANE =
      new GaussianMixture(
          new double[] {0.5, 0.3, 0.2},
          new double[][] {{-1, 0.5}, {1.5, 1}, {0, -2}},
          new double[] {0.3, 0.5, 0.2});

  static final GaussianMixture LINE =
      new GaussianMixture(
          new double[] {0.25, 0.75}, new double[][] {{-1.5}, {0.5}}, new double[] {0.2, 0.6});

  /** For one Gaussian the posterior is the linear one of any textbook. */
  @Test
  void posteriorOfOneGaussian() {
    GaussianMixture data = GaussianMixture.single(new double[] {0.7, -0.2}, 0.5);
    double a = 0.3;
    double b = 0.8;
    double[] z = {1.1, -0.4};
    Posterior posterior = data.posterior(z, a, b);
    double variance = a * a * 0.25 + b * b;
    double[] mu = {0.7, -0.2};
    for (int i = 0; i < 2; i++) {
      assertThat(posterior.x0()[i])
          .isCloseTo(mu[i] + a * 0.25 / variance * (z[i] - a * mu[i]), within(1e-15));
      assertThat(posterior.epsilon()[i])
          .isCloseTo(b / variance * (z[i] - a * mu[i]), within(1e-15));
    }
    assertThat(posterior.variance()).isCloseTo(2 * 0.25 * b * b / variance, within(1e-15));
    assertThat(data.responsibilities(z, a, b)).containsExactly(1);
  }

  /** z = a x0 + b epsilon holds for the conditional means too. */
  @Test
  void meansAddUpToZ() {
    double[] z = {0.4, -0.9};
    for (double t : new double[] {0.01, 0.3, 0.7, 1}) {
      Posterior posterior = PLANE.posterior(z, 1 - t, t);
      for (int i = 0; i < 2; i++) {
        assertThat((1 - t) * posterior.x0()[i] + t * posterior.epsilon()[i])
            .isCloseTo(z[i], within(1e-14));
        assertThat(posterior.velocity(-1, 1)[i])
            .isCloseTo(posterior.epsilon()[i] - posterior.x0()[i], within(1e-15));
      }
    }
  }

  /** Tweedie: E[epsilon | z] = -b d/dz log p(z), against central differences. */
  @Test
  void noiseIsTheScore() {
    double largest = 0;
    double h = 1e-5;
    for (double t : new double[] {0.1, 0.5, 0.9}) {
      double a = Math.cos(t);
      double b = Math.sin(t);
      double[] z = {-0.3, 0.6};
      for (int i = 0; i < 2; i++) {
        double[] up = z.clone();
        double[] down = z.clone();
        up[i] += h;
        down[i] -= h;
        double score = (PLANE.logDensity(up, a, b) - PLANE.logDensity(down, a, b)) / (2 * h);
        double difference = Math.abs(PLANE.posterior(z, a, b).epsilon()[i] + b * score);
        largest = Math.max(largest, difference);
        assertThat(difference).isLessThan(1e-8);
      }
    }
    System.out.printf("noise against the score: largest difference %.3g%n", largest);
  }

  /** Posterior moments by summing over a fine grid of x0. */
  @Test
  void posteriorMatchesBayesOnAGrid() {
    double a = 0.6;
    double b = 0.5;
    double z = 0.1;
    double mass = 0;
    double first = 0;
    double second = 0;
    for (double x = -6; x < 6; x += 1e-4) {
      double weight =
          Math.exp(
              LINE.logDensity(new double[] {x}, 1, 0) - (z - a * x) * (z - a * x) / (2 * b * b));
      mass += weight;
      first += weight * x;
      second += weight * x * x;
    }
    double mean = first / mass;
    Posterior posterior = LINE.posterior(new double[] {z}, a, b);
    assertThat(posterior.x0()[0]).isCloseTo(mean, within(1e-10));
    assertThat(posterior.variance()).isCloseTo(second / mass - mean * mean, within(1e-10));
  }

  @Test
  void farAwayPointsStayFinite() {
    Posterior posterior = PLANE.posterior(new double[] {1e3, -1e3}, 0.999, 1e-3);
    assertThat(posterior.x0()[0]).isFinite();
    assertThat(posterior.epsilon()[1]).isFinite();
    assertThat(PLANE.logDensity(new double[] {1e3, 0}, 1, 0)).isFinite();
  }

  @Test
  void samplesHaveTheExactMoments() {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(17);
    double[][] samples = new double[200_000][];
    for (int i = 0; i < samples.length; i++) {
      samples[i] = PLANE.sample(random);
    }
    double distance = FrechetDistance.between(GaussianStatistics.of(samples), PLANE.statistics());
    System.out.printf("Frechet distance of 200000 samples to their mixture: %.3g%n", distance);
    assertThat(distance).isLessThan(1e-4);
  }

  @Test
  void refusesWrongMixtures() {
    double[][] mean = {{0}};
    assertThatThrownBy(() -> new GaussianMixture(new double[0], new double[0][], new double[0]))
        .hasMessageContaining("at least one");
    assertThatThrownBy(() -> new GaussianMixture(new double[] {1}, mean, new double[2]))
        .hasMessageContaining("found 1, 1, 2");
    assertThatThrownBy(() -> new GaussianMixture(new double[] {0.9}, mean, new double[] {1}))
        .hasMessageContaining("sum to 1, found 0.9");
    assertThatThrownBy(() -> new GaussianMixture(new double[] {-1}, mean, new double[] {1}))
        .hasMessageContaining("weight 0 must be positive");
    assertThatThrownBy(() -> new GaussianMixture(new double[] {1}, mean, new double[] {0}))
        .hasMessageContaining("std 0 must be positive");
    assertThatThrownBy(() -> GaussianMixture.single(new double[0], 1))
        .hasMessageContaining("at least one dimension");
    assertThatThrownBy(() -> GaussianMixture.single(new double[] {Double.NaN}, 1))
        .hasMessageContaining("mean 0 holds NaN");
    assertThatThrownBy(() -> GaussianMixture.uniform(new double[][] {{0}, {1, 2}}, 1))
        .hasMessageContaining("mean 1 has 2 dimensions");
    assertThatThrownBy(() -> PLANE.posterior(new double[1], 1, 1))
        .hasMessageContaining("z has 1 dimensions, the data 2");
    assertThatThrownBy(() -> PLANE.posterior(new double[2], 0, 0))
        .hasMessageContaining("not both 0");
    assertThatThrownBy(() -> PLANE.logDensity(new double[2], Double.NaN, 0))
        .hasMessageContaining("a = NaN");
    assertThatThrownBy(() -> new LineMixture(PLANE)).hasMessageContaining("found 2 dimensions");
  }
}
