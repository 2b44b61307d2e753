package org.rectiflow.engine.cpu;

import java.util.ArrayList;
import java.util.List;
import org.rectiflow.engine.Fusion;
import org.rectiflow.engine.Node;
import org.rectiflow.engine.Op;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.Value;
import org.rectiflow.engine.cpu.kernels.Activation;
import org.rectiflow.engine.cpu.kernels.Attention;
import org.rectiflow.engine.cpu.kernels.Conv2d;
import org.rectiflow.engine.cpu.kernels.Convolution;
import org.rectiflow.engine.cpu.kernels.Elementwise;
import org.rectiflow.engine.cpu.kernels.Epilogue;
import org.rectiflow.engine.cpu.kernels.MatMul;
import org.rectiflow.engine.cpu.kernels.MatrixView;
import org.rectiflow.engine.cpu.kernels.Norms;
import org.rectiflow.engine.cpu.kernels.StoredVector;
import org.rectiflow.engine.cpu.kernels.Workers;

/** Chooses the kernel for a group of nodes and hands it the addresses of its operands. */
final class KernelBinder {
  private final Fusion fusion;
  private final Operands operands;
  private final Workers workers;

  KernelBinder(Fusion fusion, Operands operands, Workers workers) {
    this.fusion = fusion;
    this.operands = operands;
    this.workers = workers;
  }

  /** The kernel call for a group that {@link CpuFusion} made. */
  Runnable bind(List<Node> group) {
    Node node = group.getFirst();
    return switch (node.op()) {
      case Op.Linear _ -> linear(group);
      case Op.Conv2d _, Op.UpsampleNearest2x _ -> convolution(group);
      case Op.LayerNorm op -> layerNorm(op, group);
      case Op.GroupNorm op -> groupNorm(op, group);
      case Op.Attention op -> attention(op, node);
      case Op.RmsNorm op -> rmsNorm(op, node);
      case Op.Modulate _ -> modulate(node);
      case Op.GatedAdd _ -> gatedAdd(node);
      case Op.Mul _ when group.size() == 2 -> new TrainingBinder(operands, workers).bind(group);
      case Op.Add _, Op.Mul _ -> addOrMultiply(node);
      case Op.Affine(float factor, float offset) -> affine(factor, offset, node);
      case Op.Activate(var function) -> activate(kernel(function), node);
      case Op.Gather _ -> gather(node);
      case Op.TimestepFeatures(int dim) ->
          Layouts.timestepFeatures(operands, node.inputs().getFirst(), dim, node.output());
      case Op.Constant(Tensor value) -> () -> operands.write(node.output(), value);
      case Op.Reshape _ -> copy(node.inputs().getFirst(), node.output());
      case Op.Slice op -> Layouts.slice(operands, workers, op, node);
      case Op.Concat op -> Layouts.concat(operands, workers, op, node);
      case Op.Permute op -> Layouts.permute(operands, workers, op, node);
      case Op.MatMul _,
          Op.Clamp _,
          Op.Sum _,
          Op.LogSumExp _,
          Op.Repeat _,
          Op.ActivateGrad _,
          Op.ClampGrad _,
          Op.LayerNormGrad _,
          Op.ModulatedNormGrad _,
          Op.RmsNormGrad _,
          Op.GroupNormGrad _,
          Op.AttentionGrad _,
          Op.Conv2dInputGrad _,
          Op.Conv2dWeightGrad _,
          Op.ScatterAdd _ ->
          new TrainingBinder(operands, workers).bind(group);
      case Op.Input _, Op.Parameter _, Op.IntConstant _ -> throw new AssertionError(node);
    };
  }

  static Activation kernel(org.rectiflow.engine.Activation function) {
    return switch (function) {
      case SILU -> Activation.SILU;
      case GELU_TANH -> Activation.GELU_TANH;
      case GELU_ERF -> Activation.GELU_ERF;
      case QUICK_GELU -> Activation.QUICK_GELU;
      case ABS -> Activation.ABS;
      case EXP -> Activation.EXP;
    };
  }

  private static Activation activationOf(List<Node> group) {
    for (Node node : group) {
      if (node.op() instanceof Op.Activate(var function)) {
        return kernel(function);
      }
    }
    return Activation.NONE;
  }

  /** The operand of a two-operand node that is not the group's own intermediate result. */
  static Value other(Node node, List<Node> group) {
    Value own = group.get(group.size() - 2).output();
    return node.inputs().get(0) == own ? node.inputs().get(1) : node.inputs().get(0);
  }

