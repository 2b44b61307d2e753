package org.rectiflow.engine.cpu;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.rectiflow.engine.Node;
import org.rectiflow.engine.Op;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Value;
import org.rectiflow.engine.cpu.kernels.Activation;
import org.rectiflow.engine.cpu.kernels.Attention;
import org.rectiflow.engine.cpu.kernels.AttentionGrad;
import org.rectiflow.engine.cpu.kernels.Conv2d;
import org.rectiflow.engine.cpu.kernels.Conv2dGrads;
import org.rectiflow.engine.cpu.kernels.Elementwise;
import org.rectiflow.engine.cpu.kernels.Epilogue;
import org.rectiflow.engine.cpu.kernels.MatMul;
import org.rectiflow.engine.cpu.kernels.MatrixView;
import org.rectiflow.engine.cpu.kernels.NormGrads;
import org.rectiflow.engine.cpu.kernels.PointwiseGrads;
import org.rectiflow.engine.cpu.kernels.Reductions;
import org.rectiflow.engine.cpu.kernels.StoredVector;
import org.rectiflow.engine.cpu.kernels.WeightGrads;
import org.rectiflow.engine.cpu.kernels.Workers;

/** {@link KernelBinder} for the ops of losses and backward passes. */
final class TrainingBinder {
  private final Operands operands;
  private final Workers workers;

  TrainingBinder(Operands operands, Workers workers) {
    this.operands = operands;
    this.workers = workers;
  }

  /** The kernel call for a group that {@link CpuFusion} made. */
  Runnable bind(List<Node> group) {
    Node node = group.getFirst();
    List<Value> in = node.inputs();
    Value first = in.getFirst();
    Shape shape = first.shape();
    long count = shape.count();
    StoredVector x = operands.f32(first);
    StoredVector out = operands.f32(group.getLast().output());
    return switch (node.op()) {
      case Op.MatMul _ when CpuFusion.isWeightGrad(node) && group.size() > 1 -> weightGrads(group);
      case Op.MatMul op -> matMul(op, group);
      case Op.Mul _ -> sumOfProducts(node, group.getLast());
      case Op.Clamp(float min, float max) ->
          () -> PointwiseGrads.clamp(workers, min, max, count, x, out);
      case Op.Sum(int axis) -> {
        int outer = Math.toIntExact(shape.product(0, axis));
        int inner = Math.toIntExact(shape.product(axis + 1, shape.rank()));
        yield () -> Reductions.sum(workers, outer, shape.dim(axis), inner, x, null, out);
      }
      case Op.LogSumExp _ ->
          () -> Reductions.logSumExp(workers, shape.rows(), shape.dim(-1), x, out);
      case Op.Repeat(_, int times) when group.size() == 2 -> {
        Value product = group.getLast().output();
        int columns = shape.dim(-1);
        MatrixView a = operands.rows(KernelBinder.other(group.getLast(), group), columns);
        MatrixView b = operands.rows(first, columns);
        MatrixView to = operands.rows(product, columns);
        yield () -> Elementwise.multiply(workers, product.shape().rows(), columns, a, b, times, to);
      }
      case Op.Repeat(int axis, int times) -> {
        int outer = Math.toIntExact(shape.product(0, axis));
        int inner = Math.toIntExact(shape.product(axis, shape.rank()));
        yield () -> Reductions.repeat(workers, outer, times, inner, x, out);
      }
      case Op.ScatterAdd(int rows) ->
          () ->
              Reductions.scatterAdd(workers, operands.ints(in.get(1)), rows, shape.dim(-1), x, out);
      case Op.ActivateGrad(var function) -> {
        Activation f = KernelBinder.kernel(function);
        StoredVector dy = operands.f32(in.get(1));
        yield () -> PointwiseGrads.activation(workers, f, count, x, dy, out);
      }
      case Op.ClampGrad(float min, float max) -> {
        StoredVector dy = operands.f32(in.get(1));
        yield () -> PointwiseGrads.clampGrad(workers, min, max, count, x, dy, out);
      }
      case Op.LayerNormGrad op -> layerNorm(op, group);
      case Op.ModulatedNormGrad(float eps) -> modulatedNorm(eps, group);
      case Op.RmsNormGrad(float eps) -> {
        StoredVector weight = operands.stored(in.get(1));
        StoredVector dy = operands.f32(in.get(2));
        StoredVector dWeight = operands.f32(node.outputs().get(1));
        yield () ->
            NormGrads.rmsNorm(
                workers, shape.rows(), shape.dim(-1), eps, x, weight, dy, out, dWeight);
      }
      case Op.GroupNormGrad op -> groupNorm(op, node);
      case Op.AttentionGrad(Op.Attention op) -> attention(op, node);
      case Op.Conv2dInputGrad(int stride, Op.Padding padding, Shape input) -> {
        Conv2d.Shape sizes = convolution(input, in.get(0).shape(), stride, padding);
        StoredVector dy = operands.f32(in.get(1));
        yield () -> Conv2dGrads.input(workers, sizes, x, dy, out);
      }
      case Op.Conv2dWeightGrad op -> {
        Conv2d.Shape sizes = convolution(shape, node.output().shape(), op.stride(), op.padding());
        StoredVector dy = operands.f32(in.get(1));
        yield () -> Conv2dGrads.weights(workers, sizes, x, dy, out);
      }
      default -> throw new AssertionError(node);
    };
  }

