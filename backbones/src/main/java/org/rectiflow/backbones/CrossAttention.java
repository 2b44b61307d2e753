package org.rectiflow.backbones;

import java.util.List;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Graph.Qkv;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.Value;

/**
 * Attention of one sequence's queries to another's keys. Queries do not see each other, so they are
 * cut into groups as long as the other sequence, and each group attends as if it were a sample of
 * its own; the last one is filled up with zeros.
 */
final class CrossAttention {
  private CrossAttention() {}

  /**
   * Softmax(q k^T / sqrt(D)) v for each head.
   *
   * @param q [B, N, H D]
   * @param k [B, L, H D]
   * @param v [B, L, H D]
   * @return [B, N, H D]
   */
  static Value of(Graph g, int heads, Value q, Value k, Value v) {
    int batch = q.shape().dim(0);
    int queries = q.shape().dim(1);
    int width = q.shape().dim(2);
    int keys = k.shape().dim(1);
    int groups = (queries + keys - 1) / keys;
    int missing = groups * keys - queries;
    Value padded =
        missing == 0
            ? q
            : g.concat(1, List.of(q, g.constant(Tensor.zeros(Shape.of(batch, missing, width)))));
    Qkv qkv =
        new Qkv(
            g.reshape(padded, batch * groups, keys, width),
            repeated(g, k, groups),
            repeated(g, v, groups));
    Value attended = g.jointAttention(heads, List.of(qkv)).getFirst();
    Value all = g.reshape(attended, batch, groups * keys, width);
    return missing == 0 ? all : g.slice(all, 1, 0, queries);
  }

  private static Value repeated(Graph g, Value x, int groups) {
    Shape s = x.shape();
    return groups == 1
        ? x
        : g.reshape(g.repeat(x, 1, groups), s.dim(0) * groups, s.dim(1), s.dim(2));
  }
}
