package org.rectiflow.tornado;

import java.util.ArrayList;
import java.util.List;
import org.rectiflow.engine.Shape;
import org.rectiflow.tornado.kernels.Layout;

/**
 * How a copy walks two tensors.
 *
 * @param dims elements along each axis
 * @param from step in the source for each axis
 * @param to step in the destination for each axis
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record Strides(int[] dims, int[] from, int[] to) {

  /** Both sides dense, of this shape. */
  static Strides of(Shape shape) {
    int[] dense = dense(shape);
    return new Strides(shape.dims(), dense, dense);
  }

  private static int[] dense(Shape shape) {
    int[] strides = new int[shape.rank()];
    for (int axis = 0; axis < strides.length; axis++) {
      strides[axis] = Math.toIntExact(shape.product(axis + 1, shape.rank()));
    }
    return strides;
  }

  /** The source is part of a tensor of this shape. */
  Strides from(Shape whole) {
    return new Strides(dims, dense(whole), to);
  }

  /** The destination is part of a tensor of this shape. */
  Strides to(Shape whole) {
    return new Strides(dims, from, dense(whole));
  }

  /** Axis {@code i} walks axis {@code axes[i]} of the source. */
  Strides permuted(Shape source, List<Integer> axes) {
    int[] dense = dense(source);
    return new Strides(dims, axes.stream().mapToInt(axis -> dense[axis]).toArray(), to);
  }

  /** Axis {@code axis} is not one of the source's: it stays where it is along that one. */
  Strides repeated(Shape source, int axis) {
    int[] dense = dense(source);
    int[] still = new int[dims.length];
    for (int i = 0; i < still.length; i++) {
      still[i] = i == axis ? 0 : dense[i < axis ? i : i - 1];
    }
    return new Strides(dims, still, to);
  }

  int from(int axis) {
    return from[axis];
  }

  int to(int axis) {
    return to[axis];
  }

  /** The launch that copies, from and to these offsets. */
  Launch copy(int x, int y) {
    List<int[]> axes = new ArrayList<>(); // dim, from, to; neighbours that walk on as one joined
    for (int axis = 0; axis < dims.length; axis++) {
      int[] last = axes.isEmpty() ? null : axes.getLast();
      if (last != null && last[1] == dims[axis] * from[axis] && last[2] == dims[axis] * to[axis]) {
        axes.set(axes.size() - 1, new int[] {last[0] * dims[axis], from[axis], to[axis]});
      } else if (dims[axis] != 1) {
        axes.add(new int[] {dims[axis], from[axis], to[axis]});
      }
    }
    if (axes.size() > Layout.MAX_RANK) {
      throw new UnsupportedOperationException(
          "a copy along %d axes; the tornado backend's kernel walks up to %d"
              .formatted(axes.size(), Layout.MAX_RANK));
    }
    int[] row =
        Layout.copyRow(
            x,
            y,
            axes.stream().mapToInt(a -> a[0]).toArray(),
            axes.stream().mapToInt(a -> a[1]).toArray(),
            axes.stream().mapToInt(a -> a[2]).toArray());
    return Launch.elements(Kernel.COPY, row[2], row);
  }
}
