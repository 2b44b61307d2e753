package org.rectiflow.engine;

import java.util.ArrayList;
import java.util.List;

/** The derivative of each op, as more ops. */
final class OpGradients {
  private final Graph g;
  private final Gradients out;

  OpGradients(Graph graph, Gradients gradients) {
    this.g = graph;
    this.out = gradients;
  }

  /**
   * Records the derivatives by the node's operands.
   *
   * @param dys the derivative by each result, null where the loss does not depend on it
   */
  void record(Node node, List<Value> dys) {
    List<Value> in = node.inputs();
    Value dy = dys.getFirst();
    switch (node.op()) {
      case Op.Input _, Op.Parameter _, Op.Constant _, Op.IntConstant _ -> {}
      case Op.Linear(boolean bias) -> linear(in, bias, dy);
      case Op.MatMul op -> matMul(op, in, dy);
      case Op.Attention op -> attention(op, node, dys);
      case Op.Conv2d op -> conv2d(op, in, dy);
      case Op.LayerNorm(float eps, boolean affine) ->
          contributeAll(
              affine ? in : in.subList(0, 1),
              g.recordAll(
                  new Op.LayerNormGrad(eps, affine),
                  affine ? List.of(in.get(0), in.get(1), dy) : List.of(in.get(0), dy)));
      case Op.RmsNorm(float eps) ->
          contributeAll(
              in, g.recordAll(new Op.RmsNormGrad(eps), List.of(in.get(0), in.get(1), dy)));
      case Op.GroupNorm(int groups, float eps) ->
          contributeAll(
              in,
              g.recordAll(new Op.GroupNormGrad(groups, eps), List.of(in.get(0), in.get(1), dy)));
      case Op.Modulate _ -> modulate(in, dy);
      case Op.GatedAdd _ -> gatedAdd(in, dy);
      case Op.Add _ -> {
        out.contribute(in.get(0), dy);
        contributeSummed(in.get(1), dy);
      }
      case Op.Mul _ -> {
        if (out.wants(in.get(0))) {
          out.contribute(in.get(0), g.mul(dy, in.get(1)));
        }
        if (out.wants(in.get(1))) {
          contributeSummed(in.get(1), g.mul(dy, in.get(0)));
        }
      }
      case Op.Affine(float factor, _) -> out.contribute(in.get(0), g.affine(dy, factor, 0));
      case Op.Activate(Activation function) ->
          out.contribute(in.get(0), g.record(new Op.ActivateGrad(function), in.get(0), dy));
      case Op.Clamp(float min, float max) ->
          out.contribute(in.get(0), g.record(new Op.ClampGrad(min, max), in.get(0), dy));
      case Op.Sum(int axis) ->
          out.contribute(in.get(0), g.repeat(dy, axis, in.get(0).shape().dim(axis)));
      case Op.LogSumExp _ -> logSumExp(in.get(0), node.output(), dy);
      case Op.Repeat(int axis, _) -> out.contribute(in.get(0), g.sum(dy, axis));
      case Op.Gather _ ->
          out.contribute(
              in.get(0), g.record(new Op.ScatterAdd(in.get(0).shape().dim(0)), dy, in.get(1)));
      case Op.ScatterAdd _ -> out.contribute(in.get(0), g.gather(dy, in.get(1)));
      case Op.TimestepFeatures(int dim) -> timestepFeatures(dim, node, dy);
      case Op.UpsampleNearest2x _ -> upsample(in.get(0), dy);
      case Op.Reshape _ -> out.contribute(in.get(0), g.reshape(dy, in.get(0).shape().dims()));
      case Op.Slice op -> out.contribute(in.get(0), op, dy);
      case Op.Concat(int axis) -> {
        int start = 0;
        for (Value part : in) {
          int length = part.shape().dim(axis);
          if (out.wants(part)) {
            out.contribute(part, g.slice(dy, axis, start, length));
          }
          start += length;
        }
      }
      case Op.Permute(List<Integer> axes) -> {
        Integer[] inverse = new Integer[axes.size()];
        for (int i = 0; i < inverse.length; i++) {
          inverse[axes.get(i)] = i;
        }
        out.contribute(in.get(0), g.permute(dy, inverse));
      }
      case Op.ActivateGrad _,
          Op.ClampGrad _,
          Op.LayerNormGrad _,
          Op.ModulatedNormGrad _,
          Op.RmsNormGrad _,
          Op.GroupNormGrad _,
          Op.AttentionGrad _,
          Op.Conv2dInputGrad _,
          Op.Conv2dWeightGrad _ ->
          throw new UnsupportedOperationException(
              "the derivative of a derivative: " + node.describe());
    }
  }