  private Runnable linear(List<Node> group) {
    Node node = group.getFirst();
    Node last = group.getLast();
    if (last.op() instanceof Op.Linear) {
      return linears(group);
    }
    Value x = node.inputs().get(0);
    int m = x.shape().rows();
    int n = node.output().shape().dim(-1);
    int k = x.shape().dim(-1);
    Epilogue epilogue = biased(node).withActivation(activationOf(group));
    if (!fusion.isAbsorbed(node.output())) {
      epilogue = epilogue.withBefore(operands.rows(node.output(), n));
    }
    epilogue =
        switch (last.op()) {
          case Op.GatedAdd _ ->
              epilogue
                  .withGate(operands.rows(last.inputs().get(1), n), x.shape().dim(1))
                  .withResidual(operands.rows(last.inputs().get(0), n));
          case Op.Add _ -> epilogue.withResidual(operands.rows(other(last, group), n));
          case Op.Mul _ -> epilogue.withGate(operands.rows(other(last, group), n), 1);
          default -> epilogue;
        };
    MatrixView a = operands.rows(x, k);
    MatrixView w = operands.storedRows(node.inputs().get(1));
    MatrixView out = operands.rows(last.output(), n);
    Epilogue finish = epilogue;
    return () -> MatMul.run(workers, m, n, k, a, w, out, finish);
  }

  /** Layers that read the same rows. */
  private Runnable linears(List<Node> group) {
    Value x = group.getFirst().inputs().getFirst();
    int m = x.shape().rows();
    int k = x.shape().dim(-1);
    MatMul.Left left = new MatMul.Left(operands.rows(x, k), k);
    List<MatMul.Result> results = new ArrayList<>();
    for (Node node : group) {
      int n = node.output().shape().dim(-1);
      List<MatrixView> weights = List.of(operands.storedRows(node.inputs().get(1)));
      MatrixView out = operands.rows(node.output(), n);
      results.add(new MatMul.Result(n, weights, out, biased(node)));
    }
    return () -> MatMul.several(workers, m, left, results);
  }

  private Epilogue biased(Node linear) {
    return linear.inputs().size() > 2
        ? Epilogue.NONE.withBias(operands.stored(linear.inputs().get(2)))
        : Epilogue.NONE;
  }

  private Runnable convolution(List<Node> group) {
    boolean upsample = group.getFirst().op() instanceof Op.UpsampleNearest2x;
    if (upsample && group.size() == 1) {
      return Layouts.upsampleNearest2x(operands, workers, group.getFirst());
    }
    Node node = group.get(upsample ? 1 : 0);
    Op.Conv2d op = (Op.Conv2d) node.op();
    Value input = upsample ? group.getFirst().inputs().getFirst() : node.inputs().getFirst();
    Shape x = input.shape();
    Shape w = node.inputs().get(1).shape();
    Op.Padding p = op.padding();
    Conv2d.Shape shape =
        new Conv2d.Shape(
            x.dim(0),
            x.dim(1),
            x.dim(2),
            x.dim(3),
            w.dim(0),
            w.dim(2),
            w.dim(3),
            op.stride(),
            p.top(),
            p.left(),
            p.bottom(),
            p.right(),
            upsample ? 2 : 1);
    Node last = group.getLast();
    StoredVector residual = last.op() instanceof Op.Add ? operands.f32(other(last, group)) : null;
    StoredVector in = operands.f32(input);
    StoredVector weight = operands.stored(node.inputs().get(1));
    StoredVector bias = op.bias() ? operands.stored(node.inputs().get(2)) : null;
    StoredVector out = operands.f32(last.output());
    Convolution conv = new Convolution(shape, in, weight, bias, Activation.NONE, residual, out);
    return () -> Conv2d.run(workers, conv);
  }

  private Runnable layerNorm(Op.LayerNorm op, List<Node> group) {
    Node node = group.getFirst();
    Value x = node.inputs().getFirst();
    int c = x.shape().dim(-1);
    StoredVector weight = op.affine() ? operands.stored(node.inputs().get(1)) : null;
    StoredVector bias = op.affine() ? operands.stored(node.inputs().get(2)) : null;
    MatrixView shift = null;
    MatrixView scale = null;
    int rowsPerModulation = 1;
    if (group.size() == 2) {
      Node modulate = group.getLast();
      shift = operands.rows(modulate.inputs().get(1), c);
      scale = operands.rows(modulate.inputs().get(2), c);
      rowsPerModulation = x.shape().dim(1);
    }
    Norms.Affine affine = new Norms.Affine(weight, bias, scale, shift, rowsPerModulation);
    MatrixView in = operands.rows(x, c);
    MatrixView out = operands.rows(group.getLast().output(), c);
    MatrixView normed =
        group.size() == 1 || fusion.isAbsorbed(node.output())
            ? null
            : operands.rows(node.output(), c);
    return () -> Norms.layerNorm(workers, x.shape().rows(), c, in, op.eps(), affine, normed, out);
  }

