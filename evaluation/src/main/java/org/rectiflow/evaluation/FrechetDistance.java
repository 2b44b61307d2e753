package org.rectiflow.evaluation;

import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.ejml.interfaces.decomposition.EigenDecomposition_F64;
import org.ejml.interfaces.decomposition.SingularValueDecomposition_F64;

/**
 * The Frechet distance between two Gaussians, the formula of FID (Heusel et al. 2017): {@code |m1 -
 * m2|^2 + tr(S1 + S2 - 2 (S1 S2)^{1/2})}. The paper applies it to CLIP L/14 image features of 1000
 * samples and of COCO-2014 (Section 5.1, Appendix B.3).
 *
 * <p>The trace of the matrix square root is computed as the sum of the singular values of {@code
 * S1^{1/2} S2^{1/2}}. Both factors are symmetric square roots from eigenvalues, so nothing is
 * inverted, nothing becomes complex, and singular covariances (fewer samples than features) need no
 * offset on the diagonal.
 */
public final class FrechetDistance {

  /** Eigenvalues down to minus this fraction of the largest count as rounding, and as 0. */
  private static final double NEGATIVE_EIGENVALUE_TOLERANCE = 1e-7;

  private FrechetDistance() {}

  /**
   * The squared 2-Wasserstein distance of two Gaussians, the number papers call FID.
   *
   * @return at least 0; rounding below 0 is returned as 0
   * @throws IllegalArgumentException if the dimensions differ or a covariance has an eigenvalue
   *     below zero by more than rounding
   */
  public static double between(GaussianStatistics first, GaussianStatistics second) {
    int d = first.dimension();
    if (second.dimension() != d) {
      throw new IllegalArgumentException(
          "the first features have %d dimensions, the second %d; both must come from one extractor"
              .formatted(d, second.dimension()));
    }
    double[] firstMean = first.mean();
    double[] secondMean = second.mean();
    double distance = 0;
    for (int i = 0; i < d; i++) {
      double difference = firstMean[i] - secondMean[i];
      distance += difference * difference;
    }
    DMatrixRMaj s1 = first.covarianceMatrix();
    DMatrixRMaj s2 = second.covarianceMatrix();
    DMatrixRMaj product = new DMatrixRMaj(d, d);
    CommonOps_DDRM.mult(squareRoot(s1, "first"), squareRoot(s2, "second"), product);
    distance += CommonOps_DDRM.trace(s1) + CommonOps_DDRM.trace(s2) - 2 * nuclearNorm(product);
    return Math.max(0, distance);
  }

  /** The symmetric positive semi-definite square root of a covariance. */
  static DMatrixRMaj squareRoot(DMatrixRMaj covariance, String name) {
    int d = covariance.numRows;
    EigenDecomposition_F64<DMatrixRMaj> eigen = DecompositionFactory_DDRM.eig(d, true, true);
    if (!eigen.decompose(covariance.copy())) {
      throw new ArithmeticException(
          "the eigenvalues of the %s covariance (%d x %d) did not converge".formatted(name, d, d));
    }
    double largest = 0;
    for (int k = 0; k < d; k++) {
      largest = Math.max(largest, Math.abs(eigen.getEigenvalue(k).getReal()));
    }
    DMatrixRMaj scaled = new DMatrixRMaj(d, d);
    DMatrixRMaj vectors = new DMatrixRMaj(d, d);
    for (int k = 0; k < d; k++) {
      double value = eigen.getEigenvalue(k).getReal();
      if (value < -NEGATIVE_EIGENVALUE_TOLERANCE * largest) {
        throw new IllegalArgumentException(
            "the %s covariance is not positive semi-definite: it has the eigenvalue %s"
                .formatted(name, value));
      }
      DMatrixRMaj vector = eigen.getEigenVector(k);
      double root = Math.sqrt(Math.max(0, value));
      for (int i = 0; i < d; i++) {
        vectors.set(i, k, vector.get(i));
        scaled.set(i, k, vector.get(i) * root);
      }
    }
    DMatrixRMaj result = new DMatrixRMaj(d, d);
    CommonOps_DDRM.multTransB(scaled, vectors, result);
    return result;
  }

  private static double nuclearNorm(DMatrixRMaj matrix) {
    SingularValueDecomposition_F64<DMatrixRMaj> svd =
        DecompositionFactory_DDRM.svd(matrix.numRows, matrix.numCols, false, false, true);
    if (!svd.decompose(matrix.copy())) {
      throw new ArithmeticException(
          "the singular values of the covariance product (%d x %d) did not converge"
              .formatted(matrix.numRows, matrix.numCols));
    }
    double sum = 0;
    for (int k = 0; k < svd.numberOfSingularValues(); k++) {
      sum += svd.getSingularValues()[k];
    }
    return sum;
  }
}
