package org.rectiflow.engine;

import java.util.Arrays;

/**
 * A float32 tensor on the heap: what goes into a graph and comes out of it. The array is not
 * copied.
 *
 * @param shape dimensions, row-major
 * @param data {@code shape.count()} values
 */
public record Tensor(Shape shape, float[] data) {
  public Tensor {
    if (data.length != shape.count()) {
      throw new IllegalArgumentException(data.length + " values for shape " + shape);
    }
  }

  /** A tensor of the given values and dimensions. */
  public static Tensor of(float[] data, int... dims) {
    return new Tensor(Shape.of(dims), data);
  }

  /** All zeros. */
  public static Tensor zeros(Shape shape) {
    return new Tensor(shape, new float[Math.toIntExact(shape.count())]);
  }

  /** The same values under another shape. */
  public Tensor reshape(int... dims) {
    return new Tensor(Shape.of(dims), data);
  }

  /** A copy of entry {@code index} along the first axis, which is 1 then. */
  public Tensor row(int index) {
    Shape one = shape.with(0, 1);
    int size = Math.toIntExact(one.count());
    return new Tensor(one, Arrays.copyOfRange(data, index * size, (index + 1) * size));
  }

  @Override
  public boolean equals(Object o) {
    return o instanceof Tensor t && shape.equals(t.shape) && Arrays.equals(data, t.data);
  }

  @Override
  public int hashCode() {
    return 31 * shape.hashCode() + Arrays.hashCode(data);
  }

  @Override
  public String toString() {
    return "Tensor" + shape;
  }
}