  private Runnable sumOfProducts(Node mul, Node sum) {
    Shape shape = mul.output().shape();
    int axis = ((Op.Sum) sum.op()).axis();
    int outer = Math.toIntExact(shape.product(0, axis));
    int inner = Math.toIntExact(shape.product(axis + 1, shape.rank()));
    StoredVector a = operands.f32(mul.inputs().get(0));
    StoredVector b = operands.f32(mul.inputs().get(1));
    StoredVector out = operands.f32(sum.output());
    return () -> Reductions.sum(workers, outer, shape.dim(axis), inner, a, b, out);
  }

  private Runnable matMul(Op.MatMul op, List<Node> group) {
    Node node = group.getFirst();
    Node last = group.getLast();
    int m = node.output().shape().dim(0);
    int n = node.output().shape().dim(1);
    MatrixView out = operands.rows(last.output(), n);
    Epilogue epilogue =
        switch (last.op()) {
          case Op.Add _ -> residual(group, n);
          case Op.ActivateGrad(var function) ->
              Epilogue.NONE.withSlope(
                  KernelBinder.kernel(function), operands.rows(last.inputs().getFirst(), n));
          default -> Epilogue.NONE;
        };
    List<MatMul.Left> lefts = new ArrayList<>();
    List<MatrixView> rights = new ArrayList<>();
    for (Node part : group) {
      if (part.op() instanceof Op.MatMul(boolean transposeA, boolean transposeB)) {
        Value b = part.inputs().get(1);
        MatrixView left = operands.rows(part.inputs().get(0), part.inputs().get(0).shape().dim(1));
        MatrixView right = operands.storedRows(b);
        int k = b.shape().dim(transposeB ? 1 : 0);
        lefts.add(new MatMul.Left(transposeA ? left.transposed() : left, k));
        rights.add(transposeB ? right : right.transposed());
      }
    }
    if (lefts.size() > 1) {
      MatMul.Result result = new MatMul.Result(n, rights, out, epilogue);
      return () -> MatMul.sum(workers, m, lefts, result);
    }
    int k = lefts.getFirst().k();
    MatrixView a = lefts.getFirst().a();
    MatrixView w = rights.getFirst();
    return () -> MatMul.run(workers, m, n, k, a, w, out, epilogue);
  }

  /** What is added to products that is not one of them. */
  private Epilogue residual(List<Node> group, int n) {
    Set<Value> own = group.stream().map(Node::output).collect(Collectors.toSet());
    return group.stream()
        .filter(node -> node.op() instanceof Op.Add)
        .flatMap(node -> node.inputs().stream())
        .filter(value -> !own.contains(value))
        .findFirst()
        .map(value -> Epilogue.NONE.withResidual(operands.rows(value, n)))
        .orElse(Epilogue.NONE);
  }

  /** Derivatives by weights of layers that read the same rows, and by their biases. */
  private Runnable weightGrads(List<Node> group) {
    Value x = group.getFirst().inputs().get(1);
    Shape shape = group.getFirst().output().shape();
    int length = x.shape().dim(0);
    List<WeightGrads.Layer> layers = new ArrayList<>();
    for (Node node : group) {
      if (CpuFusion.isWeightGrad(node)) {
        Value dy = node.inputs().getFirst();
        StoredVector bias =
            group.stream()
                .filter(sum -> sum.op() instanceof Op.Sum && sum.inputs().getFirst().equals(dy))
                .findFirst()
                .map(sum -> operands.f32(sum.output()))
                .orElse(null);
        MatrixView weight = operands.rows(node.output(), shape.dim(1));
        layers.add(new WeightGrads.Layer(operands.rows(dy, shape.dim(0)), weight, bias));
      }
    }
    MatrixView right = operands.rows(x, shape.dim(1));
    return () -> WeightGrads.run(workers, shape.dim(0), shape.dim(1), length, right, layers);
  }

