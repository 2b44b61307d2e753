package org.rectiflow.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.SplittableRandom;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;
import org.junit.jupiter.api.Test;

class FrechetDistanceTest {

  private double largestDifference;

  @Test
  void oneDimension() {
    for (double[] c :
        new double[][] {{0, 1, 0, 1}, {1, 2, -3, 0.5}, {0, 1e-9, 0, 4}, {2, 0, 5, 0}}) {
      GaussianStatistics a = gaussian(new double[] {c[0]}, new double[][] {{c[1] * c[1]}});
      GaussianStatistics b = gaussian(new double[] {c[2]}, new double[][] {{c[3] * c[3]}});
      double expected = (c[0] - c[2]) * (c[0] - c[2]) + (c[1] - c[3]) * (c[1] - c[3]);
      check(FrechetDistance.between(a, b), expected, 1e-12 * (1 + expected));
    }
    report("one dimension");
  }

  /** tr((AB)^{1/2})^2 = tr(AB) + 2 sqrt(det(AB)) for 2 x 2. */
  @Test
  void twoDimensionsClosedForm() {
    SplittableRandom random = new SplittableRandom(1);
    for (int round = 0; round < 200; round++) {
      double[][] a = randomCovariance(random, 2, 2);
      double[][] b = randomCovariance(random, 2, 2);
      double traceAb = 0;
      for (int i = 0; i < 2; i++) {
        for (int j = 0; j < 2; j++) {
          traceAb += a[i][j] * b[j][i];
        }
      }
      double traceRoot = Math.sqrt(traceAb + 2 * Math.sqrt(determinant(a) * determinant(b)));
      double traces = a[0][0] + a[1][1] + b[0][0] + b[1][1];
      check(
          FrechetDistance.between(
              gaussian(new double[] {1, 2}, a), gaussian(new double[] {0, 4}, b)),
          5 + traces - 2 * traceRoot,
          1e-11 * traces);
    }
    report("two dimensions");
  }

  @Test
  void diagonalCovariances() {
    int d = 64;
    SplittableRandom random = new SplittableRandom(2);
    double[][] a = new double[d][d];
    double[][] b = new double[d][d];
    double expected = 0;
    for (int i = 0; i < d; i++) {
      a[i][i] = Math.pow(10, random.nextDouble(-14, 2));
      b[i][i] = Math.pow(10, random.nextDouble(-14, 2));
      double difference = Math.sqrt(a[i][i]) - Math.sqrt(b[i][i]);
      expected += difference * difference;
    }
    check(
        FrechetDistance.between(gaussian(new double[d], a), gaussian(new double[d], b)),
        expected,
        1e-11 * expected);
    report("diagonal, condition 1e16");
  }

  /** Rank one: S1 = u u', S2 = v v' gives |u|^2 + |v|^2 - 2 |u.v|. */
  @Test
  void singularCovariances() {
    int d = 50;
    SplittableRandom random = new SplittableRandom(4);
    double[] u = randomVector(random, d);
    double[] v = randomVector(random, d);
    double expected = dot(u, u) + dot(v, v) - 2 * Math.abs(dot(u, v));
    check(
        FrechetDistance.between(
            gaussian(new double[d], outer(u, u)), gaussian(new double[d], outer(v, v))),
        expected,
        1e-7 * (dot(u, u) + dot(v, v)));
    report("rank one");
  }

  /** A d-dimensional Gaussian scaled by c: (c - 1)^2 tr(S), whatever S, full rank or not. */
  @Test
  void scaledCovariance() {
    SplittableRandom random = new SplittableRandom(5);
    for (int rank : new int[] {1, 7, 30}) {
      double[][] s = randomCovariance(random, 30, rank);
      double[][] scaled = new double[30][30];
      double trace = 0;
      for (int i = 0; i < 30; i++) {
        trace += s[i][i];
        for (int j = 0; j < 30; j++) {
          scaled[i][j] = 2.25 * s[i][j];
        }
      }
      check(
          FrechetDistance.between(gaussian(new double[30], s), gaussian(new double[30], scaled)),
          0.25 * trace,
          1e-7 * trace);
      check(
          FrechetDistance.between(gaussian(new double[30], s), gaussian(new double[30], s)),
          0,
          1e-7 * trace);
    }
    report("scaled");
  }

  @Test
  void fewerSamplesThanFeatures() {
    SplittableRandom random = new SplittableRandom(6);
    double[][] samples = new double[10][40];
    for (double[] row : samples) {
      for (int i = 0; i < row.length; i++) {
        row[i] = random.nextDouble() * 3;
      }
    }
    GaussianStatistics statistics = GaussianStatistics.of(samples);
    double[][] shifted = new double[10][];
    for (int s = 0; s < 10; s++) {
      shifted[s] = samples[s].clone();
      shifted[s][3] += 2;
    }
    check(FrechetDistance.between(statistics, statistics), 0, 1e-6);
    check(FrechetDistance.between(statistics, GaussianStatistics.of(shifted)), 4, 1e-6);
    report("10 samples of 40 features");
  }

