package org.rectiflow.tornado;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import org.ejml.data.DMatrixRMaj;
import org.ejml.data.FMatrixRMaj;
import org.ejml.dense.row.mult.MatrixMatrixMult_DDRM;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.rectiflow.engine.Tensor;
import uk.ac.manchester.tornado.api.types.HalfFloat;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.HalfFloatArray;
import uk.ac.manchester.tornado.api.types.matrix.Matrix2DFloat;

/** Kernels for those who have matrices of EJML or TornadoVM, against EJML's products in double. */
class KernelsTest {
  private static final int M = 45;
  private static final int K = 70;
  private static final int N = 33;

  private static Kernels kernels;

  private final Random random = new Random(8);

  @BeforeAll
  static void open() {
    Device.open().close();
    kernels = Kernels.open("tornado:0:0");
  }

  @AfterAll
  static void close() {
    if (kernels != null) {
      kernels.close();
    }
  }

  private FMatrixRMaj matrix(int rows, int columns) {
    FMatrixRMaj matrix = new FMatrixRMaj(rows, columns);
    for (int i = 0; i < rows * columns; i++) {
      matrix.getData()[i] = (float) random.nextGaussian();
    }
    return matrix;
  }

  private static DMatrixRMaj widened(FMatrixRMaj matrix) {
    DMatrixRMaj wide = new DMatrixRMaj(matrix.getNumRows(), matrix.getNumCols());
    for (int i = 0; i < wide.getNumElements(); i++) {
      wide.getData()[i] = matrix.getData()[i];
    }
    return wide;
  }

  private static DMatrixRMaj product(FMatrixRMaj a, FMatrixRMaj b) {
    DMatrixRMaj c = new DMatrixRMaj(a.getNumRows(), b.getNumCols());
    MatrixMatrixMult_DDRM.mult_reorder(widened(a), widened(b), c);
    return c;
  }

  private static void check(String what, float[] actual, double[] expected) {
    assertThat(actual).hasSameSizeAs(expected);
    double worst = 0;
    double size = 0;
    for (int i = 0; i < expected.length; i++) {
      worst = Math.max(worst, Math.abs(actual[i] - expected[i]));
      size = Math.max(size, Math.abs(expected[i]));
    }
    System.out.printf("%-12s largest relative difference %.2e%n", what, worst / size);
    assertThat(worst / size).as(what).isLessThan(2e-6);
  }

  @Test
  void productsOfEjmlMatrices() {
    for (int i = 0; i < 2; i++) {
      FMatrixRMaj a = matrix(M, K);
      FMatrixRMaj b = matrix(K, N);
      FMatrixRMaj c = kernels.multiply(a, b);
      assertThat(c.getNumRows()).isEqualTo(M);
      assertThat(c.getNumCols()).isEqualTo(N);
      check("ejml", c.getData(), product(a, b).getData());
    }
    assertThat(kernels.profile().entries())
        .anyMatch(entry -> entry.op().equals("Linear") && entry.runs() >= 2);
    assertThatThrownBy(() -> kernels.multiply(matrix(2, 3), matrix(2, 3)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("a's columns must be as many as b's rows");
  }

  @Test
  void productsOfTornadoMatrices() {
    FMatrixRMaj a = matrix(M, K);
    FMatrixRMaj b = matrix(K, N);
    Matrix2DFloat c =
        kernels.multiply(
            Matrices.matrix2D(Matrices.tensor(a)), Matrices.matrix2D(Matrices.tensor(b)));
    assertThat(c.getNumRows()).isEqualTo(M);
    check("matrix2D", Matrices.tensor(c).data(), product(a, b).getData());
  }

  @Test
  void linearLayersWithHalves() {
    FMatrixRMaj x = matrix(M, K);
    HalfFloatArray halves = new HalfFloatArray(N * K);
    FMatrixRMaj transposed = new FMatrixRMaj(K, N);
    for (int i = 0; i < N * K; i++) {
      HalfFloat half = new HalfFloat((float) random.nextGaussian());
      halves.set(i, half);
      transposed.getData()[i % K * N + i / K] = half.getFloat32();
    }
    FloatArray array = FloatArray.fromArray(x.getData());
    Tensor y =
        kernels.linear(Matrices.tensor(array, M, K), Matrices.weight("halves", halves, N, K));
    check("halves", Matrices.array(y).toHeapArray(), product(x, transposed).getData());
    assertThatThrownBy(() -> Matrices.tensor(array, M, K + 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("no matrix of 45 x 71");
  }

  @Test
  void attentionOfOneHeadIsSoftmaxOfProducts() {
    FMatrixRMaj q = matrix(M, N);
    FMatrixRMaj k = matrix(M, N);
    FMatrixRMaj v = matrix(M, N);
    FMatrixRMaj transposed = new FMatrixRMaj(N, M);
    for (int i = 0; i < M * N; i++) {
      transposed.getData()[i % N * M + i / N] = k.getData()[i];
    }
    DMatrixRMaj weights = product(q, transposed);
    for (int row = 0; row < M; row++) {
      double sum = 0;
      for (int column = 0; column < M; column++) {
        double w = Math.exp(weights.get(row, column) / Math.sqrt(N));
        weights.set(row, column, w);
        sum += w;
      }
      for (int column = 0; column < M; column++) {
        weights.set(row, column, weights.get(row, column) / sum);
      }
    }
    DMatrixRMaj expected = new DMatrixRMaj(M, N);
    MatrixMatrixMult_DDRM.mult_reorder(weights, widened(v), expected);
    check("attention", kernels.attention(1, q, k, v).getData(), expected.getData());
    assertThatThrownBy(() -> kernels.attention(2, q, k, v))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("33 columns cannot be split among 2 heads");
  }

  @Test
  void rmsNormOfRows() {
    FMatrixRMaj x = matrix(M, N);
    float[] weight = matrix(1, N).getData();
    double[] expected = new double[M * N];
    for (int row = 0; row < M; row++) {
      double squares = 0;
      for (int i = 0; i < N; i++) {
        squares += (double) x.get(row, i) * x.get(row, i);
      }
      for (int i = 0; i < N; i++) {
        expected[row * N + i] = x.get(row, i) / Math.sqrt(squares / N + 1e-6f) * weight[i];
      }
    }
    check("rmsNorm", kernels.rmsNorm(x, weight, 1e-6f).getData(), expected);
  }
}
