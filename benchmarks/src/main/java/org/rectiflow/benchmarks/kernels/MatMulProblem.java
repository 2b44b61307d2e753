package org.rectiflow.benchmarks.kernels;

import java.util.Map;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.Value;
import org.rectiflow.safetensors.DType;

/**
 * A linear layer {@code y = x W^T + b}: x [m, k], W [n, k], b [n].
 *
 * @param x m k values
 * @param weight n k values
 * @param bias n values
 */
public record MatMulProblem(int m, int k, int n, float[] x, float[] weight, float[] bias)
    implements Problem {

  /** A layer with random operands whose results are about one. */
  public static MatMulProblem of(int m, int k, int n) {
    float limit = (float) Math.sqrt(3.0 / k);
    return new MatMulProblem(
        m,
        k,
        n,
        RandomValues.uniform(1, 1.7f, m, k),
        RandomValues.uniform(2, limit, n, k),
        RandomValues.uniform(3, 1, n));
  }

  @Override
  public String name() {
    return "%d x %d -> %d".formatted(m, k, n);
  }

  @Override
  public Graph graph(DType weights) {
    Graph g = new Graph();
    Value w = g.parameter(RandomValues.weight("w", weights, weight, n, k));
    Value b = g.parameter(RandomValues.weight("b", weights, bias, n));
    g.output("y", g.linear(g.input("x", m, k), w, b));
    return g;
  }

  @Override
  public Map<String, Feed> feeds() {
    return Map.of("x", Feed.of(Tensor.of(x, m, k)));
  }
}
