package org.rectiflow.engine;

import java.util.Arrays;

/**
 * An int32 tensor on the heap: token ids and index tables. The array is not copied.
 *
 * @param shape dimensions, row-major
 * @param data {@code shape.count()} values
 */
public record IntTensor(Shape shape, int[] data) {
  public IntTensor {
    if (data.length != shape.count()) {
      throw new IllegalArgumentException(data.length + " values for shape " + shape);
    }
  }

  /** A tensor of the given values and dimensions. */
  public static IntTensor of(int[] data, int... dims) {
    return new IntTensor(Shape.of(dims), data);
  }

  @Override
  public boolean equals(Object o) {
    return o instanceof IntTensor t && shape.equals(t.shape) && Arrays.equals(data, t.data);
  }

  @Override
  public int hashCode() {
    return 31 * shape.hashCode() + Arrays.hashCode(data);
  }

  @Override
  public String toString() {
    return "IntTensor" + shape;
  }
}
