package org.rectiflow.tornado;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.rectiflow.engine.Fusion;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.MemoryPlan;
import org.rectiflow.engine.Node;
import org.rectiflow.engine.Op;
import org.rectiflow.engine.Value;
import org.rectiflow.tornado.Launch.Task;
import org.rectiflow.tornado.Lowering.Step;

/**
 * What a graph becomes on a device, worked out before anything is taken there.
 *
 * @param memory where activations lie
 * @param residents where everything lies
 * @param steps what runs
 * @param tasks what is launched, transfers included
 * @param bus elements of the arrays that cross the bus
 * @param maxTickets launches between two looks at the tickets
 * @param tickets offset of the tickets in {@code mem}
 * @param pinned whether no task's grid may ever change
 */
record DevicePlan(
    MemoryPlan memory,
    Residents residents,
    List<Step> steps,
    Set<Task> tasks,
    int bus,
    int maxTickets,
    int tickets,
    boolean pinned) {
  private static final int LARGEST_BUS = 1 << 20;
  private static final int SMALLEST_BUS = 1 << 12;

  /**
   * Works it out.
   *
   * @throws org.rectiflow.engine.DeviceException if the graph does not fit
   */
  static DevicePlan of(String name, Graph graph, DeviceLimits limits, Set<Feature> features) {
    DevicePlan all = lay(graph, limits, features, Long.MAX_VALUE);
    boolean streaming = features.contains(Feature.STREAM);
    if (all.bytes() <= (streaming ? limits.most() / 4 * 3 : limits.most())) {
      return all;
    }
    DevicePlan least = lay(graph, limits, features, 0);
    if (!streaming || least.bytes() > limits.most()) {
      throw DeviceMemory.refusal(name, limits, all, least, streaming);
    }
    // Half is left to graphs that come later.
    long room = limits.most() / 2 - least.bytes();
    return lay(graph, limits, features, Math.max(0, room));
  }

  private static DevicePlan lay(
      Graph graph, DeviceLimits limits, Set<Feature> features, long residentBytes) {
    boolean pinned = features.contains(Feature.CUDA_GRAPHS);
    boolean library = features.contains(Feature.CUBLAS);
    Fusion fusion = TornadoFusion.of(graph);
    MemoryPlan memory = MemoryPlan.of(graph, fusion);
    Residents residents = new Residents(graph, memory, limits.largestArray(), residentBytes);
    Lowering lowering = new Lowering(graph, fusion, memory, residents, limits.tiles(), library);
    graph.outputs().values().forEach(residents::at);
    List<Step> steps =
        pinned ? lowering.steps().stream().map(Step::pinned).toList() : lowering.steps();
    int bus = bus(graph, residents, steps);
    int maxTickets = maxLaunches(graph, residents, steps, bus);
    Set<Task> tasks = new LinkedHashSet<>();
    tasks.add(new Task(Kernel.LOAD));
    tasks.add(new Task(Kernel.STORE));
    uploads(residents, steps).forEach(upload -> tasks.add(upload.task()));
    steps.forEach(step -> step.launches().forEach(launch -> tasks.add(launch.task())));
    return new DevicePlan(
        memory, residents, steps, tasks, bus, maxTickets, residents.reserve(maxTickets), pinned);
  }

  private static Stream<Upload> uploads(Residents residents, List<Step> steps) {
    return Stream.concat(
        residents.uploads().stream(), steps.stream().flatMap(step -> step.uploads().stream()));
  }

  /** Large enough for most, small enough to be cheap to send whole. */
  private static int bus(Graph graph, Residents residents, List<Step> steps) {
    long most = uploads(residents, steps).mapToLong(Upload::count).reduce(SMALLEST_BUS, Math::max);
    for (Value value : crossing(graph)) {
      most = Math.max(most, value.shape().count());
    }
    return (int) Math.min(LARGEST_BUS, most);
  }

  /** Inputs and outputs. */
  private static List<Value> crossing(Graph graph) {
    return Stream.concat(
            graph.nodes().stream().filter(n -> n.op() instanceof Op.Input).map(Node::output),
            graph.outputs().values().stream())
        .toList();
  }

  private static int maxLaunches(Graph graph, Residents residents, List<Step> steps, int bus) {
    long uploads = residents.uploads().stream().mapToLong(u -> trips(u.count(), bus)).sum();
    long perRun =
        crossing(graph).stream().mapToLong(value -> trips(value.shape().count(), bus)).sum();
    for (Step step : steps) {
      perRun += step.launches().size();
      perRun += step.uploads().stream().mapToLong(u -> trips(u.count(), bus)).sum();
    }
    return Math.toIntExact(Math.max(uploads, perRun));
  }

  private static long trips(long elements, int bus) {
    return (elements + bus - 1) / bus;
  }

  /** Bytes of all arrays on the device. */
  long bytes() {
    return 4L * residents.memFloats() + residents.weightBytes() + 6L * bus;
  }

  /** Bytes of weights that are sent anew with each run. */
  long streamedBytes() {
    return steps.stream().flatMap(step -> step.uploads().stream()).mapToLong(Upload::bytes).sum();
  }
}
