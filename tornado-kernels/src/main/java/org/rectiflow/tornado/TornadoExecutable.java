package org.rectiflow.tornado;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.rectiflow.engine.DeviceException;
import org.rectiflow.engine.ElementType;
import org.rectiflow.engine.Executable;
import org.rectiflow.engine.Feeds;
import org.rectiflow.engine.FiniteCheck;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.IntTensor;
import org.rectiflow.engine.Node;
import org.rectiflow.engine.NonFiniteException;
import org.rectiflow.engine.Op;
import org.rectiflow.engine.Profile;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.Value;
import org.rectiflow.tornado.DeviceProgram.Times;
import org.rectiflow.tornado.Launch.Task;
import org.rectiflow.tornado.Lowering.Step;
import org.rectiflow.tornado.kernels.Row;
import org.rectiflow.tornado.kernels.Transfers;
import uk.ac.manchester.tornado.api.common.TornadoDevice;

/**
 * A graph on a device: weights sent once, activations never leaving it. Every launch of a run
 * leaves a ticket on the device, and all tickets are read back with the results: a kernel that did
 * not run ends the run.
 */
public final class TornadoExecutable implements Executable {
  private static final int LAST_RUN = Residents.MAX_ID - 1;

  private final String name;
  private final Graph graph;
  private final Profile profile;
  private final String device;
  private final KernelSources sources;
  private final DevicePlan plan;
  private final DeviceArrays arrays;
  private final DeviceProgram program;
  private AtomicLong taken = new AtomicLong();
  private int run;
  private final List<Task> launched = new ArrayList<>();

  TornadoExecutable(
      String name,
      Graph graph,
      TornadoDevice device,
      KernelSources sources,
      Profile profile,
      Set<Feature> features,
      AtomicLong taken) {
    this(
        name,
        graph,
        DevicePlan.of(name, graph, DeviceLimits.of(device, taken.get()), features),
        device,
        sources,
        profile,
        DeviceArrays::addTask);
    this.taken = taken;
    taken.addAndGet(plan.bytes());
    if (features.contains(Feature.CUDA_GRAPHS)) {
      program.recordLaunches();
    }
  }

