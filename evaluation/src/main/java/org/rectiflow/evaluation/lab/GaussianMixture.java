package org.rectiflow.evaluation.lab;

import java.util.Arrays;
import java.util.random.RandomGenerator;
import org.rectiflow.evaluation.GaussianStatistics;

/**
 * Data x0 drawn from a mixture of isotropic Gaussians, and everything that is known exactly about
 * it after noise was added: {@code z = a x0 + b epsilon} with standard normal epsilon (eq. 2 of the
 * paper) is again a mixture of Gaussians, with means {@code a mu_k} and variances {@code a^2 s_k^2
 * + b^2}. Within a component the posterior is linear in z, and Bayes' rule weighs the components.
 *
 * <p>Immutable; methods may be called from several threads.
 */
public final class GaussianMixture {

  private static final double WEIGHT_TOLERANCE = 1e-9;

  private final double[] weights;
  private final double[][] means;
  private final double[] stds;

  /**
   * A mixture.
   *
   * @param weights positive, with the sum 1
   * @param means one row a component, of equal, positive length
   * @param stds standard deviation of each component along every axis, positive
   * @throws IllegalArgumentException if the numbers of components differ or a value is out of range
   */
  public GaussianMixture(double[] weights, double[][] means, double[] stds) {
    int k = weights.length;
    if (k == 0 || means.length != k || stds.length != k) {
      throw new IllegalArgumentException(
          "a mixture needs equally many weights, means and stds, at least one; found %d, %d, %d"
              .formatted(k, means.length, stds.length));
    }
    if (means[0].length == 0) {
      throw new IllegalArgumentException("data needs at least one dimension; mean 0 is empty");
    }
    double sum = 0;
    for (int i = 0; i < k; i++) {
      if (!(weights[i] > 0)) {
        throw new IllegalArgumentException(
            "weight %d must be positive, found %s".formatted(i, weights[i]));
      }
      if (!(stds[i] > 0) || Double.isInfinite(stds[i])) {
        throw new IllegalArgumentException(
            "std %d must be positive and finite, found %s".formatted(i, stds[i]));
      }
      if (means[i].length != means[0].length) {
        throw new IllegalArgumentException(
            "mean %d has %d dimensions, mean 0 has %d"
                .formatted(i, means[i].length, means[0].length));
      }
      for (double value : means[i]) {
        if (!Double.isFinite(value)) {
          throw new IllegalArgumentException("mean %d holds %s".formatted(i, value));
        }
      }
      sum += weights[i];
    }
    if (Math.abs(sum - 1) > WEIGHT_TOLERANCE) {
      throw new IllegalArgumentException("weights must sum to 1, found " + sum);
    }
    this.weights = weights.clone();
    this.means = Arrays.stream(means).map(double[]::clone).toArray(double[][]::new);
    this.stds = stds.clone();
  }

  /** One Gaussian. */
  public static GaussianMixture single(double[] mean, double std) {
    return new GaussianMixture(new double[] {1}, new double[][] {mean}, new double[] {std});
  }

  /** Equally weighted components of equal standard deviation. */
  public static GaussianMixture uniform(double[][] means, double std) {
    double[] weights = new double[means.length];
    double[] stds = new double[means.length];
    Arrays.fill(weights, 1.0 / means.length);
    Arrays.fill(stds, std);
    return new GaussianMixture(weights, means, stds);
  }

  /** Number of dimensions of the data. */
  public int dimension() {
    return means[0].length;
  }

  /** Number of components. */
  public int components() {
    return weights.length;
  }

  /** Weight of a component. */
  public double weight(int component) {
    return weights[component];
  }

  /** Standard deviation of a component. */
  public double std(int component) {
    return stds[component];
  }

  /** One coordinate of the mean of a component. */
  public double mean(int component, int axis) {
    return means[component][axis];
  }

  /** The mixture of one component alone: the data under a condition that selects it. */
  public GaussianMixture component(int component) {
    return single(means[component], stds[component]);
  }

