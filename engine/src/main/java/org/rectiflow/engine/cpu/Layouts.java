package org.rectiflow.engine.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.rectiflow.engine.Node;
import org.rectiflow.engine.Op;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Value;
import org.rectiflow.engine.cpu.kernels.Elementwise;
import org.rectiflow.engine.cpu.kernels.MatrixView;
import org.rectiflow.engine.cpu.kernels.StoredVector;
import org.rectiflow.engine.cpu.kernels.Workers;

/** The ops that only move values, where the memory plan could not make them views. */
final class Layouts {
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

  private Layouts() {}

  static Runnable slice(Operands operands, Workers workers, Op.Slice op, Node node) {
    Value x = node.inputs().getFirst();
    long inner = x.shape().product(op.axis() + 1, x.shape().rank());
    int outer = Math.toIntExact(x.shape().product(0, op.axis()));
    int run = Math.toIntExact(op.length() * inner);
    StoredVector from = operands.f32(x);
    MatrixView in =
        MatrixView.f32(
            from.segment(),
            from.byteOffset() + 4 * op.start() * inner,
            x.shape().dim(op.axis()) * inner);
    MatrixView out = operands.rows(node.output(), run);
    return () -> Elementwise.copy(workers, outer, run, in, out);
  }

  static Runnable concat(Operands operands, Workers workers, Op.Concat op, Node node) {
    Shape shape = node.output().shape();
    long inner = shape.product(op.axis() + 1, shape.rank());
    int outer = Math.toIntExact(shape.product(0, op.axis()));
    StoredVector to = operands.f32(node.output());
    List<Runnable> copies = new ArrayList<>();
    long start = 0;
    for (Value part : node.inputs()) {
      int run = Math.toIntExact(part.shape().dim(op.axis()) * inner);
      MatrixView in = operands.rows(part, run);
      MatrixView out =
          MatrixView.f32(to.segment(), to.byteOffset() + 4 * start, shape.dim(op.axis()) * inner);
      if (run > 0) {
        copies.add(() -> Elementwise.copy(workers, outer, run, in, out));
      }
      start += run;
    }
    return () -> copies.forEach(Runnable::run);
  }

  /** Row by row of the result; a row is one run or a strided walk through the source. */
  static Runnable permute(Operands operands, Workers workers, Op.Permute op, Node node) {
    Value x = node.inputs().getFirst();
    Shape shape = node.output().shape();
    int rank = shape.rank();
    long[] strides = new long[rank];
    for (int i = 0; i < rank; i++) {
      strides[i] = x.shape().product(op.axes().get(i) + 1, rank);
    }
    int columns = shape.dim(-1);
    int rows = shape.rows();
    long step = strides[rank - 1];
    int perTask = Math.max(1, (1 << 14) / columns);
    StoredVector from = operands.f32(x);
    StoredVector to = operands.f32(node.output());
    return () ->
        workers.parallelFor(
            Math.ceilDiv(rows, perTask),
            (task, _) -> {
              for (int row = task * perTask; row < Math.min(rows, (task + 1) * perTask); row++) {
                long source = from.byteOffset() + 4 * sourceOf(row, shape, strides);
                long target = to.byteOffset() + 4L * row * columns;
                copy(from.segment(), source, step, to.segment(), target, columns);
              }
            });
  }

  /** Element of the source where row {@code row} of the result begins. */
  private static long sourceOf(int row, Shape shape, long[] strides) {
    long element = 0;
    int rest = row;
    for (int axis = shape.rank() - 2; axis >= 0; axis--) {
      element += rest % shape.dim(axis) * strides[axis];
      rest /= shape.dim(axis);
    }
    return element;
  }

  private static void copy(
      MemorySegment from, long source, long step, MemorySegment to, long target, int n) {
    if (step == 1) {
      MemorySegment.copy(from, source, to, target, 4L * n);
      return;
    }
    for (int i = 0; i < n; i++) {
      to.set(FLOAT, target + 4L * i, from.get(FLOAT, source + 4 * step * i));
    }
  }

  static Runnable upsampleNearest2x(Operands operands, Workers workers, Node node) {
    Shape x = node.inputs().getFirst().shape();
    int width = x.dim(3);
    StoredVector from = operands.f32(node.inputs().getFirst());
    StoredVector to = operands.f32(node.output());
    return () ->
        workers.parallelFor(
            x.rows(),
            (row, _) -> {
              long source = from.byteOffset() + 4L * row * width;
              long target = to.byteOffset() + 16L * row * width;
              for (int i = 0; i < 2 * width; i++) {
                float pixel = from.segment().get(FLOAT, source + 4L * (i / 2));
                to.segment().set(FLOAT, target + 4L * i, pixel);
              }
              MemorySegment.copy(
                  to.segment(), target, to.segment(), target + 8L * width, 8L * width);
            });
  }

  static Runnable timestepFeatures(Operands operands, Value timestep, int dim, Value result) {
    StoredVector from = operands.f32(timestep);
    StoredVector to = operands.f32(result);
    int half = dim / 2;
    int batch = timestep.shape().dim(0);
    return () -> {
      for (int b = 0; b < batch; b++) {
        double t = from.segment().get(FLOAT, from.byteOffset() + 4L * b);
        for (int i = 0; i < half; i++) {
          double angle = t * Math.exp(-Math.log(10000) * i / half);
          long at = to.byteOffset() + 4L * (b * dim + i);
          to.segment().set(FLOAT, at, (float) Math.cos(angle));
          to.segment().set(FLOAT, at + 4L * half, (float) Math.sin(angle));
        }
      }
    };
  }
}
