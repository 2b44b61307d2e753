package org.rectiflow.tornado;

import java.util.List;
import org.rectiflow.engine.Fusion;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Node;
import org.rectiflow.engine.Op;
import org.rectiflow.engine.Value;

/** Which chains of ops there is one kernel for. */
final class TornadoFusion {
  private TornadoFusion() {}

  static Fusion of(Graph graph) {
    return Fusion.of(graph, TornadoFusion::extend);
  }

  private static boolean extend(List<Node> chain, Node next) {
    Value result = chain.getLast().output();
    boolean first = next.inputs().getFirst() == result;
    return switch (chain.getLast().op()) {
      case Op.Linear _ -> next.op() instanceof Op.Activate || finishes(result, next);
      case Op.Activate _ -> chain.getFirst().op() instanceof Op.Linear && finishes(result, next);
      case Op.LayerNorm _ -> next.op() instanceof Op.Modulate && first;
      case Op.GroupNorm _ -> next.op() instanceof Op.Activate;
      case Op.UpsampleNearest2x _ ->
          next.op() instanceof Op.Conv2d(int stride, _, _) && stride == 1 && first;
      case Op.Conv2d _ -> next.op() instanceof Op.Add && sameShapes(next);
      default -> false;
    };
  }

  /** What the matrix product can do to its sums: see {@code kernels.Linear.Finish}. */
  private static boolean finishes(Value product, Node next) {
    return switch (next.op()) {
      case Op.GatedAdd _ -> next.inputs().get(2) == product;
      case Op.Add _, Op.Mul _ -> sameShapes(next);
      default -> false;
    };
  }

  private static boolean sameShapes(Node node) {
    return node.inputs().get(0).shape().equals(node.inputs().get(1).shape());
  }
}
