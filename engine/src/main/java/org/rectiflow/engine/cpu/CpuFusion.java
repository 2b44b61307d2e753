package org.rectiflow.engine.cpu;

import java.util.List;
import org.rectiflow.engine.Activation;
import org.rectiflow.engine.Fusion;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Node;
import org.rectiflow.engine.Op;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Value;

/** Which chains of ops the cpu backend has one kernel for. */
final class CpuFusion implements Fusion.Rules {
  private final Graph graph;

  private CpuFusion(Graph graph) {
    this.graph = graph;
  }

  static Fusion of(Graph graph) {
    return Fusion.of(graph, new CpuFusion(graph));
  }

  @Override
  public boolean extend(List<Node> chain, Node next) {
    Value result = chain.getLast().output();
    return switch (chain.getLast().op()) {
      case Op.Linear _ -> next.op() instanceof Op.Activate || combines(result, next);
      case Op.MatMul op ->
          !op.transposeA() && (next.op() instanceof Op.Reshape || addsOrBends(result, next));
      case Op.Reshape _ -> chain.getFirst().op() instanceof Op.MatMul && addsOrBends(result, next);
      case Op.Activate _ -> chain.getFirst().op() instanceof Op.Linear && combines(result, next);
      case Op.LayerNorm _ -> next.op() instanceof Op.Modulate && isOperand(result, next, 0);
      case Op.GroupNorm _ -> next.op() instanceof Op.Activate(Activation _);
      case Op.UpsampleNearest2x _ ->
          next.op() instanceof Op.Conv2d(int stride, _, _)
              && stride == 1
              && isOperand(result, next, 0);
      case Op.Conv2d _ -> next.op() instanceof Op.Add && sameShapes(next);
      case Op.Repeat(int axis, _) -> axis == result.shape().rank() - 2 && timesRows(next);
      case Op.LayerNormGrad _, Op.ModulatedNormGrad _ ->
          isOperand(result, next) && next.op() instanceof Op.Add && sameShapes(next);
      case Op.Mul _ -> chain.size() == 1 && sameShapes(chain.getFirst()) && sumsRows(next);
      default -> false;
    };
  }

  /** What the backward pass needs of a layer is stored beside what follows it. */
  @Override
  public boolean keeps(List<Node> chain, Node next) {
    return chain.size() == 1
        && switch (chain.getFirst().op()) {
          case Op.Linear _ -> next.op() instanceof Op.Activate || next.op() instanceof Op.GatedAdd;
          case Op.LayerNorm _ -> next.op() instanceof Op.Modulate;
          default -> false;
        };
  }

  /** Derivatives by what several layers read are added up in one product. */
  @Override
  public boolean joins(List<Node> chain, List<Node> operand) {
    Shape product = chain.getFirst().output().shape();
    // Layers far apart would keep their derivatives in memory for long.
    boolean near = chain.getFirst().scope().equals(operand.getLast().scope());
    return near && isSumOfProducts(chain, product) && isSumOfProducts(operand, product);
  }

  private static boolean isSumOfProducts(List<Node> chain, Shape product) {
    return chain.stream()
        .allMatch(node ->
            switch (node.op()) {
              case Op.MatMul(boolean transposeA, _) ->
                  !transposeA && node.output().shape().equals(product);
              case Op.Reshape _, Op.Add _ -> true;
              default -> false;
            });
  }

  /** Layers that read the same rows, and derivatives by their weights and biases. */
  @Override
  public boolean beside(List<Node> group, List<Node> chain) {
    Node next = chain.getFirst();
    if (chain.size() > 1) {
      return false;
    }
    return switch (next.op()) {
      case Op.Linear _ ->
          group.stream()
              .allMatch(node ->
                  node.op() instanceof Op.Linear
                      && node.inputs().getFirst() == next.inputs().getFirst());
      case Op.MatMul _ ->
          isWeightGrad(next)
              && isWeightGrad(group.getFirst())
              && next.output().shape().equals(group.getFirst().output().shape())
              && base(next.inputs().get(1)) == base(group.getFirst().inputs().get(1));
      case Op.Sum(int axis) -> {
        // The derivative, and nobody but its product with the rows.
        List<Node> same =
            group.stream().filter(n -> n.inputs().contains(next.inputs().getFirst())).toList();
        yield axis == 0 && same.size() == 1 && isWeightGrad(same.getFirst());
      }
      default -> false;
    };
  }

  static boolean isWeightGrad(Node node) {
    return node.op() instanceof Op.MatMul(boolean transposeA, boolean transposeB)
        && transposeA
        && !transposeB;
  }

  /** The value that reshapes are views of. */
  private Value base(Value value) {
    Node node = graph.nodes().get(value.node());
    return node.op() instanceof Op.Reshape ? base(node.inputs().getFirst()) : value;
  }

  /** The derivative by a branch that a gate was multiplied with. */
  private static boolean timesRows(Node node) {
    return node.op() instanceof Op.Mul && sameShapes(node);
  }

  /** The epilogues of a matrix product: a gated residual, a sum, or an element-wise product. */
  private static boolean combines(Value product, Node next) {
    return switch (next.op()) {
      case Op.GatedAdd _ -> isOperand(product, next, 2);
      case Op.Add _, Op.Mul _ -> sameShapes(next);
      default -> false;
    };
  }

  /** What follows a product on the way back: another share of the sum, or an activation. */
  private static boolean addsOrBends(Value product, Node next) {
    return switch (next.op()) {
      case Op.Add _ -> sameShapes(next);
      case Op.ActivateGrad _ -> isOperand(product, next, 1);
      default -> false;
    };
  }

  /** Derivatives by what many rows were multiplied with. */
  private static boolean sumsRows(Node node) {
    return node.op() instanceof Op.Sum(int axis)
        && axis < node.inputs().getFirst().shape().rank() - 1;
  }

  private static boolean sameShapes(Node node) {
    return node.inputs().get(0).shape().equals(node.inputs().get(1).shape());
  }

  private static boolean isOperand(Value value, Node node) {
    return node.inputs().contains(value);
  }

  private static boolean isOperand(Value value, Node node, int index) {
    return node.inputs().get(index) == value;
  }
}
