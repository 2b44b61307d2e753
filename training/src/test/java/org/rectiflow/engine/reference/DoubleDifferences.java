package org.rectiflow.engine.reference;

import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.IntTensor;
import org.rectiflow.engine.Node;
import org.rectiflow.engine.Op;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.Value;

/**
 * Gradients of a whole objective against central differences, everything in double precision. In
 * this package because the interpreter, which keeps doubles between ops, is.
 */
public final class DoubleDifferences {
  private static final double STEP = 1e-5;

  private DoubleDifferences() {}

  /**
   * For each parameter, along one random direction: the gradient's slope against a central
   * difference of the loss.
   *
   * @param graph with outputs {@code loss} and {@code grad.NAME}
   * @return the difference relative to the sum of |gradient direction|, by name
   */
  public static Map<String, Double> of(
      Graph graph, Map<String, Tensor> parameters, Map<String, Feed> data, long seed) {
    Random random = new Random(seed);
    Map<String, Value> inputs = new HashMap<>();
    for (Node node : graph.nodes()) {
      if (node.op() instanceof Op.Input(String name, _, _)) {
        inputs.put(name, node.output());
      }
    }
    Map<Value, Reals> floats = new HashMap<>();
    Map<Value, IntTensor> ints = new HashMap<>();
    parameters.forEach((name, tensor) -> floats.put(inputs.get(name), reals(tensor)));
    data.forEach((name, feed) -> {
      switch (feed) {
        case Feed.Floats(Tensor tensor) -> floats.put(inputs.get(name), reals(tensor));
        case Feed.Ints(IntTensor tensor) -> ints.put(inputs.get(name), tensor);
      }
    });
    Map<Value, Reals> at = run(graph, floats, ints);
    Map<String, Double> differences = new TreeMap<>();
    for (String name : parameters.keySet()) {
      double[] gradient = at.get(graph.outputs().get("grad." + name)).data();
      double[] direction = new double[gradient.length];
      double expected = 0;
      double scale = 1e-4;
      for (int i = 0; i < direction.length; i++) {
        direction[i] = random.nextGaussian();
        expected += direction[i] * gradient[i];
        scale += Math.abs(direction[i] * gradient[i]);
      }
      double[] losses = new double[2];
      for (int side = 0; side < 2; side++) {
        Reals here = floats.get(inputs.get(name));
        double[] moved = here.data().clone();
        for (int i = 0; i < moved.length; i++) {
          moved[i] += (side == 0 ? STEP : -STEP) * direction[i];
        }
        Map<Value, Reals> there = new HashMap<>(floats);
        there.put(inputs.get(name), new Reals(here.shape(), moved));
        losses[side] = run(graph, there, ints).get(graph.outputs().get("loss")).data()[0];
      }
      double slope = (losses[0] - losses[1]) / (2 * STEP);
      differences.put(name, Math.abs(slope - expected) / scale);
    }
    return differences;
  }

  private static Reals reals(Tensor tensor) {
    double[] data = new double[tensor.data().length];
    for (int i = 0; i < data.length; i++) {
      data[i] = tensor.data()[i];
    }
    return new Reals(tensor.shape(), data);
  }

  private static Map<Value, Reals> run(
      Graph graph, Map<Value, Reals> floats, Map<Value, IntTensor> ints) {
    Map<Value, Reals> all = new HashMap<>(floats);
    ReferenceInterpreter.run(graph, all, new HashMap<>(ints), (_, _) -> {});
    return all;
  }
}