  TornadoExecutable(
      String name,
      Graph graph,
      DevicePlan plan,
      TornadoDevice device,
      KernelSources sources,
      Profile profile,
      DeviceProgram.Methods methods) {
    this.name = name;
    this.graph = graph;
    this.plan = plan;
    this.profile = profile;
    this.device = TornadoDevices.describe(device);
    this.sources = sources;
    for (Node node : graph.nodes()) {
      if (node.op() instanceof Op.IntConstant(IntTensor ids)) {
        checkIds(node, ids);
      }
    }
    long start = System.nanoTime();
    Residents residents = plan.residents();
    this.arrays =
        new DeviceArrays(
            residents.memFloats(), residents.floatArrays(), residents.shortArrays(), plan.bus());
    this.program = open(device, sources, methods);
    try {
      program.create(this::account);
      profile.addOverhead(name, "preparation", System.nanoTime() - start, 0);
      upload();
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  private DeviceProgram open(
      TornadoDevice device, KernelSources sources, DeviceProgram.Methods methods) {
    try {
      return new DeviceProgram(device, sources, arrays, plan.tasks(), methods);
    } catch (RuntimeException | Error e) {
      arrays.close();
      throw e;
    }
  }

  // ---- Weights ------------------------------------------------------------------------------

  private void upload() {
    begin();
    long start = System.nanoTime();
    List<Upload> uploads = plan.residents().uploads();
    uploads.forEach(this::send);
    finish();
    double bytes = uploads.stream().mapToDouble(Upload::bytes).sum();
    profile.addOverhead(name, "weights", System.nanoTime() - start, bytes);
  }

  /** Sends the weights of a step that do not stay on the device. */
  private void stream(Step step) {
    if (!step.uploads().isEmpty()) {
      long start = System.nanoTime();
      step.uploads().forEach(this::send);
      double bytes = step.uploads().stream().mapToDouble(Upload::bytes).sum();
      profile.addOverhead(name, "streamed weights", System.nanoTime() - start, bytes);
    }
  }

  private void send(Upload upload) {
    boolean halves = upload.storage().isShort();
    int size = halves ? Short.BYTES : Float.BYTES;
    MemorySegment source = upload.source().get();
    MemorySegment target = halves ? arrays.shortBus().getSegment() : arrays.floatBus().getSegment();
    Task task = upload.task();
    for (long from = 0; from < upload.count(); from += plan.bus()) {
      int n = (int) Math.min(plan.bus(), upload.count() - from);
      MemorySegment.copy(source, from * size, target, 0, (long) n * size);
      int at = Math.toIntExact(upload.offset() + from);
      launch(elements(task, n, Transfers.row(n, at)));
    }
  }

  private Launch elements(Task task, int n, int[] row) {
    int lanes = plan.pinned() ? plan.bus() : n;
    return new Launch(task, Launch.groups(lanes, task.kernel().localX()), 1, row);
  }

  // ---- Running ------------------------------------------------------------------------------

  @Override
  public Map<String, Tensor> run(Map<String, Feed> feeds) {
    Map<Node, Feed> inputs = Feeds.match(graph, feeds);
    begin();
    inputs.forEach(this::set);
    plan.steps().forEach(this::runStep);
    Map<String, Tensor> outputs = new LinkedHashMap<>();
    graph.outputs().forEach((output, value) -> outputs.put(output, read(value)));
    finish();
    for (var entry : outputs.entrySet()) {
      if (!isFinite(entry.getValue().data())) {
        throw blame(entry.getKey(), inputs);
      }
    }
    return outputs;
  }

  private void runStep(Step step) {
    stream(step);
    long nanos = 0;
    for (Launch launch : step.launches()) {
      nanos += launch(launch).kernel();
    }
    profile.add(name, step.title(), step.last().scope(), nanos, step.cost());
  }

  private void set(Node node, Feed feed) {
    float[] values =
        switch (feed) {
          case Feed.Floats(Tensor tensor) -> tensor.data();
          case Feed.Ints(IntTensor ids) -> {
            checkIds(node, ids);
            yield Residents.asFloats(ids);
          }
        };
    send(Upload.floats(plan.residents().at(node.output()), values));
  }

  /** A look-up outside a table reads whatever lies there, so ids are checked before. */
  private void checkIds(Node input, IntTensor ids) {
    for (Node node : graph.nodes()) {
      if (node.op() instanceof Op.Gather && source(node.inputs().get(1)).index() == input.index()) {
        requireIds(node, ids);
      }
    }
  }

  private static void requireIds(Node gather, IntTensor ids) {
    int rows = gather.inputs().get(0).shape().dim(0);
    for (int id : ids.data()) {
      if (id < 0 || id >= rows) {
        throw new IllegalArgumentException(
            "id " + id + " is outside the table's " + rows + " rows, in " + gather.describe());
      }
    }
  }

  /** The node that ids come from, through reshapes. */
  private Node source(Value ids) {
    Node node = graph.nodes().get(ids.node());
    return node.op() instanceof Op.Reshape ? source(node.inputs().getFirst()) : node;
  }

  private Tensor read(Value value) {
    Tensor tensor = Tensor.zeros(value.shape());
    read(plan.residents().at(value), tensor.data());
    return tensor;
  }

  private void read(int at, float[] target) {
    for (int from = 0; from < target.length; from += plan.bus()) {
      int n = Math.min(plan.bus(), target.length - from);
      launch(elements(new Task(Kernel.STORE), n, Transfers.row(n, at + from)));
      MemorySegment.copy(
          arrays.floatBus().getSegment(), ValueLayout.JAVA_FLOAT, 0, target, from, n);
    }
  }

  // ---- Launches and their tickets -----------------------------------------------------------

  private void begin() {
    run = run % LAST_RUN + 1;
    launched.clear();
  }

  private Times launch(Launch launch) {
    if (launch.task().kernel() == Kernel.LIBRARY_PRODUCT) {
      Times times = program.launch(launch);
      account(launch.task(), times);
      return times;
    }
    int[] row = launch.row();
    row[Row.TICKET] = plan.tickets() + launched.size() % plan.maxTickets();
    row[Row.RUN] = run;
    launched.add(launch.task());
    Times times = program.launch(launch);
    account(launch.task(), times);
    return times;
  }

  private void account(Task task, Times times) {
    if (times.compile() > 0) {
      profile.addOverhead(name, "compilation", times.compile(), 0);
    }
    profile.addOverhead(name, "copy in", times.copyIn(), 0);
    if (task.kernel() == Kernel.STORE) {
      profile.addOverhead(name, "copy out", times.copyOut(), 0);
    }
  }

  /** Every launch since {@link #begin} must have left its ticket. */
  private void finish() {
    int expected = run;
    List<Task> tasks = List.copyOf(launched);
    float[] found = new float[Math.min(launched.size(), plan.maxTickets())];
    read(plan.tickets(), found);
    for (int i = 0; i < found.length; i++) {
      if (found[i] != expected) {
        String message =
            "kernel %s, launch %d of %d of %s, did not run on %s, though nothing was reported. Its group of lanes may be larger than the device allows, or the driver is broken. Its generated source is in %s"
                .formatted(
                    tasks.get(i).title(), i + 1, found.length, name, device, sources.folder());
        sources.failed(message);
        throw new DeviceException(message);
      }
    }
  }

  // ---- The NaN guard ------------------------------------------------------------------------

  private static boolean isFinite(float[] values) {
    for (float v : values) {
      if (!Float.isFinite(v)) {
        return false;
      }
    }
    return true;
  }

  /** Runs once more, every op's operands and result looked at. */
  private NonFiniteException blame(String output, Map<Node, Feed> inputs) {
    begin();
    inputs.forEach(this::set);
    try {
      for (Step step : plan.steps()) {
        stream(step);
        step.launches().forEach(this::launch);
        checkStep(step);
      }
    } catch (NonFiniteException found) {
      return found;
    }
    return new NonFiniteException(
        "output " + output + " of " + name + " has values that are not finite");
  }

  private void checkStep(Step step) {
    for (Node node : step.group()) {
      for (Value in : node.inputs()) {
        Node source = graph.nodes().get(in.node());
        if (source.op() instanceof Op.Parameter(var weight)) {
          FiniteCheck.require(weight.toFloats(), source);
        }
      }
    }
    for (Value out : step.last().outputs()) {
      if (out.type() == ElementType.F32) {
        FiniteCheck.require(read(out).data(), step.last());
      }
    }
  }

  // ---- What it takes ------------------------------------------------------------------------

  /** How many kernels were compiled so far: the number of kinds of launches, not of layers. */
  public int compiledTasks() {
    return program.compiledTasks();
  }

  /** How many kernels a run launches. */
  public int launches() {
    return plan.steps().stream().mapToInt(step -> step.launches().size()).sum();
  }

  /** Bytes of weights that each run sends anew, for want of room. */
  public long streamedBytes() {
    return plan.streamedBytes();
  }

  /** Bytes on the device: activations, weights and what else. */
  public long deviceBytes() {
    return plan.bytes();
  }

  @Override
  public long arenaBytes() {
    return plan.memory().arenaBytes();
  }

  @Override
  public void close() {
    program.close();
    arrays.close();
    taken.addAndGet(-plan.bytes());
  }
}
