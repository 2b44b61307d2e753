package org.rectiflow.engine;

import java.util.Arrays;
import java.util.StringJoiner;

/** The dimensions of a dense row-major tensor. Rank 0 is a scalar; a dimension may be 0. */
public final class Shape {
  private final int[] dims;

  private Shape(int[] dims) {
    this.dims = dims;
  }

  /**
   * A shape of the given dimensions.
   *
   * @throws IllegalArgumentException if a dimension is negative
   */
  public static Shape of(int... dims) {
    for (int d : dims) {
      if (d < 0) {
        throw new IllegalArgumentException("negative dimension in " + Arrays.toString(dims));
      }
    }
    return new Shape(dims.clone());
  }

  public int rank() {
    return dims.length;
  }

  /** Dimension {@code axis}; negative axes count from the end, -1 being the last. */
  public int dim(int axis) {
    return dims[axis(axis)];
  }

  /** {@code axis} with negative values resolved. */
  public int axis(int axis) {
    int resolved = axis < 0 ? axis + dims.length : axis;
    if (resolved < 0 || resolved >= dims.length) {
      throw new IllegalArgumentException("axis " + axis + " of a tensor of shape " + this);
    }
    return resolved;
  }

  /** Number of elements. */
  public long count() {
    return product(0, dims.length);
  }

  /** Product of the dimensions in {@code [from, to)}. */
  public long product(int from, int to) {
    long product = 1;
    for (int i = from; i < to; i++) {
      product = Math.multiplyExact(product, dims[i]);
    }
    return product;
  }

  /** Elements divided by the last dimension: the number of rows that a row-wise op sees. */
  public int rows() {
    return Math.toIntExact(product(0, dims.length - 1));
  }

  public int[] dims() {
    return dims.clone();
  }

  /** This shape with {@code axis} replaced by {@code size}. */
  public Shape with(int axis, int size) {
    int[] copy = dims.clone();
    copy[axis(axis)] = size;
    return of(copy);
  }

  /** Whether this shape, its leading ones aside, is a suffix of {@code other}. */
  public boolean isSuffixOf(Shape other) {
    int first = 0;
    while (first < dims.length && dims[first] == 1) {
      first++;
    }
    int n = dims.length - first;
    return n <= other.dims.length
        && Arrays.equals(
            dims, first, dims.length, other.dims, other.dims.length - n, other.dims.length);
  }

  @Override
  public boolean equals(Object o) {
    return o instanceof Shape s && Arrays.equals(dims, s.dims);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(dims);
  }

  @Override
  public String toString() {
    StringJoiner joiner = new StringJoiner(", ", "[", "]");
    for (int d : dims) {
      joiner.add(Integer.toString(d));
    }
    return joiner.toString();
  }
}
