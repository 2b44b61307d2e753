package org.rectiflow.engine.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.rectiflow.engine.Cost;
import org.rectiflow.engine.Executable;
import org.rectiflow.engine.Feeds;
import org.rectiflow.engine.FiniteCheck;
import org.rectiflow.engine.Fusion;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.MemoryPlan;
import org.rectiflow.engine.Node;
import org.rectiflow.engine.NonFiniteException;
import org.rectiflow.engine.Op;
import org.rectiflow.engine.Profile;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.Value;
import org.rectiflow.engine.cpu.kernels.StoredVector;
import org.rectiflow.engine.cpu.kernels.Workers;

/** A graph with its memory taken and a kernel bound to each group of nodes. */
final class CpuExecutable implements Executable {

  private static final int INFINITY = Float.floatToRawIntBits(Float.POSITIVE_INFINITY);

  /** One kernel call. */
  private record Step(List<Node> group, String title, Cost cost, Runnable kernel) {}

  private final String name;
  private final Graph graph;
  private final Workers workers;
  private final Profile profile;
  private final Fusion fusion;
  private final Arena arena = Arena.ofShared();
  private final Operands operands;
  private final List<Step> steps = new ArrayList<>();

  CpuExecutable(String name, Graph graph, Workers workers, Profile profile) {
    this.name = name;
    this.graph = graph;
    this.workers = workers;
    this.profile = profile;
    fusion = CpuFusion.of(graph);
    MemoryPlan plan = MemoryPlan.of(graph, fusion);
    this.operands = new Operands(graph, plan, arena);
    KernelBinder binder = new KernelBinder(fusion, operands, workers);
    for (List<Node> group : fusion.groups()) {
      Node last = group.getLast();
      boolean nothingToDo =
          plan.isFree(last)
              || operands.isElsewhere(last.output())
              || last.outputs().stream().allMatch(v -> v.shape().count() == 0);
      if (!nothingToDo) {
        steps.add(new Step(group, title(group), Cost.of(graph, fusion, group), binder.bind(group)));
      }
    }
  }

  private static String title(List<Node> group) {
    StringBuilder title = new StringBuilder();
    for (Node node : group) {
      title.append(title.isEmpty() ? "" : "+").append(node.op().name());
    }
    return title.toString();
  }

  @Override
  public Map<String, Tensor> run(Map<String, Feed> feeds) {
    Map<Node, Feed> inputs = Feeds.match(graph, feeds);
    feed(inputs);
    runSteps(false);
    List<Map.Entry<String, Value>> wanted = List.copyOf(graph.outputs().entrySet());
    Tensor[] tensors = new Tensor[wanted.size()];
    boolean[] finite = new boolean[wanted.size()];
    workers.parallelFor(
        tensors.length,
        (i, _) -> {
          tensors[i] = read(wanted.get(i).getValue());
          finite[i] = isFinite(tensors[i].data());
        });
    Map<String, Tensor> outputs = new LinkedHashMap<>();
    for (int i = 0; i < tensors.length; i++) {
      String output = wanted.get(i).getKey();
      if (!finite[i]) {
        throw blame(output, inputs);
      }
      outputs.put(output, tensors[i]);
    }
    return outputs;
  }

  /** Gives the inputs; those of training are all its weights. */
  private void feed(Map<Node, Feed> inputs) {
    inputs.forEach(operands::setIntegers);
    List<Map.Entry<Node, Feed>> all = List.copyOf(inputs.entrySet());
    workers.parallelFor(
        all.size(), (i, _) -> operands.setFloats(all.get(i).getKey(), all.get(i).getValue()));
  }

  private void runSteps(boolean check) {
    for (Step step : steps) {
      long start = System.nanoTime();
      step.kernel.run();
      String scope = step.group.getLast().scope();
      profile.add(name, step.title, scope, System.nanoTime() - start, step.cost);
      if (check) {
        checkStep(step);
      }
    }
  }

  /**
   * The NaN guard costs nothing while all is well: only when an output is not finite does the graph
   * run once more, every op's operands and result looked at.
   */
  private NonFiniteException blame(String output, Map<Node, Feed> inputs) {
    feed(inputs);
    try {
      runSteps(true);
    } catch (NonFiniteException found) {
      return found;
    }
    return new NonFiniteException(
        "output " + output + " of " + name + " has values that are not finite");
  }

  private void checkStep(Step step) {
    for (Node node : step.group) {
      for (Value in : node.inputs()) {
        Node source = graph.nodes().get(in.node());
        if (source.op() instanceof Op.Parameter(var weight)) {
          FiniteCheck.require(weight.toFloats(), source);
        }
      }
    }
    for (Node node : step.group) {
      for (Value out : node.outputs()) {
        if (!fusion.isAbsorbed(out)) {
          FiniteCheck.require(read(out).data(), node);
        }
      }
    }
  }

  /** A maximum of bits, which the compiler turns into vectors: gradients are long. */
  private static boolean isFinite(float[] values) {
    int most = 0;
    for (float value : values) {
      most = Math.max(most, Float.floatToRawIntBits(value) & Integer.MAX_VALUE);
    }
    return most < INFINITY;
  }

  /** A copy; the array is not set to zero before. */
  private Tensor read(Value value) {
    StoredVector from = operands.f32(value);
    MemorySegment values = from.segment().asSlice(from.byteOffset(), 4 * value.shape().count());
    return new Tensor(value.shape(), values.toArray(ValueLayout.JAVA_FLOAT));
  }

  @Override
  public long arenaBytes() {
    return operands.arenaBytes();
  }

  @Override
  public void close() {
    arena.close();
  }
}
