package org.rectiflow.engine;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The least work an op can be done with: what a roofline compares measured times against.
 *
 * @param flops floating-point operations, a multiply-add counted as two
 * @param bytes bytes of operands read once and results written once; weights in their stored type
 */
public record Cost(double flops, double bytes) {
  private static final Cost NOTHING = new Cost(0, 0);

  /** The cost of one node. */
  public static Cost of(Graph graph, Node node) {
    List<Value> in = node.inputs();
    double elements = node.outputs().stream().mapToDouble(v -> v.shape().count()).sum();
    double flops =
        switch (node.op()) {
          case Op.Input _, Op.Parameter _, Op.Constant _, Op.IntConstant _, Op.Reshape _ -> 0;
          case Op.Slice _, Op.Concat _, Op.Permute _, Op.UpsampleNearest2x _, Op.Gather _ -> 0;
          case Op.Repeat _ -> 0;
          case Op.Linear _ -> 2 * elements * in.get(1).shape().dim(1);
          case Op.MatMul(boolean transposeA, _) ->
              2 * elements * in.get(0).shape().dim(transposeA ? 0 : 1);
          case Op.Attention attention -> attentionFlops(attention, in);
          // Five products where the forward pass has two.
          case Op.AttentionGrad(Op.Attention attention) -> 2.5 * attentionFlops(attention, in);
          case Op.Conv2dInputGrad _ ->
              2.0 * in.get(1).shape().count() * in.get(0).shape().product(1, 4);
          case Op.Conv2dWeightGrad _ ->
              2.0 * in.get(1).shape().count() * node.output().shape().product(1, 4);
          case Op.LayerNormGrad _, Op.GroupNormGrad _, Op.ModulatedNormGrad _ ->
              14.0 * node.output().shape().count();
          case Op.RmsNormGrad _ -> 9.0 * node.output().shape().count();
          case Op.LogSumExp _ -> 12.0 * in.getFirst().shape().count();
          case Op.Sum _, Op.ScatterAdd _ -> in.getFirst().shape().count();
          case Op.Conv2d _ -> 2 * elements * in.get(1).shape().product(1, 4);
          case Op.LayerNorm _, Op.GroupNorm _ -> 7 * elements;
          case Op.RmsNorm _ -> 4 * elements;
          case Op.Modulate _, Op.GatedAdd _, Op.Affine _, Op.Clamp _, Op.ClampGrad _ ->
              2 * elements;
          case Op.Add _, Op.Mul _ -> elements;
          case Op.Activate _, Op.ActivateGrad _, Op.TimestepFeatures _ -> 10 * elements;
        };
    return switch (node.op()) {
      case Op.Input _, Op.Parameter _, Op.Constant _, Op.IntConstant _, Op.Reshape _ -> NOTHING;
      case Op.Gather _ -> new Cost(0, 2 * 4 * elements);
      default ->
          new Cost(flops, 4 * elements + in.stream().mapToDouble(v -> bytes(graph, v)).sum());
    };
  }

  /**
   * The cost of nodes run as one: what passes between them is not read, what they share is read
   * once, and only results that stay are written.
   */
  public static Cost of(Graph graph, Fusion fusion, List<Node> group) {
    if (group.size() == 1) {
      return of(graph, group.getFirst());
    }
    double flops = 0;
    double bytes = 0;
    Set<Value> known = new HashSet<>();
    for (Node node : group) {
      flops += of(graph, node).flops();
      known.addAll(node.outputs());
      for (Value out : node.outputs()) {
        bytes += fusion.isAbsorbed(out) ? 0 : bytes(graph, out);
      }
    }
    for (Node node : group) {
      for (Value in : node.inputs()) {
        bytes += known.add(in) ? bytes(graph, in) : 0;
      }
    }
    return new Cost(flops, bytes);
  }

  private static double attentionFlops(Op.Attention op, List<Value> in) {
    double tokens = 0;
    for (int s = 0; s < op.streams(); s++) {
      tokens += in.get(3 * s).shape().dim(1);
    }
    Shape q = in.getFirst().shape();
    return 4.0 * q.dim(0) * tokens * tokens * q.dim(2) * (op.causal() ? 0.5 : 1);
  }

  private static double bytes(Graph graph, Value value) {
    return graph.nodes().get(value.node()).op() instanceof Op.Parameter(Weight weight)
        ? weight.data().byteSize()
        : 4.0 * value.shape().count();
  }

  /** Both costs added. */
  public Cost plus(Cost other) {
    return new Cost(flops + other.flops, bytes + other.bytes);
  }
}
