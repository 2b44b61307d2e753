package org.rectiflow.engine;

import static org.rectiflow.engine.ShapeRules.rank;
import static org.rectiflow.engine.ShapeRules.same;
import static org.rectiflow.engine.ShapeRules.vector;

import java.util.ArrayList;
import java.util.List;

/** {@link ShapeRules} of the ops that are derivatives of others. */
final class GradShapeRules {
  private GradShapeRules() {}

  static List<Shape> infer(Op op, List<Shape> in) {
    return switch (op) {
      case Op.ActivateGrad _, Op.ClampGrad _ -> {
        same("dy", in.get(0), in.get(1));
        yield List.of(in.get(0));
      }
      case Op.LayerNormGrad(_, boolean affine) -> {
        same("dy", in.get(0), in.getLast());
        if (affine) {
          vector("weight", in.get(1), in.get(0).dim(-1));
        }
        yield affine ? List.of(in.get(0), in.get(1), in.get(1)) : List.of(in.get(0));
      }
      case Op.ModulatedNormGrad _ -> {
        Shape x = in.get(0);
        rank("x", x, 3);
        same("dy", x, in.get(2));
        same("scale", Shape.of(x.dim(0), x.dim(2)), in.get(1));
        yield List.of(x, in.get(1), in.get(1));
      }
      case Op.RmsNormGrad _ -> {
        vector("weight", in.get(1), in.get(0).dim(-1));
        same("dy", in.get(0), in.get(2));
        yield List.of(in.get(0), in.get(1));
      }
      case Op.GroupNormGrad _ -> {
        rank("x", in.get(0), 4);
        vector("weight", in.get(1), in.get(0).dim(1));
        same("dy", in.get(0), in.get(2));
        yield List.of(in.get(0), in.get(1), in.get(1));
      }
      case Op.AttentionGrad(Op.Attention attention) -> attention(attention, in);
      case Op.Conv2dInputGrad(int stride, Op.Padding padding, Shape input) -> {
        Op.Conv2d conv = new Op.Conv2d(stride, padding, false);
        same("dy", ShapeRules.conv2d(conv, List.of(input, in.get(0))), in.get(1));
        yield List.of(input);
      }
      case Op.Conv2dWeightGrad(int stride, Op.Padding padding, int height, int width) -> {
        rank("x", in.get(0), 4);
        rank("dy", in.get(1), 4);
        Shape w = Shape.of(in.get(1).dim(1), in.get(0).dim(1), height, width);
        Op.Conv2d conv = new Op.Conv2d(stride, padding, false);
        same("dy", ShapeRules.conv2d(conv, List.of(in.get(0), w)), in.get(1));
        yield List.of(w);
      }
      case Op.ScatterAdd(int rows) -> {
        same("dy", ShapeRules.append(in.get(1), in.get(0).dim(-1)), in.get(0));
        yield List.of(Shape.of(rows, in.get(0).dim(-1)));
      }
      default -> throw new AssertionError(op);
    };
  }

  private static List<Shape> attention(Op.Attention op, List<Shape> in) {
    int streams = op.streams();
    List<Shape> forward = in.subList(0, 3 * streams + (op.bias() ? 1 : 0));
    List<Shape> results = ShapeRules.attention(op, forward);
    int at = forward.size();
    for (int s = 0; s < streams; s++) {
      same("result " + s, results.get(s), in.get(at + s));
      same("dy " + s, results.get(s), in.get(at + streams + 1 + s));
    }
    same("log-sum-exp", results.getLast(), in.get(at + streams));
    return new ArrayList<>(forward);
  }
}
