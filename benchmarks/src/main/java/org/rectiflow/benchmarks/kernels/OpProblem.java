package org.rectiflow.benchmarks.kernels;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Gradients;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Op;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.Value;
import org.rectiflow.safetensors.DType;

/**
 * Any op or chain of ops as a problem; its inputs get random values.
 *
 * @param record records it into a graph and returns the result
 */
public record OpProblem(String name, Function<Graph, Value> record) implements Problem {
  private static final float EPS = 1e-6f;

  /** Layer norm and modulation, one kernel: x [1, tokens, width]. */
  public static OpProblem layerNormModulate(int tokens, int width) {
    return new OpProblem(
        "LayerNorm+Modulate %d x %d".formatted(tokens, width),
        g ->
            g.modulate(
                g.layerNorm(g.input("x", 1, tokens, width), EPS),
                g.input("shift", 1, width),
                g.input("scale", 1, width)));
  }

  /** The norm of queries and keys, head by head: x [1, tokens, heads, headSize]. */
  public static OpProblem rmsNorm(int tokens, int heads, int headSize) {
    return new OpProblem(
        "RmsNorm %d x %d x %d".formatted(tokens, heads, headSize),
        g -> g.rmsNorm(g.input("x", 1, tokens, heads, headSize), g.input("w", headSize), EPS));
  }

  /** Group norm and SiLU, one kernel: x [1, channels, side, side] in 32 groups. */
  public static OpProblem groupNormSilu(int channels, int side) {
    return new OpProblem(
        "GroupNorm+SiLU %d at %dx%d".formatted(channels, side, side),
        g ->
            g.silu(
                g.groupNorm(
                    g.input("x", 1, channels, side, side),
                    g.input("w", channels),
                    g.input("b", channels),
                    32,
                    EPS)));
  }

  /** Forward and backward pass of a forward problem whose parameters become inputs. */
  public static OpProblem gradients(String name, Function<Graph, Value> forward) {
    return new OpProblem(
        name + ", forward and backward",
        g -> {
          Value y = forward.apply(g);
          Value loss = g.mean(g.mul(y, y));
          var inputs =
              g.nodes().stream()
                  .filter(node -> node.op() instanceof Op.Input)
                  .map(node -> node.output())
                  .toList();
          var gradients = Gradients.of(g, loss, inputs);
          for (int i = 0; i < inputs.size(); i++) {
            g.output("d" + i, gradients.get(i));
          }
          return loss;
        });
  }

  @Override
  public Graph graph(DType weights) {
    Graph g = new Graph();
    g.output("y", record.apply(g));
    return g;
  }

  @Override
  public Map<String, Feed> feeds() {
    Map<String, Feed> feeds = new LinkedHashMap<>();
    Graph g = graph(DType.F32);
    g.nodes()
        .forEach(node -> {
          if (node.op() instanceof Op.Input(String input, var shape, _)) {
            float[] values = RandomValues.uniform(feeds.size() + 1, 1, shape.dims());
            feeds.put(input, Feed.of(new Tensor(shape, values)));
          }
        });
    return feeds;
  }
}
