package org.rectiflow.engine;

import java.util.ArrayList;
import java.util.List;

/** What each {@link Op} demands of its operands' shapes, and the shapes of its results. */
final class ShapeRules {
  private ShapeRules() {}

  /**
   * Shapes of the results.
   *
   * @throws IllegalArgumentException if the operands do not fit, saying what was expected
   */
  static List<Shape> infer(Op op, List<Value> inputs) {
    checkTypes(op, inputs);
    List<Shape> in = inputs.stream().map(Value::shape).toList();
    return switch (op) {
      case Op.Input(_, Shape shape, _) -> List.of(shape);
      case Op.Parameter(Weight weight) -> List.of(weight.shape());
      case Op.Constant(Tensor value) -> List.of(value.shape());
      case Op.IntConstant(IntTensor value) -> List.of(value.shape());
      case Op.Linear(boolean bias) -> List.of(linear(in, bias));
      case Op.MatMul product -> List.of(matMul(product, in));
      case Op.Attention attention -> attention(attention, in);
      case Op.Conv2d conv -> List.of(conv2d(conv, in));
      case Op.LayerNorm(_, boolean affine) -> {
        if (affine) {
          vector("weight", in.get(1), in.get(0).dim(-1));
          vector("bias", in.get(2), in.get(0).dim(-1));
        }
        yield List.of(in.get(0));
      }
      case Op.RmsNorm _ -> {
        vector("weight", in.get(1), in.get(0).dim(-1));
        yield List.of(in.get(0));
      }
      case Op.GroupNorm(int groups, _) -> {
        rank("x", in.get(0), 4);
        int channels = in.get(0).dim(1);
        require(
            groups > 0 && channels % groups == 0,
            channels + " channels do not divide into " + groups + " groups");
        vector("weight", in.get(1), channels);
        vector("bias", in.get(2), channels);
        yield List.of(in.get(0));
      }
      case Op.Modulate _ -> {
        perSample("shift", in.get(0), in.get(1));
        perSample("scale", in.get(0), in.get(2));
        yield List.of(in.get(0));
      }
      case Op.GatedAdd _ -> {
        perSample("gate", in.get(0), in.get(1));
        same("y", in.get(0), in.get(2));
        yield List.of(in.get(0));
      }
      case Op.Add _, Op.Mul _ -> {
        require(in.get(1).isSuffixOf(in.get(0)), in.get(1) + " does not broadcast to " + in.get(0));
        yield List.of(in.get(0));
      }
      case Op.Affine _, Op.Activate _, Op.Clamp _ -> List.of(in.get(0));
      case Op.Sum(int axis) -> List.of(without(in.get(0), axis));
      case Op.LogSumExp _ -> {
        Shape x = in.get(0);
        require(x.rank() > 0 && x.dim(-1) > 0, "x must have a last axis with elements, got " + x);
        yield List.of(without(x, x.rank() - 1));
      }
      case Op.Repeat(int axis, int count) -> List.of(repeated(in.get(0), axis, count));
      case Op.ActivateGrad _,
          Op.ClampGrad _,
          Op.LayerNormGrad _,
          Op.ModulatedNormGrad _,
          Op.RmsNormGrad _,
          Op.GroupNormGrad _,
          Op.AttentionGrad _,
          Op.Conv2dInputGrad _,
          Op.Conv2dWeightGrad _,
          Op.ScatterAdd _ ->
          GradShapeRules.infer(op, in);
      case Op.Gather _ -> {
        rank("table", in.get(0), 2);
        yield List.of(append(in.get(1), in.get(0).dim(1)));
      }
      case Op.TimestepFeatures(int dim) -> {
        rank("timestep", in.get(0), 1);
        require(dim > 0 && dim % 2 == 0, "the number of features must be even, got " + dim);
        yield List.of(Shape.of(in.get(0).dim(0), dim));
      }
      case Op.UpsampleNearest2x _ -> {
        rank("x", in.get(0), 4);
        Shape x = in.get(0);
        yield List.of(x.with(2, 2 * x.dim(2)).with(3, 2 * x.dim(3)));
      }
      case Op.Reshape(Shape shape) -> {
        require(
            shape.count() == in.get(0).count(),
            in.get(0) + " has another number of elements than " + shape);
        yield List.of(shape);
      }
      case Op.Slice(int axis, int start, int length) -> {
        int size = in.get(0).dim(axis);
        require(
            start >= 0 && length >= 0 && start + length <= size,
            "entries " + start + " to " + (start + length) + " of an axis of " + size);
        yield List.of(in.get(0).with(axis, length));
      }
      case Op.Concat(int axis) -> List.of(concat(axis, in));
      case Op.Permute(List<Integer> axes) -> List.of(permute(axes, in.get(0)));
    };
  }

  private static void checkTypes(Op op, List<Value> inputs) {
    for (int i = 0; i < inputs.size(); i++) {
      boolean ids = i == 1 && (op instanceof Op.Gather || op instanceof Op.ScatterAdd);
      ElementType expected = ids ? ElementType.I32 : ElementType.F32;
      boolean any = op instanceof Op.Reshape;
      require(
          any || inputs.get(i).type() == expected,
          "operand " + i + " is " + inputs.get(i).type() + ", expected " + expected);
    }
  }

