package org.rectiflow.tornado;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.rectiflow.engine.DeviceException;
import org.rectiflow.tornado.Launch.Task;
import org.rectiflow.tornado.kernels.Row;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.ImmutableTaskGraph;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.TornadoProfilerResult;
import uk.ac.manchester.tornado.api.WorkerGrid2D;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.enums.ProfilerMode;
import uk.ac.manchester.tornado.api.enums.TornadoVMBackendType;
import uk.ac.manchester.tornado.api.exceptions.TornadoExecutionPlanException;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * Kernels on a device: one TornadoVM task graph of one task for each {@link Task}, all in one
 * execution plan on the same {@link DeviceArrays}, which stay on the device from the first launch
 * to {@link #close()}. Only a row of arguments crosses the bus with each launch. A task is compiled
 * when it is first launched.
 */
final class DeviceProgram implements AutoCloseable {
  private static final String TASK = "kernel";

  /**
   * OpenCL without {@code -cl-fast-relaxed-math}, TornadoVM's default, under which infinities and
   * NaN may compute as anything and the NaN guard would see nothing.
   */
  private static final String OPENCL_FLAGS = "-cl-mad-enable -w";

  /** Says which method is compiled for a task: {@link DeviceArrays#addTask}, or a test's. */
  @FunctionalInterface
  interface Methods {
    TaskGraph addTask(DeviceArrays arrays, TaskGraph graph, String id, Task task, IntArray row);
  }

  /** Times of one launch in nanoseconds. */
  record Times(long kernel, long compile, long copyIn, long copyOut) {}

  private final String device;
  private final KernelSources sources;
  private final DeviceArrays arrays;
  private final Methods methods;
  private final IntArray row = new IntArray(Row.LENGTH);
  private final Map<Task, Integer> graphs = new LinkedHashMap<>();
  private final Map<Task, WorkerGrid2D> grids = new LinkedHashMap<>();
  private final TornadoExecutionPlan plan;
  private int compiled;

  /**
   * Prepares kernels; compiles none yet.
   *
   * @param tasks what will be launched, besides the creation of the arrays
   */
  DeviceProgram(
      TornadoDevice device,
      KernelSources sources,
      DeviceArrays arrays,
      Set<Task> tasks,
      Methods methods) {
    this.device = TornadoDevices.describe(device);
    this.sources = sources;
    this.arrays = arrays;
    this.methods = methods;
    GridScheduler scheduler = new GridScheduler();
    List<ImmutableTaskGraph> snapshots = new ArrayList<>();
    List<Object> made = new ArrayList<>();
    List<Task> creations = arrays.creations();
    for (Task task : creations) {
      snapshots.add(graph(task, made, scheduler));
      made.add(arrays.created(task));
    }
    for (Task task : tasks) {
      snapshots.add(graph(task, made, scheduler));
    }
    this.plan = new TornadoExecutionPlan(snapshots.toArray(ImmutableTaskGraph[]::new));
    plan.withDevice(device);
    plan.withGridScheduler(scheduler);
    plan.withProfiler(ProfilerMode.SILENT);
    if (device.getTornadoVMBackend() == TornadoVMBackendType.OPENCL) {
      plan.withCompilerFlags(TornadoVMBackendType.OPENCL, OPENCL_FLAGS);
    }
  }

  /** Every graph knows every array, else TornadoVM would lose those that it passes on. */
  private ImmutableTaskGraph graph(Task task, List<Object> made, GridScheduler scheduler) {
    String name = task.title();
    long mark = sources.mark();
    try {
      TaskGraph graph = new TaskGraph(name);
      if (!made.isEmpty()) {
        graph.consumeFromDevice(made.toArray());
      }
      if (task.kernel() != Kernel.LIBRARY_PRODUCT) {
        graph.transferToDevice(DataTransferMode.EVERY_EXECUTION, row);
      }
      arrays
          .bus(task, true)
          .ifPresent(a -> graph.transferToDevice(DataTransferMode.EVERY_EXECUTION, a));
      methods.addTask(arrays, graph, TASK, task, row);
      List<Object> kept = new ArrayList<>(made);
      if (isCreation(task)) {
        kept.add(arrays.created(task));
      }
      graph.persistOnDevice(kept.toArray());
      arrays
          .bus(task, false)
          .ifPresent(a -> graph.transferToHost(DataTransferMode.EVERY_EXECUTION, a));
      WorkerGrid2D grid = new WorkerGrid2D(task.kernel().localX(), task.kernel().localY());
      grid.setLocalWork(task.kernel().localX(), task.kernel().localY(), 1);
      scheduler.addWorkerGrid(name + "." + TASK, grid);
      graphs.put(task, graphs.size());
      grids.put(task, grid);
      return graph.snapshot();
    } catch (RuntimeException | Error e) {
      throw failure(task, mark, e);
    }
  }

  private static boolean isCreation(Task task) {
    return task.kernel() == Kernel.CREATE || task.kernel() == Kernel.CREATE_WEIGHTS;
  }

  /**
   * From now on the driver records what a graph does at its first launch and replays it. What a
   * recorded launch reads may change, its grid may not.
   */
  void recordLaunches() {
    plan.withCUDAGraph();
  }

  /** How many tasks TornadoVM has compiled. */
  int compiledTasks() {
    return compiled;
  }

  /** Makes the arrays on the device. */
  void create(Launched each) {
    for (Task task : arrays.creations()) {
      each.launched(task, launch(new Launch(task, 1, 1, Row.of())));
    }
  }

  /** Hears of launches. */
  @FunctionalInterface
  interface Launched {
    void launched(Task task, Times times);
  }

  /**
   * Runs a kernel and waits for it.
   *
   * @throws DeviceException if it does not compile or cannot be started
   */
  Times launch(Launch launch) {
    Task task = launch.task();
    MemorySegment.copy(
        launch.row(), 0, row.getSegment(), ValueLayout.JAVA_INT, 0, launch.row().length);
    WorkerGrid2D grid = grids.get(task);
    grid.setGlobalWork(
        (long) launch.groupsX() * task.kernel().localX(),
        (long) launch.groupsY() * task.kernel().localY(),
        1);
    long mark = sources.mark();
    try {
      TornadoProfilerResult result = plan.withGraph(graphs.get(task)).execute().getProfilerResult();
      long compile = result.getCompileTime();
      if (compile > 0) {
        compiled++;
        sources.keep(task.title(), mark);
      }
      return new Times(
          result.getDeviceKernelTime(),
          compile,
          result.getDeviceWriteTime(),
          result.getDeviceReadTime());
    } catch (RuntimeException | Error e) {
      throw failure(task, mark, e);
    }
  }

  private DeviceException failure(Task task, long mark, Throwable cause) {
    Optional<Path> source = sources.keep(task.title(), mark);
    String message =
        "kernel %s failed on %s: %s. %s"
            .formatted(
                task.title(),
                device,
                messages(cause),
                source
                    .map(path -> "Its generated source is " + path)
                    .orElse(
                        "TornadoVM generated no source for it; other kernels' are in "
                            + sources.folder()));
    sources.failed(message);
    return new DeviceException(message, cause);
  }

  /** What the exceptions say, from the outermost in; TornadoVM wraps the one that matters. */
  private static String messages(Throwable cause) {
    Set<String> lines = new LinkedHashSet<>();
    for (Throwable t = cause; t != null; t = t.getCause()) {
      String message = t.getMessage() == null ? t.toString() : t.getMessage();
      message
          .lines()
          .map(String::strip)
          .filter(line -> !line.isEmpty())
          .limit(2)
          .forEach(lines::add);
    }
    return String.join(" / ", lines);
  }

  /**
   * Frees the device's memory. TornadoVM frees the arrays of the graph that was selected last; of
   * one only, since all share them. Every graph knows the large arrays.
   */
  @Override
  public void close() {
    try {
      plan.withGraph(graphs.get(new Task(Kernel.STORE))).close();
    } catch (TornadoExecutionPlanException e) {
      throw new DeviceException(
          "the memory of " + device + " cannot be freed: " + e.getMessage(), e);
    }
  }
}