  private Runnable groupNorm(Op.GroupNorm op, List<Node> group) {
    Node node = group.getFirst();
    Shape shape = node.output().shape();
    StoredVector in = operands.f32(node.inputs().get(0));
    StoredVector weight = operands.stored(node.inputs().get(1));
    StoredVector bias = operands.stored(node.inputs().get(2));
    StoredVector out = operands.f32(group.getLast().output());
    Activation activation = activationOf(group);
    int pixels = shape.dim(2) * shape.dim(3);
    return () ->
        Norms.groupNorm(
            workers,
            shape.dim(0),
            shape.dim(1),
            pixels,
            op.groups(),
            in,
            op.eps(),
            weight,
            bias,
            activation,
            out);
  }

  private Runnable attention(Op.Attention op, Node node) {
    List<Attention.Stream> streams = new ArrayList<>();
    Shape first = node.output().shape();
    for (int s = 0; s < op.streams(); s++) {
      List<Value> qkv = node.inputs().subList(3 * s, 3 * s + 3);
      streams.add(
          new Attention.Stream(
              qkv.getFirst().shape().dim(1),
              operands.tokens(qkv.get(0)),
              operands.tokens(qkv.get(1)),
              operands.tokens(qkv.get(2)),
              operands.tokens(node.outputs().get(s))));
    }
    StoredVector bias = op.bias() ? operands.f32(node.inputs().getLast()) : null;
    StoredVector logSumExp = op.logSumExp() ? operands.f32(node.outputs().getLast()) : null;
    Attention.Options options = new Attention.Options(op.scale(), op.causal(), bias, logSumExp);
    int dim = first.dim(2) / op.heads();
    return () -> Attention.run(workers, first.dim(0), op.heads(), dim, streams, options);
  }

  private Runnable rmsNorm(Op.RmsNorm op, Node node) {
    Value x = node.inputs().getFirst();
    int c = x.shape().dim(-1);
    MatrixView in = operands.rows(x, c);
    StoredVector weight = operands.stored(node.inputs().get(1));
    MatrixView out = operands.rows(node.output(), c);
    return () -> Norms.rmsNorm(workers, x.shape().rows(), 1, c, in, op.eps(), weight, out);
  }

  private Runnable modulate(Node node) {
    Shape x = node.output().shape();
    int c = x.dim(2);
    MatrixView in = operands.rows(node.inputs().get(0), c);
    MatrixView shift = operands.rows(node.inputs().get(1), c);
    MatrixView scale = operands.rows(node.inputs().get(2), c);
    MatrixView out = operands.rows(node.output(), c);
    return () -> Elementwise.modulate(workers, x.rows(), c, in, shift, scale, x.dim(1), out);
  }

  private Runnable gatedAdd(Node node) {
    Shape x = node.output().shape();
    int c = x.dim(2);
    MatrixView residual = operands.rows(node.inputs().get(0), c);
    MatrixView gate = operands.rows(node.inputs().get(1), c);
    MatrixView branch = operands.rows(node.inputs().get(2), c);
    MatrixView out = operands.rows(node.output(), c);
    return () ->
        Elementwise.gatedResidual(workers, x.rows(), c, branch, gate, x.dim(1), residual, out);
  }

  private Runnable addOrMultiply(Node node) {
    int columns = Math.toIntExact(node.inputs().get(1).shape().count());
    int rows = Math.toIntExact(node.output().shape().count() / columns);
    MatrixView a = operands.rows(node.inputs().get(0), columns);
    MatrixView b = operands.rows(node.inputs().get(1), columns);
    MatrixView out = operands.rows(node.output(), columns);
    return node.op() instanceof Op.Add
        ? () -> Elementwise.add(workers, rows, columns, a, b, rows, out)
        : () -> Elementwise.multiply(workers, rows, columns, a, b, rows, out);
  }

  private Runnable affine(float factor, float offset, Node node) {
    int count = Math.toIntExact(node.output().shape().count());
    MatrixView in = operands.rows(node.inputs().getFirst(), count);
    MatrixView out = operands.rows(node.output(), count);
    return () -> Elementwise.scale(workers, 1, count, in, factor, offset, out);
  }

  private Runnable activate(Activation function, Node node) {
    int count = Math.toIntExact(node.output().shape().count());
    MatrixView in = operands.rows(node.inputs().getFirst(), count);
    MatrixView out = operands.rows(node.output(), count);
    return () -> Elementwise.activation(workers, 1, count, function, in, out);
  }

  private Runnable gather(Node node) {
    Value table = node.inputs().get(0);
    Value ids = node.inputs().get(1);
    int rows = table.shape().dim(0);
    int columns = table.shape().dim(1);
    MatrixView in = operands.storedRows(table);
    MatrixView out = operands.rows(node.output(), columns);
    return () -> Elementwise.gather(workers, operands.ints(ids), rows, columns, in, out);
  }

  private Runnable copy(Value from, Value to) {
    int count = Math.toIntExact(to.shape().count());
    MatrixView in = operands.rows(from, count);
    MatrixView out = operands.rows(to, count);
    return () -> Elementwise.copy(workers, 1, count, in, out);
  }
}
