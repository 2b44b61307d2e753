package org.rectiflow.engine.reference;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Executable;
import org.rectiflow.engine.Feeds;
import org.rectiflow.engine.FiniteCheck;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.IntTensor;
import org.rectiflow.engine.Node;
import org.rectiflow.engine.Op;
import org.rectiflow.engine.Profile;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.Value;

/** Runs {@link ReferenceOps} node by node, every value in an array of its own. For tests. */
public final class ReferenceBackend implements Backend {

  @Override
  public String name() {
    return "reference";
  }

  @Override
  public String describe() {
    return "plain loops with double accumulation, one thread: the definition of every op";
  }

  @Override
  public Executable compile(String name, Graph graph) {
    return new Interpreter(graph);
  }

  /** Empty: times of this backend say nothing. */
  @Override
  public Profile profile() {
    return new Profile();
  }

  @Override
  public void close() {}

  private record Interpreter(Graph graph) implements Executable {

    @Override
    public Map<String, Tensor> run(Map<String, Feed> feeds) {
      Map<Node, Feed> inputs = Feeds.match(graph, feeds);
      Map<Value, Tensor> floats = new HashMap<>();
      Map<Value, IntTensor> ints = new HashMap<>();
      for (Node node : graph.nodes()) {
        if (node.op() instanceof Op.Input) {
          switch (inputs.get(node)) {
            case Feed.Floats(Tensor tensor) -> floats.put(node.output(), tensor);
            case Feed.Ints(IntTensor tensor) -> ints.put(node.output(), tensor);
          }
        } else {
          evaluate(node, floats, ints);
          for (Value out : node.outputs()) {
            if (floats.containsKey(out)) {
              FiniteCheck.require(floats.get(out).data(), node);
            }
          }
        }
      }
      Map<String, Tensor> results = new LinkedHashMap<>();
      graph.outputs().forEach((name, value) -> results.put(name, copy(floats.get(value))));
      return results;
    }

    private static Tensor copy(Tensor t) {
      return new Tensor(t.shape(), t.data().clone());
    }

    private static void evaluate(Node node, Map<Value, Tensor> floats, Map<Value, IntTensor> ints) {
      List<Value> in = node.inputs();
      Value out = node.output();
      Tensor[] x = in.stream().map(floats::get).toArray(Tensor[]::new);
      if (node.op() instanceof Op.IntConstant(IntTensor value)) {
        ints.put(out, value);
        return;
      }
      if (node.op() instanceof Op.Reshape && ints.containsKey(in.getFirst())) {
        ints.put(out, new IntTensor(out.shape(), ints.get(in.getFirst()).data()));
        return;
      }
      float[][] ys = new float[node.outputs().size()][];
      for (int i = 0; i < ys.length; i++) {
        Tensor result = Tensor.zeros(node.outputs().get(i).shape());
        ys[i] = result.data();
        floats.put(node.outputs().get(i), result);
      }
      float[] y = ys[0];
      switch (node.op()) {
        case Op.Input _, Op.IntConstant _ -> throw new AssertionError(node.op());
        case Op.Parameter(var weight) -> System.arraycopy(weight.toFloats(), 0, y, 0, y.length);
        case Op.Constant(var value) -> System.arraycopy(value.data(), 0, y, 0, y.length);
        case Op.Reshape _ -> System.arraycopy(x[0].data(), 0, y, 0, y.length);
        case Op.Linear(boolean bias) ->
            ReferenceOps.linear(x[0], x[1], bias ? x[2].data() : null, y);
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
        case Op.Gather _ -> ReferenceOps.gather(x[0], ints.get(in.get(1)).data(), y);
        case Op.TimestepFeatures(int dim) -> ReferenceOps.timestepFeatures(x[0].data(), dim, y);
        case Op.UpsampleNearest2x _ -> ReferenceOps.upsampleNearest2x(x[0], y);
        case Op.Slice op -> ReferenceOps.slice(op, x[0], y);
        case Op.Concat op -> ReferenceOps.concat(op, x, out.shape(), y);
        case Op.Permute op -> ReferenceOps.permute(op, x[0], out.shape(), y);
      }
    }

    @Override
    public long arenaBytes() {
      return graph.nodes().stream()
          .flatMap(n -> n.outputs().stream())
          .mapToLong(v -> 4 * v.shape().count())
          .sum();
    }

    @Override
    public void close() {}
  }
}
