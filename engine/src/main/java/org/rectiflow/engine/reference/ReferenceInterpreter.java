package org.rectiflow.engine.reference;

import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.IntTensor;
import org.rectiflow.engine.Node;
import org.rectiflow.engine.Op;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.Value;

/** Evaluates a graph node by node in double precision, every value in an array of its own. */
final class ReferenceInterpreter {
  private ReferenceInterpreter() {}

  /**
   * @param floats the graph's float inputs; receives every other float value
   * @param ints likewise for integers
   * @param after sees each op's results at once and may round them
   */
  static void run(
      Graph graph,
      Map<Value, Reals> floats,
      Map<Value, IntTensor> ints,
      BiConsumer<Node, Reals> after) {
    for (Node node : graph.nodes()) {
      if (!(node.op() instanceof Op.Input)) {
        evaluate(node, floats, ints);
        for (Value out : node.outputs()) {
          if (floats.containsKey(out)) {
            after.accept(node, floats.get(out));
          }
        }
      }
    }
  }

  private static void evaluate(Node node, Map<Value, Reals> floats, Map<Value, IntTensor> ints) {
    List<Value> in = node.inputs();
    Value out = node.output();
    Reals[] x = in.stream().map(floats::get).toArray(Reals[]::new);
    if (node.op() instanceof Op.IntConstant(IntTensor value)) {
      ints.put(out, value);
      return;
    }
    if (node.op() instanceof Op.Reshape && ints.containsKey(in.getFirst())) {
      ints.put(out, new IntTensor(out.shape(), ints.get(in.getFirst()).data()));
      return;
    }
    double[][] ys = new double[node.outputs().size()][];
    for (int i = 0; i < ys.length; i++) {
      Value value = node.outputs().get(i);
      ys[i] = new double[Math.toIntExact(value.shape().count())];
      floats.put(value, new Reals(value.shape(), ys[i]));
    }
    double[] y = ys[0];
    switch (node.op()) {
      case Op.Input _, Op.IntConstant _ -> throw new AssertionError(node.op());
      case Op.Parameter(var weight) -> copy(weight.toFloats(), y);
      case Op.Constant(Tensor value) -> copy(value.data(), y);
      case Op.Reshape _ -> System.arraycopy(x[0].data(), 0, y, 0, y.length);
      case Op.Linear(boolean bias) -> ReferenceOps.linear(x[0], x[1], bias ? x[2].data() : null, y);
      case Op.MatMul op -> ReferenceOps.matMul(op, x[0], x[1], out.shape(), y);
      case Op.Attention op -> ReferenceOps.attention(op, x, ys);
      case Op.Conv2d op ->
          ReferenceOps.conv2d(op, x[0], x[1], op.bias() ? x[2].data() : null, out.shape(), y);
      case Op.LayerNorm(float eps, boolean affine) ->
          ReferenceOps.layerNorm(
              x[0], affine ? x[1].data() : null, affine ? x[2].data() : null, eps, y);
      case Op.RmsNorm(float eps) -> ReferenceOps.rmsNorm(x[0], x[1].data(), eps, y);
      case Op.GroupNorm(int groups, float eps) ->
          ReferenceOps.groupNorm(x[0], x[1].data(), x[2].data(), groups, eps, y);
      case Op.Modulate _ -> ReferenceOps.modulate(x[0], x[1].data(), x[2].data(), y);
      case Op.GatedAdd _ -> ReferenceOps.gatedAdd(x[0], x[1].data(), x[2].data(), y);
      case Op.Add _ -> ReferenceOps.add(x[0].data(), x[1].data(), y);
      case Op.Mul _ -> ReferenceOps.mul(x[0].data(), x[1].data(), y);
      case Op.Affine(float factor, float offset) ->
          ReferenceOps.affine(x[0].data(), factor, offset, y);
      case Op.Activate(var function) -> ReferenceOps.activate(function, x[0].data(), y);
      case Op.Clamp(float min, float max) -> ReferenceOps.clamp(x[0].data(), min, max, y);
      case Op.Sum(int axis) -> ReferenceOps.sum(axis, x[0], y);
      case Op.LogSumExp _ -> ReferenceOps.logSumExp(x[0], y);
      case Op.Repeat op -> ReferenceOps.repeat(op, x[0], y);
      case Op.Gather _ -> ReferenceOps.gather(x[0], ints.get(in.get(1)).data(), y);
      case Op.TimestepFeatures(int dim) -> ReferenceOps.timestepFeatures(x[0].data(), dim, y);
      case Op.UpsampleNearest2x _ -> ReferenceOps.upsampleNearest2x(x[0], y);
      case Op.Slice op -> ReferenceOps.slice(op, x[0], y);
      case Op.Concat op -> ReferenceOps.concat(op, x, out.shape(), y);
      case Op.Permute op -> ReferenceOps.permute(op, x[0], out.shape(), y);
      case Op.ActivateGrad(var function) ->
          ReferenceGradients.activate(function, x[0].data(), x[1].data(), y);
      case Op.ClampGrad(float min, float max) ->
          ReferenceGradients.clamp(x[0].data(), min, max, x[1].data(), y);
      case Op.LayerNormGrad(float eps, boolean affine) -> {
        int c = out.shape().dim(-1);
        double[] weight = affine ? x[1].data() : null;
        double[] dy = x[affine ? 2 : 1].data();
        ReferenceGradients.norm(
            x[0].data(), weight, dy, c, c, 1, eps, y, affine ? ys[1] : null, affine ? ys[2] : null);
      }
      case Op.ModulatedNormGrad(float eps) ->
          ReferenceGradients.modulatedNorm(x[0], x[1], x[2].data(), eps, y, ys[1], ys[2]);
      case Op.RmsNormGrad(float eps) ->
          ReferenceGradients.rmsNorm(x[0], x[1].data(), x[2].data(), eps, y, ys[1]);
      case Op.GroupNormGrad(int groups, float eps) -> {
        int channels = out.shape().dim(1);
        int pixels = out.shape().dim(2) * out.shape().dim(3);
        int run = channels / groups * pixels;
        ReferenceGradients.norm(
            x[0].data(), x[1].data(), x[2].data(), run, channels, pixels, eps, y, ys[1], ys[2]);
      }
      case Op.AttentionGrad(var attention) -> ReferenceGradients.attention(attention, x, ys);
      case Op.Conv2dInputGrad op -> ReferenceGradients.conv2dInput(op, x[0], x[1], y);
      case Op.Conv2dWeightGrad op -> ReferenceGradients.conv2dWeight(op, x[0], x[1], y);
      case Op.ScatterAdd _ -> ReferenceGradients.scatterAdd(x[0], ints.get(in.get(1)).data(), y);
    }
  }

  private static void copy(float[] from, double[] to) {
    for (int i = 0; i < to.length; i++) {
      to[i] = from[i];
    }
  }
}
