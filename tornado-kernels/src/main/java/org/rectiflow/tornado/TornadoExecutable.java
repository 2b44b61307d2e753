package org.rectiflow.tornado;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.rectiflow.engine.DeviceException;
import org.rectiflow.engine.ElementType;
import org.rectiflow.engine.Executable;
import org.rectiflow.engine.Feeds;
import org.rectiflow.engine.FiniteCheck;
import org.rectiflow.engine.Fusion;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.IntTensor;
import org.rectiflow.engine.MemoryPlan;
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
import uk.ac.manchester.tornado.api.enums.TornadoDeviceType;

/**
 * A graph on a device: weights sent once, activations never leaving it. Every launch of a run
 * leaves a ticket on the device, and all tickets are read back with the results: a kernel that did
 * not run ends the run.
 */
public final class TornadoExecutable implements Executable {
  private static final int LARGEST_BUS = 1 << 20;
  private static final int SMALLEST_BUS = 1 << 12;
  private static final int LAST_RUN = Residents.MAX_ID - 1;

  private final String name;
  private final Graph graph;
  private final Profile profile;
  private final String device;
  private final KernelSources sources;
  private final MemoryPlan plan;
  private final Residents residents;
  private final List<Step> steps;
  private final DeviceArrays arrays;
  private final DeviceProgram program;
  private final int bus;
  private final int tickets;
  private final int maxTickets;
  private int run;
  private final List<Task> launched = new ArrayList<>();

  TornadoExecutable(
      String name, Graph graph, TornadoDevice device, KernelSources sources, Profile profile) {
    this(name, graph, device, sources, profile, DeviceArrays::addTask);
  }

  TornadoExecutable(
      String name,
      Graph graph,
      TornadoDevice device,
      KernelSources sources,
      Profile profile,
      DeviceProgram.Methods methods) {
    this.name = name;
    this.graph = graph;
    this.profile = profile;
    this.device = TornadoDevices.describe(device);
    this.sources = sources;
    for (Node node : graph.nodes()) {
      if (node.op() instanceof Op.IntConstant(IntTensor ids)) {
        checkIds(node, ids);
      }
    }
    Fusion fusion = TornadoFusion.of(graph);
    this.plan = MemoryPlan.of(graph, fusion);
    this.residents = new Residents(graph, plan, device.getMaxAllocMemory());
    boolean tiles = device.getDeviceType() != TornadoDeviceType.CPU;
    Lowering lowering = new Lowering(graph, fusion, plan, residents, tiles);
    this.steps = lowering.steps();
    graph.outputs().values().forEach(residents::at);
    this.bus = busSize();
    this.maxTickets = maxLaunches();
    this.tickets = residents.reserve(maxTickets);
    DeviceMemory.require(name, device, residents, plan, bus);
    long start = System.nanoTime();
    this.arrays =
        new DeviceArrays(
            residents.memFloats(), residents.floatArrays(), residents.shortArrays(), bus);
    this.program = open(device, sources, lowering.tasks(), methods);
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
      TornadoDevice device,
      KernelSources sources,
      Set<Task> computing,
      DeviceProgram.Methods methods) {
    Set<Task> tasks = new LinkedHashSet<>();
    tasks.add(new Task(Kernel.LOAD));
    tasks.add(new Task(Kernel.STORE));
    residents.uploads().forEach(upload -> tasks.add(loader(upload)));
    tasks.addAll(computing);
    try {
      return new DeviceProgram(device, sources, arrays, tasks, methods);
    } catch (RuntimeException | Error e) {
      arrays.close();
      throw e;
    }
  }

  private static Task loader(Upload upload) {
    return switch (upload.storage()) {
      case NONE, MEM -> new Task(Kernel.LOAD);
      case F32 -> new Task(Kernel.LOAD_WEIGHTS, Storage.F32, upload.array());
      case F16, BF16 -> new Task(Kernel.LOAD_WEIGHTS, Storage.F16, upload.array());
    };
  }

