package org.rectiflow.evaluation;

import org.ejml.data.DMatrixRMaj;

/** Mean and covariance of a set of feature vectors. Immutable. */
public final class GaussianStatistics {

  /** Covariances may be this unsymmetric, as a fraction of their largest entry. */
  private static final double SYMMETRY_TOLERANCE = 1e-8;

  private final double[] mean;
  private final DMatrixRMaj covariance;

  /**
   * Given moments.
   *
   * @param mean length d
   * @param covariance d x d, symmetric, positive semi-definite
   * @throws IllegalArgumentException if the mean is empty, the covariance is not square, its size
   *     is not the mean's, an entry is not finite, or it is not symmetric
   */
  public GaussianStatistics(double[] mean, double[][] covariance) {
    check(mean, covariance);
    this.mean = mean.clone();
    this.covariance = new DMatrixRMaj(covariance);
  }

  private static void check(double[] mean, double[][] covariance) {
    int d = mean.length;
    if (d == 0) {
      throw new IllegalArgumentException("the mean is empty; features need at least one dimension");
    }
    if (covariance.length != d) {
      throw new IllegalArgumentException(
          "the mean has %d entries but the covariance has %d rows; it must be %d x %d"
              .formatted(d, covariance.length, d, d));
    }
    double largest = 0;
    for (int i = 0; i < d; i++) {
      if (covariance[i].length != d) {
        throw new IllegalArgumentException(
            "the covariance is not square: row %d has %d entries, expected %d"
                .formatted(i, covariance[i].length, d));
      }
      if (!Double.isFinite(mean[i])) {
        throw new IllegalArgumentException("mean entry %d is %s".formatted(i, mean[i]));
      }
      for (int j = 0; j < d; j++) {
        if (!Double.isFinite(covariance[i][j])) {
          throw new IllegalArgumentException(
              "covariance entry (%d, %d) is %s".formatted(i, j, covariance[i][j]));
        }
        largest = Math.max(largest, Math.abs(covariance[i][j]));
      }
    }
    for (int i = 0; i < d; i++) {
      for (int j = 0; j < i; j++) {
        if (Math.abs(covariance[i][j] - covariance[j][i]) > SYMMETRY_TOLERANCE * largest) {
          throw new IllegalArgumentException(
              "the covariance is not symmetric: entry (%d, %d) is %s, entry (%d, %d) is %s"
                  .formatted(i, j, covariance[i][j], j, i, covariance[j][i]));
        }
      }
    }
  }

  /**
   * Sample mean and unbiased covariance (divisor n - 1).
   *
   * @param samples one row a feature vector; at least two rows of equal, positive length
   * @throws IllegalArgumentException if there are fewer than two samples or their lengths differ
   */
  public static GaussianStatistics of(double[][] samples) {
    if (samples.length < 2) {
      throw new IllegalArgumentException(
          "a covariance needs at least two samples, found " + samples.length);
    }
    int d = samples[0].length;
    double[] mean = new double[d];
    for (int s = 0; s < samples.length; s++) {
      if (samples[s].length != d) {
        throw new IllegalArgumentException(
            "sample %d has %d features, sample 0 has %d".formatted(s, samples[s].length, d));
      }
      for (int i = 0; i < d; i++) {
        mean[i] += samples[s][i];
      }
    }
    for (int i = 0; i < d; i++) {
      mean[i] /= samples.length;
    }
    return new GaussianStatistics(mean, covariance(samples, mean));
  }

  /** The same for float features, such as those of a network. */
  public static GaussianStatistics of(float[][] samples) {
    double[][] wide = new double[samples.length][];
    for (int s = 0; s < samples.length; s++) {
      wide[s] = new double[samples[s].length];
      for (int i = 0; i < wide[s].length; i++) {
        wide[s][i] = samples[s][i];
      }
    }
    return of(wide);
  }

  /** Number of feature dimensions. */
  public int dimension() {
    return mean.length;
  }

  /** A copy of the mean. */
  public double[] mean() {
    return mean.clone();
  }

  /** One entry of the covariance. */
  public double covariance(int row, int column) {
    return covariance.get(row, column);
  }

  /** A copy for EJML. */
  DMatrixRMaj covarianceMatrix() {
    return covariance.copy();
  }

  private static double[][] covariance(double[][] samples, double[] mean) {
    int d = mean.length;
    double[][] covariance = new double[d][d];
    double[] centred = new double[d];
    for (double[] sample : samples) {
      for (int i = 0; i < d; i++) {
        centred[i] = sample[i] - mean[i];
      }
      for (int i = 0; i < d; i++) {
        for (int j = 0; j <= i; j++) {
          covariance[i][j] += centred[i] * centred[j];
        }
      }
    }
    for (int i = 0; i < d; i++) {
      for (int j = 0; j <= i; j++) {
        covariance[i][j] /= samples.length - 1;
        covariance[j][i] = covariance[i][j];
      }
    }
    return covariance;
  }
}