  private void contributeAll(List<Value> xs, List<Value> dxs) {
    for (int i = 0; i < xs.size(); i++) {
      out.contribute(xs.get(i), dxs.get(i));
    }
  }

  /** Contributes to an operand that was repeated along the leading axes. */
  private void contributeSummed(Value x, Value dy) {
    if (!out.wants(x) || x.shape().equals(dy.shape())) {
      out.contribute(x, dy);
      return;
    }
    int count = Math.toIntExact(x.shape().count());
    Value rows = g.reshape(dy, Math.toIntExact(dy.shape().count() / count), count);
    out.contribute(x, g.reshape(g.sum(rows, 0), x.shape().dims()));
  }

  private Value matrix(Value x) {
    return x.shape().rank() == 2 ? x : g.reshape(x, x.shape().rows(), x.shape().dim(-1));
  }

  /** dx = dy W, dW = dy^T x, db = the sum of dy's rows. */
  private void linear(List<Value> in, boolean bias, Value dy) {
    Value x = in.get(0);
    Value w = in.get(1);
    Value rows = matrix(dy);
    if (out.wants(x)) {
      out.contribute(x, g.reshape(g.matMul(rows, false, w, false), x.shape().dims()));
    }
    if (out.wants(w)) {
      out.contribute(w, g.matMul(rows, true, matrix(x), false));
    }
    if (bias && out.wants(in.get(2))) {
      out.contribute(in.get(2), g.sum(rows, 0));
    }
  }

  /** With A and B the operands after transposition, dA = dy B^T and dB = A^T dy. */
  private void matMul(Op.MatMul op, List<Value> in, Value dy) {
    Value a = in.get(0);
    Value b = in.get(1);
    boolean ta = op.transposeA();
    boolean tb = op.transposeB();
    if (out.wants(a)) {
      out.contribute(a, ta ? g.matMul(b, tb, dy, true) : g.matMul(dy, false, b, !tb));
    }
    if (out.wants(b)) {
      out.contribute(b, tb ? g.matMul(dy, true, a, ta) : g.matMul(a, !ta, dy, false));
    }
  }

  private void attention(Op.Attention op, Node node, List<Value> dys) {
    int streams = op.streams();
    if (dys.size() > streams && dys.get(streams) != null) {
      throw new UnsupportedOperationException(
          "the derivative of a log-sum-exp: " + node.describe());
    }
    Value logSumExp = g.logSumExp(node);
    List<Value> inputs = new ArrayList<>(node.inputs());
    inputs.addAll(node.outputs().subList(0, streams));
    inputs.add(logSumExp);
    for (int s = 0; s < streams; s++) {
      Value dy = dys.get(s);
      inputs.add(dy != null ? dy : g.constant(Tensor.zeros(node.outputs().get(s).shape())));
    }
    Op.Attention saved = (Op.Attention) g.nodes().get(node.index()).op();
    contributeAll(node.inputs(), g.recordAll(new Op.AttentionGrad(saved), inputs));
  }