  /** Large enough for most, small enough to be cheap to send whole. */
  private int busSize() {
    long most = SMALLEST_BUS;
    for (Upload upload : residents.uploads()) {
      most = Math.max(most, upload.count());
    }
    for (Node node : graph.nodes()) {
      if (node.op() instanceof Op.Input) {
        most = Math.max(most, node.output().shape().count());
      }
    }
    for (Value value : graph.outputs().values()) {
      most = Math.max(most, value.shape().count());
    }
    return (int) Math.min(LARGEST_BUS, most);
  }

  private int maxLaunches() {
    long uploads = residents.uploads().stream().mapToLong(u -> trips(u.count())).sum();
    long perRun = steps.stream().mapToLong(step -> step.launches().size()).sum();
    for (Node node : graph.nodes()) {
      if (node.op() instanceof Op.Input) {
        perRun += trips(node.output().shape().count());
      }
    }
    for (Value value : graph.outputs().values()) {
      perRun += trips(value.shape().count());
    }
    return Math.toIntExact(Math.max(uploads, perRun));
  }

  private long trips(long elements) {
    return (elements + bus - 1) / bus;
  }

  // ---- Weights ------------------------------------------------------------------------------

  private void upload() {
    begin();
    long start = System.nanoTime();
    double bytes = 0;
    for (Upload upload : residents.uploads()) {
      send(upload);
      bytes += upload.count() * (upload.storage().isShort() ? 2.0 : 4.0);
    }
    finish();
    profile.addOverhead(name, "weights", System.nanoTime() - start, bytes);
  }

  private void send(Upload upload) {
    boolean halves = upload.storage().isShort();
    int size = halves ? Short.BYTES : Float.BYTES;
    MemorySegment source = upload.source().get();
    MemorySegment target = halves ? arrays.shortBus().getSegment() : arrays.floatBus().getSegment();
    Task task = loader(upload);
    for (long from = 0; from < upload.count(); from += bus) {
      int n = (int) Math.min(bus, upload.count() - from);
      MemorySegment.copy(source, from * size, target, 0, (long) n * size);
      int at = Math.toIntExact(upload.offset() + from);
      launch(elements(task, n, Transfers.row(n, at)));
    }
  }

  private static Launch elements(Task task, int n, int[] row) {
    return new Launch(task, Launch.groups(n, task.kernel().localX()), 1, row);
  }

  // ---- Running ------------------------------------------------------------------------------

  @Override
  public Map<String, Tensor> run(Map<String, Feed> feeds) {
    Map<Node, Feed> inputs = Feeds.match(graph, feeds);
    begin();
    inputs.forEach(this::set);
    steps.forEach(this::runStep);
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
    send(Upload.floats(residents.at(node.output()), values));
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
    read(residents.at(value), tensor.data());
    return tensor;
  }

  private void read(int at, float[] target) {
    for (int from = 0; from < target.length; from += bus) {
      int n = Math.min(bus, target.length - from);
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
    int[] row = launch.row();
    row[Row.TICKET] = tickets + launched.size() % maxTickets;
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
    float[] found = new float[Math.min(launched.size(), maxTickets)];
    read(tickets, found);
    for (int i = 0; i < found.length; i++) {
      if (found[i] != expected) {
        throw new DeviceException(
            "kernel %s, launch %d of %d of %s, did not run on %s, though nothing was reported. Its group of lanes may be larger than the device allows, or the driver is broken. Its generated source is in %s"
                .formatted(
                    tasks.get(i).title(), i + 1, found.length, name, device, sources.folder()));
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
      for (Step step : steps) {
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
    return steps.stream().mapToInt(step -> step.launches().size()).sum();
  }

  /** Bytes on the device: activations, weights and what else. */
  public long deviceBytes() {
    return DeviceMemory.bytes(residents, bus);
  }

  @Override
  public long arenaBytes() {
    return plan.arenaBytes();
  }

  @Override
  public void close() {
    program.close();
    arrays.close();
  }
}