  @Test
  void squareRootSquaresBack() {
    double[][] s = randomCovariance(new SplittableRandom(8), 20, 20);
    DMatrixRMaj matrix = new DMatrixRMaj(s);
    DMatrixRMaj root = FrechetDistance.squareRoot(matrix, "test");
    DMatrixRMaj square = new DMatrixRMaj(20, 20);
    CommonOps_DDRM.mult(root, root, square);
    for (int i = 0; i < 400; i++) {
      check(square.get(i), matrix.get(i), 1e-10);
    }
    report("square root");
  }

  @Test
  void statisticsOfSamples() {
    GaussianStatistics s = GaussianStatistics.of(new double[][] {{1, 10}, {2, 8}, {3, 12}, {6, 2}});
    assertThat(s.mean()).containsExactly(3, 8);
    assertThat(s.covariance(0, 0)).isCloseTo(14 / 3.0, within(1e-12));
    assertThat(s.covariance(0, 1)).isCloseTo(-22 / 3.0, within(1e-12));
    assertThat(s.covariance(1, 0)).isEqualTo(s.covariance(0, 1));
    assertThat(s.covariance(1, 1)).isCloseTo(56 / 3.0, within(1e-12));
    GaussianStatistics f = GaussianStatistics.of(new float[][] {{1, 10}, {2, 8}, {3, 12}, {6, 2}});
    assertThat(f.covariance(0, 1)).isEqualTo(s.covariance(0, 1));
  }

  @Test
  void refusesIllShapedInput() {
    assertThatThrownBy(() -> gaussian(new double[2], new double[][] {{1, 0, 0}, {0, 1, 0}}))
        .hasMessageContaining("not square: row 0 has 3 entries, expected 2");
    assertThatThrownBy(() -> gaussian(new double[3], new double[][] {{1, 0}, {0, 1}}))
        .hasMessageContaining("3 entries but the covariance has 2 rows");
    assertThatThrownBy(() -> gaussian(new double[0], new double[0][]))
        .hasMessageContaining("mean is empty");
    assertThatThrownBy(() -> gaussian(new double[2], new double[][] {{1, 0.5}, {0.4, 1}}))
        .hasMessageContaining("not symmetric");
    assertThatThrownBy(
            () -> gaussian(new double[2], new double[][] {{1, Double.NaN}, {Double.NaN, 1}}))
        .hasMessageContaining("(0, 1) is NaN");
    assertThatThrownBy(
            () -> gaussian(new double[] {Double.POSITIVE_INFINITY}, new double[][] {{1}}))
        .hasMessageContaining("mean entry 0");
    assertThatThrownBy(() -> GaussianStatistics.of(new double[][] {{1}}))
        .hasMessageContaining("at least two samples, found 1");
    assertThatThrownBy(() -> GaussianStatistics.of(new double[][] {{1}, {1, 2}}))
        .hasMessageContaining("sample 1 has 2 features");

    GaussianStatistics one = gaussian(new double[1], new double[][] {{1}});
    GaussianStatistics two = gaussian(new double[2], new double[][] {{1, 0}, {0, 1}});
    assertThatThrownBy(() -> FrechetDistance.between(one, two))
        .hasMessageContaining("1 dimensions, the second 2");
    GaussianStatistics indefinite = gaussian(new double[2], new double[][] {{1, 2}, {2, 1}});
    assertThatThrownBy(() -> FrechetDistance.between(two, indefinite))
        .hasMessageContaining("second covariance is not positive semi-definite");
  }

  private static GaussianStatistics gaussian(double[] mean, double[][] covariance) {
    return new GaussianStatistics(mean, covariance);
  }

  private void check(double actual, double expected, double tolerance) {
    largestDifference = Math.max(largestDifference, Math.abs(actual - expected));
    assertThat(actual).isCloseTo(expected, within(tolerance));
  }

  private void report(String name) {
    System.out.printf("Frechet, %s: largest difference %.3g%n", name, largestDifference);
  }

  private static double[][] randomCovariance(SplittableRandom random, int d, int rank) {
    double[][] sum = new double[d][d];
    for (int k = 0; k < rank; k++) {
      double[] u = randomVector(random, d);
      double[][] term = outer(u, u);
      for (int i = 0; i < d; i++) {
        for (int j = 0; j < d; j++) {
          sum[i][j] += term[i][j];
        }
      }
    }
    return sum;
  }

  private static double[] randomVector(SplittableRandom random, int d) {
    double[] v = new double[d];
    for (int i = 0; i < d; i++) {
      v[i] = random.nextDouble(-1, 1);
    }
    return v;
  }

  private static double[][] outer(double[] u, double[] v) {
    double[][] product = new double[u.length][v.length];
    for (int i = 0; i < u.length; i++) {
      for (int j = 0; j < v.length; j++) {
        product[i][j] = u[i] * v[j];
      }
    }
    return product;
  }

  private static double dot(double[] u, double[] v) {
    double sum = 0;
    for (int i = 0; i < u.length; i++) {
      sum += u[i] * v[i];
    }
    return sum;
  }

  private static double determinant(double[][] m) {
    return m[0][0] * m[1][1] - m[0][1] * m[1][0];
  }
}