  private static Shape linear(List<Shape> in, boolean bias) {
    Shape x = in.get(0);
    Shape w = in.get(1);
    require(x.rank() >= 1, "x must have at least one axis");
    rank("weight", w, 2);
    require(
        w.dim(1) == x.dim(-1),
        "x " + x + " has " + x.dim(-1) + " channels, the weight " + w + " expects " + w.dim(1));
    if (bias) {
      vector("bias", in.get(2), w.dim(0));
    }
    return x.with(-1, w.dim(0));
  }

  private static Shape matMul(Op.MatMul op, List<Shape> in) {
    Shape a = in.get(0);
    Shape b = in.get(1);
    rank("a", a, 2);
    rank("b", b, 2);
    int k = a.dim(op.transposeA() ? 0 : 1);
    require(
        k == b.dim(op.transposeB() ? 1 : 0),
        "a " + a + " and b " + b + " differ in the axis that is summed over");
    return Shape.of(a.dim(op.transposeA() ? 1 : 0), b.dim(op.transposeB() ? 0 : 1));
  }

  private static Shape without(Shape x, int axis) {
    int[] dims = new int[x.rank() - 1];
    for (int i = 0; i < dims.length; i++) {
      dims[i] = x.dim(i < axis ? i : i + 1);
    }
    return Shape.of(dims);
  }

  private static Shape repeated(Shape x, int axis, int count) {
    require(axis >= 0 && axis <= x.rank(), "a new axis " + axis + " of a tensor " + x);
    int[] dims = new int[x.rank() + 1];
    for (int i = 0; i < dims.length; i++) {
      dims[i] = i < axis ? x.dim(i) : i == axis ? count : x.dim(i - 1);
    }
    return Shape.of(dims);
  }

  static List<Shape> attention(Op.Attention op, List<Shape> in) {
    List<Shape> out = new ArrayList<>();
    int tokens = 0;
    Shape first = in.get(0);
    for (int s = 0; s < op.streams(); s++) {
      Shape q = in.get(3 * s);
      rank("q", q, 3);
      same("k", q, in.get(3 * s + 1));
      same("v", q, in.get(3 * s + 2));
      require(
          q.dim(0) == first.dim(0) && q.dim(2) == first.dim(2),
          "streams " + first + " and " + q + " differ in batch or width");
      require(
          q.dim(2) % op.heads() == 0,
          "width " + q.dim(2) + " does not divide into " + op.heads() + " heads");
      tokens += q.dim(1);
      out.add(q);
    }
    if (op.bias()) {
      same("bias", Shape.of(op.heads(), tokens, tokens), in.get(3 * op.streams()));
    }
    if (op.logSumExp()) {
      out.add(Shape.of(first.dim(0), op.heads(), tokens));
    }
    return out;
  }

  static Shape conv2d(Op.Conv2d op, List<Shape> in) {
    Shape x = in.get(0);
    Shape w = in.get(1);
    rank("x", x, 4);
    rank("weight", w, 4);
    require(x.dim(1) == w.dim(1), "x " + x + " and weight " + w + " differ in channels");
    if (op.bias()) {
      vector("bias", in.get(2), w.dim(0));
    }
    int height = x.dim(2) + op.padding().top() + op.padding().bottom() - w.dim(2);
    int width = x.dim(3) + op.padding().left() + op.padding().right() - w.dim(3);
    require(height >= 0 && width >= 0, "x " + x + " is smaller than the kernel " + w);
    return Shape.of(x.dim(0), w.dim(0), height / op.stride() + 1, width / op.stride() + 1);
  }

  private static Shape concat(int axis, List<Shape> in) {
    int size = 0;
    for (Shape s : in) {
      same("part", in.getFirst().with(axis, 0), s.with(axis, 0));
      size += s.dim(axis);
    }
    return in.getFirst().with(axis, size);
  }

  private static Shape permute(List<Integer> axes, Shape x) {
    require(
        axes.stream().sorted().toList().equals(axesOf(x)), "axes " + axes + " of a tensor " + x);
    return Shape.of(axes.stream().mapToInt(x::dim).toArray());
  }

  private static List<Integer> axesOf(Shape x) {
    List<Integer> axes = new ArrayList<>();
    for (int i = 0; i < x.rank(); i++) {
      axes.add(i);
    }
    return axes;
  }

  static Shape append(Shape shape, int dim) {
    int[] dims = java.util.Arrays.copyOf(shape.dims(), shape.rank() + 1);
    dims[shape.rank()] = dim;
    return Shape.of(dims);
  }

  private static void perSample(String what, Shape x, Shape m) {
    rank("x", x, 3);
    same(what, Shape.of(x.dim(0), x.dim(2)), m);
  }

  static void vector(String what, Shape shape, int size) {
    same(what, Shape.of(size), shape);
  }

  static void same(String what, Shape expected, Shape actual) {
    require(expected.equals(actual), what + " must be " + expected + ", got " + actual);
  }

  static void rank(String what, Shape shape, int rank) {
    require(shape.rank() == rank, what + " must have " + rank + " axes, got " + shape);
  }

  static void require(boolean condition, String message) {
    if (!condition) {
      throw new IllegalArgumentException(message);
    }
  }
}
