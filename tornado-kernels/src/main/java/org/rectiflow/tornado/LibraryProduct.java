package org.rectiflow.tornado;

import uk.ac.manchester.tornado.api.common.Access;
import uk.ac.manchester.tornado.api.common.LibraryTaskDescriptor;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * {@code y = x W^T} by NVIDIA's cuBLAS, as a library task of TornadoVM. Described with tornado-api
 * alone, as tornado-cublas's {@code CuBlas.cublasSgemm} does, so that nothing else is needed to
 * compile; TornadoVM finds the library when the task runs.
 */
final class LibraryProduct {
  private static final String LIBRARY = "nvidia/cublas";
  private static final String FUNCTION = "cublasSgemm";
  private static final int NO_TRANSPOSE = 0;
  private static final int TRANSPOSE = 1;
  private static final int OUTPUT = 11;

  private LibraryProduct() {}

  /**
   * The task. cuBLAS takes matrices by columns, and rows read by columns are the transpose: it
   * computes y^T [N, M] from W^T and x^T.
   *
   * @param x [M, K]
   * @param w [N, K]
   * @param y [M, N]
   */
  static LibraryTaskDescriptor describe(
      int m, int n, int k, FloatArray x, FloatArray w, FloatArray y) {
    Object[] parameters = {
      TRANSPOSE, NO_TRANSPOSE, n, m, k, 1f, w, k, x, k, 0f, y, n,
    };
    Access[] access = new Access[parameters.length];
    for (int i = 0; i < access.length; i++) {
      access[i] = i == OUTPUT ? Access.WRITE_ONLY : Access.READ_ONLY;
    }
    return new LibraryTaskDescriptor()
        .withLibrary(LIBRARY)
        .withFunction(FUNCTION)
        .withParameters(parameters)
        .withAccess(access);
  }
}