  private Runnable layerNorm(Op.LayerNormGrad op, List<Node> group) {
    Node node = group.getFirst();
    List<Value> in = node.inputs();
    Shape shape = in.getFirst().shape();
    StoredVector x = operands.f32(in.getFirst());
    StoredVector weight = op.affine() ? operands.stored(in.get(1)) : null;
    StoredVector dy = operands.f32(in.getLast());
    StoredVector dx = operands.f32(group.getLast().output());
    StoredVector dWeight = op.affine() ? operands.f32(node.outputs().get(1)) : null;
    StoredVector dBias = op.affine() ? operands.f32(node.outputs().get(2)) : null;
    StoredVector more = added(group);
    int rows = shape.rows();
    int n = shape.dim(-1);
    return () ->
        NormGrads.layerNorm(workers, rows, n, op.eps(), x, weight, dy, dx, dWeight, dBias, more);
  }

  private Runnable modulatedNorm(float eps, List<Node> group) {
    Node node = group.getFirst();
    Shape shape = node.output().shape();
    StoredVector x = operands.f32(node.inputs().get(0));
    StoredVector scale = operands.f32(node.inputs().get(1));
    StoredVector dy = operands.f32(node.inputs().get(2));
    StoredVector dx = operands.f32(group.getLast().output());
    StoredVector dShift = operands.f32(node.outputs().get(1));
    StoredVector dScale = operands.f32(node.outputs().get(2));
    StoredVector more = added(group);
    int samples = shape.dim(0);
    int rows = shape.dim(1);
    int n = shape.dim(2);
    return () ->
        NormGrads.modulatedNorm(
            workers, samples, rows, n, eps, x, scale, dy, dx, dShift, dScale, more);
  }

  /** What is added to a derivative in the same kernel, or null. */
  private StoredVector added(List<Node> group) {
    return group.size() > 1 ? operands.f32(KernelBinder.other(group.getLast(), group)) : null;
  }

  private Runnable groupNorm(Op.GroupNormGrad op, Node node) {
    List<Value> in = node.inputs();
    Shape shape = in.getFirst().shape();
    StoredVector x = operands.f32(in.get(0));
    StoredVector weight = operands.stored(in.get(1));
    StoredVector dy = operands.f32(in.get(2));
    StoredVector dx = operands.f32(node.output());
    StoredVector dWeight = operands.f32(node.outputs().get(1));
    StoredVector dBias = operands.f32(node.outputs().get(2));
    int pixels = shape.dim(2) * shape.dim(3);
    return () ->
        NormGrads.groupNorm(
            workers,
            shape.dim(0),
            shape.dim(1),
            pixels,
            op.groups(),
            op.eps(),
            x,
            weight,
            dy,
            dx,
            dWeight,
            dBias);
  }

  private Runnable attention(Op.Attention op, Node node) {
    List<Value> in = node.inputs();
    List<Value> out = node.outputs();
    int results = 3 * op.streams() + (op.bias() ? 1 : 0);
    List<AttentionGrad.Stream> streams = new ArrayList<>();
    for (int s = 0; s < op.streams(); s++) {
      streams.add(
          new AttentionGrad.Stream(
              in.get(3 * s).shape().dim(1),
              operands.tokens(in.get(3 * s)),
              operands.tokens(in.get(3 * s + 1)),
              operands.tokens(in.get(3 * s + 2)),
              operands.tokens(in.get(results + s)),
              operands.tokens(in.get(results + op.streams() + 1 + s)),
              operands.tokens(out.get(3 * s)),
              operands.tokens(out.get(3 * s + 1)),
              operands.tokens(out.get(3 * s + 2))));
    }
    StoredVector bias = op.bias() ? operands.f32(in.get(3 * op.streams())) : null;
    StoredVector biasGrad = op.bias() ? operands.f32(out.getLast()) : null;
    StoredVector logSumExp = operands.f32(in.get(results + op.streams()));
    Attention.Options options = new Attention.Options(op.scale(), op.causal(), bias, logSumExp);
    Shape q = in.getFirst().shape();
    int dim = q.dim(2) / op.heads();
    return () -> AttentionGrad.run(workers, q.dim(0), op.heads(), dim, streams, options, biasGrad);
  }

  private static Conv2d.Shape convolution(Shape x, Shape w, int stride, Op.Padding p) {
    return new Conv2d.Shape(
        x.dim(0),
        x.dim(1),
        x.dim(2),
        x.dim(3),
        w.dim(0),
        w.dim(2),
        w.dim(3),
        stride,
        p.top(),
        p.left(),
        p.bottom(),
        p.right(),
        1);
  }
}
