package org.rectiflow.tornado;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.ejml.data.FMatrixRMaj;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.Weight;
import org.rectiflow.safetensors.DType;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.HalfFloatArray;
import uk.ac.manchester.tornado.api.types.matrix.Matrix2DFloat;

/**
 * Matrices of EJML and TornadoVM as the engine's tensors, and back. Values are copied. All are
 * stored row by row.
 */
public final class Matrices {
  private Matrices() {}

  /** A matrix [rows, columns] of EJML. */
  public static Tensor tensor(FMatrixRMaj matrix) {
    int n = matrix.getNumRows() * matrix.getNumCols();
    return new Tensor(
        Shape.of(matrix.getNumRows(), matrix.getNumCols()),
        java.util.Arrays.copyOf(matrix.getData(), n));
  }

  /** A matrix [rows, columns] of TornadoVM. */
  public static Tensor tensor(Matrix2DFloat matrix) {
    return tensor(matrix.getSegment(), matrix.getNumRows(), matrix.getNumColumns());
  }

  /**
   * TornadoVM's array as [rows, columns].
   *
   * @throws IllegalArgumentException if it has another number of elements
   */
  public static Tensor tensor(FloatArray array, int rows, int columns) {
    require("FloatArray", array.getSize(), rows, columns);
    return tensor(array.getSegment(), rows, columns);
  }

  private static Tensor tensor(MemorySegment data, int rows, int columns) {
    float[] values = new float[Math.multiplyExact(rows, columns)];
    MemorySegment.copy(data, ValueLayout.JAVA_FLOAT, 0, values, 0, values.length);
    return new Tensor(Shape.of(rows, columns), values);
  }

  /**
   * TornadoVM's array of 16-bit floats as a weight [rows, columns], which stays in 16 bits on the
   * device.
   *
   * @throws IllegalArgumentException if it has another number of elements
   */
  public static Weight weight(String name, HalfFloatArray array, int rows, int columns) {
    require("HalfFloatArray", array.getSize(), rows, columns);
    long bytes = (long) Short.BYTES * array.getSize();
    MemorySegment own = Arena.ofAuto().allocate(bytes, Short.BYTES);
    MemorySegment.copy(array.getSegment(), 0, own, 0, bytes);
    return new Weight(name, DType.F16, Shape.of(rows, columns), own);
  }

  /** A tensor [..., columns] as a matrix of EJML. */
  public static FMatrixRMaj ejml(Tensor tensor) {
    FMatrixRMaj matrix = new FMatrixRMaj(tensor.shape().rows(), tensor.shape().dim(-1));
    System.arraycopy(tensor.data(), 0, matrix.getData(), 0, tensor.data().length);
    return matrix;
  }

  /** A tensor [..., columns] as a matrix of TornadoVM. */
  public static Matrix2DFloat matrix2D(Tensor tensor) {
    return new Matrix2DFloat(tensor.shape().rows(), tensor.shape().dim(-1), array(tensor));
  }

  /** A tensor's values as TornadoVM's array. */
  public static FloatArray array(Tensor tensor) {
    return FloatArray.fromArray(tensor.data());
  }

  private static void require(String type, int elements, int rows, int columns) {
    if (elements != Math.multiplyExact(rows, columns)) {
      throw new IllegalArgumentException(
          "a %s of %d elements is no matrix of %d x %d".formatted(type, elements, rows, columns));
    }
  }
}