  /** Mean and covariance of the data, exact. */
  public GaussianStatistics statistics() {
    int d = dimension();
    double[] mean = new double[d];
    for (int k = 0; k < weights.length; k++) {
      for (int i = 0; i < d; i++) {
        mean[i] += weights[k] * means[k][i];
      }
    }
    double[][] covariance = new double[d][d];
    for (int k = 0; k < weights.length; k++) {
      for (int i = 0; i < d; i++) {
        covariance[i][i] += weights[k] * stds[k] * stds[k];
        for (int j = 0; j < d; j++) {
          covariance[i][j] += weights[k] * (means[k][i] - mean[i]) * (means[k][j] - mean[j]);
        }
      }
    }
    return new GaussianStatistics(mean, covariance);
  }

  /** Draws one data point. */
  public double[] sample(RandomGenerator random) {
    double u = random.nextDouble();
    int k = 0;
    for (double sum = weights[0]; k < weights.length - 1 && u >= sum; ) {
      sum += weights[++k];
    }
    double[] x = new double[dimension()];
    for (int i = 0; i < x.length; i++) {
      x[i] = means[k][i] + stds[k] * random.nextGaussian();
    }
    return x;
  }

  /**
   * Log density of z.
   *
   * @param a signal coefficient; 1 for the data itself
   * @param b noise coefficient; 0 for the data itself
   */
  public double logDensity(double[] z, double a, double b) {
    double[] terms = logTerms(z, a, b);
    double largest = Arrays.stream(terms).max().orElseThrow();
    double sum = 0;
    for (double term : terms) {
      sum += Math.exp(term - largest);
    }
    return largest + Math.log(sum);
  }

  /**
   * Probability of each component given z.
   *
   * @param a signal coefficient, at least 0
   * @param b noise coefficient, at least 0; not both 0
   */
  public double[] responsibilities(double[] z, double a, double b) {
    double[] terms = logTerms(z, a, b);
    double largest = Arrays.stream(terms).max().orElseThrow();
    double sum = 0;
    for (int k = 0; k < terms.length; k++) {
      terms[k] = Math.exp(terms[k] - largest);
      sum += terms[k];
    }
    for (int k = 0; k < terms.length; k++) {
      terms[k] /= sum;
    }
    return terms;
  }

  /**
   * What is known about x0 and epsilon given z.
   *
   * @throws IllegalArgumentException if z has another dimension or a and b are not coefficients
   */
  public Posterior posterior(double[] z, double a, double b) {
    double[] r = responsibilities(z, a, b);
    int d = dimension();
    double[] x0 = new double[d];
    double[] epsilon = new double[d];
    for (int k = 0; k < r.length; k++) {
      double s2 = stds[k] * stds[k];
      double variance = a * a * s2 + b * b;
      for (int i = 0; i < d; i++) {
        double centred = z[i] - a * means[k][i];
        x0[i] += r[k] * (means[k][i] + a * s2 / variance * centred);
        epsilon[i] += r[k] * b / variance * centred;
      }
    }
    return new Posterior(x0, epsilon, posteriorVariance(z, a, b, r, x0));
  }

  /** Variance within the components and between their means, without cancellation. */
  private double posteriorVariance(double[] z, double a, double b, double[] r, double[] x0) {
    double sum = 0;
    for (int k = 0; k < r.length; k++) {
      double s2 = stds[k] * stds[k];
      double variance = a * a * s2 + b * b;
      double between = 0;
      for (int i = 0; i < x0.length; i++) {
        double x = means[k][i] + a * s2 / variance * (z[i] - a * means[k][i]);
        between += (x - x0[i]) * (x - x0[i]);
      }
      sum += r[k] * (x0.length * s2 * b * b / variance + between);
    }
    return sum;
  }

  private double[] logTerms(double[] z, double a, double b) {
    int d = dimension();
    if (z.length != d) {
      throw new IllegalArgumentException("z has %d dimensions, the data %d".formatted(z.length, d));
    }
    if (!(a >= 0 && b >= 0 && a + b > 0 && a + b < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          "a and b must be finite, at least 0 and not both 0; found a = %s, b = %s"
              .formatted(a, b));
    }
    double[] terms = new double[weights.length];
    for (int k = 0; k < terms.length; k++) {
      double variance = a * a * stds[k] * stds[k] + b * b;
      double squared = 0;
      for (int i = 0; i < d; i++) {
        double centred = z[i] - a * means[k][i];
        squared += centred * centred;
      }
      terms[k] =
          Math.log(weights[k]) - 0.5 * (squared / variance + d * Math.log(2 * Math.PI * variance));
    }
    return terms;
  }
}
