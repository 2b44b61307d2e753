package org.rectiflow.evaluation.lab;

import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.rectiflow.scheduler.formulation.Formulation;
import org.rectiflow.scheduler.path.NoisePath;
import org.rectiflow.scheduler.path.Prediction;

/**
 * The loss that remains with a perfect network: the mean over z of the variance of x0 given z.
 *
 * <p>Other targets follow from the floor of x0. Given z, noise and data are tied by {@code epsilon
 * = (z - a x0) / b}, so the floor of an epsilon prediction is {@code (a/b)^2} times that of x0, and
 * that of a velocity {@code (a' - b' a/b)^2} times. For the rectified flow and data N(0, s^2) this
 * gives {@code s^2 / ((1-t)^2 s^2 + t^2)} per dimension, largest in the middle: the reason the
 * paper gives for sampling intermediate timesteps more often (Section 3.1).
 */
public final class LossFloor {

  /** Half-width of the integration range beyond the outer means, in standard deviations. */
  private static final double RANGE = 10;

  /** A mean and how uncertain it is. */
  public record Estimate(double mean, double standardError) {}

  private LossFloor() {}

  /**
   * E[ tr Var(x0 | z) ] of one-dimensional data, by the trapezoidal rule, which converges
   * exponentially on this smooth integrand.
   *
   * @throws IllegalArgumentException if the data has more dimensions, or its components are so
   *     narrow for their distance that the rule would need more than 10 million points
   */
  public static double ofX0(LineMixture line, double a, double b) {
    GaussianMixture mixture = line.mixture();
    if (b == 0) {
      return 0;
    }
    double low = Double.POSITIVE_INFINITY;
    double high = Double.NEGATIVE_INFINITY;
    double narrowest = Double.POSITIVE_INFINITY;
    double widest = 0;
    double lowestMean = Double.POSITIVE_INFINITY;
    double highestMean = Double.NEGATIVE_INFINITY;
    for (int k = 0; k < mixture.components(); k++) {
      double std = Math.hypot(a * mixture.std(k), b);
      double mean = a * mixture.mean(k, 0);
      low = Math.min(low, mean - RANGE * std);
      high = Math.max(high, mean + RANGE * std);
      narrowest = Math.min(narrowest, std);
      widest = Math.max(widest, std);
      lowestMean = Math.min(lowestMean, mean);
      highestMean = Math.max(highestMean, mean);
    }
    // Responsibilities have complex poles this far from the axis; they set the rule's convergence.
    double pole = Math.PI * narrowest * narrowest / (highestMean - lowestMean + widest);
    double spacing = Math.min(narrowest / 6, pole / 8);
    double points = (high - low) / spacing;
    if (points > 1e7) {
      throw new IllegalArgumentException(
          "the components are too narrow for their distance: %.0f integration points needed"
              .formatted(points));
    }
    int n = (int) Math.ceil(points);
    double h = (high - low) / n;
    double sum = 0;
    double[] z = new double[1];
    for (int i = 0; i <= n; i++) {
      z[0] = low + i * h;
      sum += Math.exp(mixture.logDensity(z, a, b)) * mixture.posterior(z, a, b).variance();
    }
    return sum * h;
  }

  /**
   * The same for data of any dimension, by simulation.
   *
   * @param samples number of draws, at least 2
   * @param seed equal seeds give equal estimates
   */
  public static Estimate ofX0(GaussianMixture mixture, double a, double b, int samples, long seed) {
    if (samples < 2) {
      throw new IllegalArgumentException("samples must be at least 2, found " + samples);
    }
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    double sum = 0;
    double squares = 0;
    for (int n = 0; n < samples; n++) {
      double[] z = mixture.sample(random);
      for (int i = 0; i < z.length; i++) {
        z[i] = a * z[i] + b * random.nextGaussian();
      }
      double variance = mixture.posterior(z, a, b).variance();
      sum += variance;
      squares += variance * variance;
    }
    double mean = sum / samples;
    double spread = Math.max(0, squares / samples - mean * mean);
    return new Estimate(mean, Math.sqrt(spread / (samples - 1)));
  }

  /**
   * The factor from the floor of x0 to that of a prediction {@code p x0 + q epsilon}: {@code (p - q
   * a/b)^2}.
   *
   * @throws IllegalArgumentException if there is no noise at t
   */
  public static double factor(NoisePath path, Prediction prediction, double t) {
    double b = path.b(t);
    if (!(b > 0)) {
      throw new IllegalArgumentException(
          "a loss floor needs noise, but b = %s at t = %s of %s".formatted(b, t, path.name()));
    }
    double factor =
        prediction.dataFactor(path, t) - prediction.noiseFactor(path, t) * path.a(t) / b;
    return factor * factor;
  }

  /** The squared error that a perfect network makes at time t, for one-dimensional data. */
  public static double at(LineMixture line, NoisePath path, Prediction prediction, double t) {
    return factor(path, prediction, t) * ofX0(line, path.a(t), path.b(t));
  }

  /**
   * The training loss of a perfect network: the mean of weight times {@link #at} over timesteps
   * drawn as in training, by the midpoint rule over their probability.
   *
   * @param points of the midpoint rule; its error falls with the square of their number
   */
  public static double of(LineMixture line, Formulation formulation, int points) {
    if (points < 1) {
      throw new IllegalArgumentException("points must be at least 1, found " + points);
    }
    double sum = 0;
    for (int i = 0; i < points; i++) {
      double t = formulation.density().quantile((i + 0.5) / points);
      sum +=
          formulation.outputWeight().at(t)
              * at(line, formulation.path(), formulation.prediction(), t);
    }
    return sum / points;
  }
}