  private void conv2d(Op.Conv2d op, List<Value> in, Value dy) {
    Value x = in.get(0);
    Value w = in.get(1);
    if (out.wants(x)) {
      out.contribute(
          x, g.record(new Op.Conv2dInputGrad(op.stride(), op.padding(), x.shape()), w, dy));
    }
    if (out.wants(w)) {
      int height = w.shape().dim(2);
      int width = w.shape().dim(3);
      out.contribute(
          w, g.record(new Op.Conv2dWeightGrad(op.stride(), op.padding(), height, width), x, dy));
    }
    if (op.bias() && out.wants(in.get(2))) {
      Shape s = dy.shape();
      Value pixels = g.reshape(dy, s.dim(0), s.dim(1), s.dim(2) * s.dim(3));
      out.contribute(in.get(2), g.sum(g.sum(pixels, 2), 0));
    }
  }

  /** The softmax of x times dy. */
  private void logSumExp(Value x, Value y, Value dy) {
    int last = x.shape().rank() - 1;
    int count = x.shape().dim(last);
    Value softmax = g.activate(Activation.EXP, g.subtract(x, g.repeat(y, last, count)));
    out.contribute(x, g.mul(softmax, g.repeat(dy, last, count)));
  }

  /** y = x + x scale + shift; of a norm the derivatives by all three are found together. */
  private void modulate(List<Value> in, Value dy) {
    Node source = g.nodes().get(in.get(0).node());
    boolean normed = source.op() instanceof Op.LayerNorm(_, boolean affine) && !affine;
    if (normed && out.wants(in.get(0))) {
      Op.ModulatedNormGrad grad = new Op.ModulatedNormGrad(((Op.LayerNorm) source.op()).eps());
      Value x = source.inputs().getFirst();
      contributeAll(List.of(x, in.get(1), in.get(2)), g.recordAll(grad, List.of(x, in.get(2), dy)));
      return;
    }
    if (out.wants(in.get(0))) {
      out.contribute(in.get(0), g.gatedAdd(dy, in.get(2), dy));
    }
    if (out.wants(in.get(1))) {
      out.contribute(in.get(1), g.sum(dy, 1));
    }
    if (out.wants(in.get(2))) {
      out.contribute(in.get(2), g.sum(g.mul(dy, in.get(0)), 1));
    }
  }

  /** y = x + gate branch. */
  private void gatedAdd(List<Value> in, Value dy) {
    Value gate = in.get(1);
    out.contribute(in.get(0), dy);
    if (out.wants(gate)) {
      out.contribute(gate, g.sum(g.mul(dy, in.get(2)), 1));
    }
    if (out.wants(in.get(2))) {
      Value gates = g.repeat(gate, 1, dy.shape().dim(1));
      out.contribute(in.get(2), g.mul(gates, dy));
    }
  }

  /** The features are cos(t f) and sin(t f), so their derivatives are -f sin and f cos. */
  private void timestepFeatures(int dim, Node node, Value dy) {
    int half = dim / 2;
    float[] frequencies = new float[half];
    for (int i = 0; i < half; i++) {
      frequencies[i] = (float) Math.exp(-Math.log(10000) * i / half);
    }
    Value features = node.output();
    Value bySin = g.mul(g.slice(dy, 1, half, half), g.slice(features, 1, 0, half));
    Value byCos = g.mul(g.slice(dy, 1, 0, half), g.slice(features, 1, half, half));
    Value byAngle = g.subtract(bySin, byCos);
    Value all = g.mul(byAngle, g.constant(Tensor.of(frequencies, half)));
    out.contribute(node.inputs().getFirst(), g.sum(all, 1));
  }

  /** The sum of each pixel's four copies. */
  private void upsample(Value x, Value dy) {
    Shape s = x.shape();
    Value pairs = g.reshape(dy, s.rows(), 2, s.dim(3), 2);
    out.contribute(x, g.reshape(g.sum(g.sum(pairs, 3), 1), s.dims()));
  }
}
