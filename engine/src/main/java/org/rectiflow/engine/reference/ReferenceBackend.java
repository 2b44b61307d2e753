package org.rectiflow.engine.reference;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Executable;
import org.rectiflow.engine.Feeds;
import org.rectiflow.engine.FiniteCheck;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.IntTensor;
import org.rectiflow.engine.Node;
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
  /** Every value of the graph at once: nothing here is clever. */
  @Override
  public long arenaBytes(Graph graph) {
    return Interpreter.bytes(graph);
  }

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
      Map<Value, Reals> floats = new HashMap<>();
      Map<Value, IntTensor> ints = new HashMap<>();
      inputs.forEach((node, feed) -> {
        switch (feed) {
          case Feed.Floats(Tensor tensor) -> floats.put(node.output(), widen(tensor));
          case Feed.Ints(IntTensor tensor) -> ints.put(node.output(), tensor);
        }
      });
      ReferenceInterpreter.run(graph, floats, ints, Interpreter::roundToFloat);
      Map<String, Tensor> results = new LinkedHashMap<>();
      graph.outputs().forEach((name, value) -> results.put(name, narrow(floats.get(value))));
      return results;
    }

    private static Reals widen(Tensor tensor) {
      double[] data = new double[tensor.data().length];
      for (int i = 0; i < data.length; i++) {
        data[i] = tensor.data()[i];
      }
      return new Reals(tensor.shape(), data);
    }

    private static Tensor narrow(Reals reals) {
      Tensor tensor = Tensor.zeros(reals.shape());
      for (int i = 0; i < tensor.data().length; i++) {
        tensor.data()[i] = (float) reals.data()[i];
      }
      return tensor;
    }

    /** Every result of an op is a float, as on other backends. */
    private static void roundToFloat(Node node, Reals result) {
      double[] data = result.data();
      for (int i = 0; i < data.length; i++) {
        data[i] = (float) data[i];
        if (!Double.isFinite(data[i])) {
          throw FiniteCheck.failure(node, (float) data[i], i);
        }
      }
    }

    @Override
    public long arenaBytes() {
      return bytes(graph);
    }

    private static long bytes(Graph graph) {
      return graph.nodes().stream()
          .flatMap(n -> n.outputs().stream())
          .mapToLong(v -> 4 * v.shape().count())
          .sum();
    }

    @Override
    public void close() {}
  }
}
