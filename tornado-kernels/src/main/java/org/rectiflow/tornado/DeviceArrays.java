package org.rectiflow.tornado;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.rectiflow.tornado.Launch.Task;
import org.rectiflow.tornado.kernels.Attention;
import org.rectiflow.tornado.kernels.Ceilings;
import org.rectiflow.tornado.kernels.Convolution;
import org.rectiflow.tornado.kernels.Elementwise;
import org.rectiflow.tornado.kernels.Layout;
import org.rectiflow.tornado.kernels.Linear;
import org.rectiflow.tornado.kernels.Norms;
import org.rectiflow.tornado.kernels.Staged;
import org.rectiflow.tornado.kernels.Transfers;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.ShortArray;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/**
 * The arrays that kernels work on, and the method that is compiled for each task. The large ones
 * live on the device only: what TornadoVM wants as their host side is a mapping of an empty file
 * that nobody ever reads or writes, so it takes no memory.
 */
final class DeviceArrays implements AutoCloseable {
  private final Arena arena = Arena.ofShared();
  private final KernelContext context = new KernelContext();
  private final FloatArray mem;
  private final List<FloatArray> floats = new ArrayList<>();
  private final List<ShortArray> shorts = new ArrayList<>();
  private final FloatArray floatBus;
  private final ShortArray shortBus;

  /**
   * Makes the host sides.
   *
   * @param memFloats floats of {@code mem}
   * @param floatWeights elements of each array of 32-bit weights
   * @param shortWeights elements of each array of 16-bit weights
   * @param bus elements of the arrays that cross the bus
   */
  DeviceArrays(int memFloats, List<Integer> floatWeights, List<Integer> shortWeights, int bus) {
    mem = FloatArray.fromSegmentShallow(nothing(memFloats, Float.BYTES));
    for (int n : floatWeights) {
      floats.add(FloatArray.fromSegmentShallow(nothing(n, Float.BYTES)));
    }
    for (int n : shortWeights) {
      shorts.add(ShortArray.fromSegmentShallow(nothing(n, Short.BYTES)));
    }
    floatBus = new FloatArray(bus);
    shortBus = new ShortArray(bus);
  }

  private MemorySegment nothing(int elements, int size) {
    long bytes = (long) elements * size + TornadoNativeArray.ARRAY_HEADER;
    try {
      Path file = Files.createTempFile("rectiflow-device", ".empty");
      try (FileChannel channel =
          FileChannel.open(
              file,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE,
              StandardOpenOption.DELETE_ON_CLOSE)) {
        channel.write(java.nio.ByteBuffer.allocate(1), bytes - 1);
        return channel.map(FileChannel.MapMode.PRIVATE, 0, bytes, arena);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot map an empty file in the temporary folder", e);
    }
  }

  FloatArray floatBus() {
    return floatBus;
  }

  ShortArray shortBus() {
    return shortBus;
  }

  /** The tasks that make each array, in the order in which they must run. */
  List<Task> creations() {
    List<Task> tasks = new ArrayList<>();
    tasks.add(new Task(Kernel.CREATE));
    for (int i = 0; i < floats.size(); i++) {
      tasks.add(new Task(Kernel.CREATE_WEIGHTS, Storage.F32, i));
    }
    for (int i = 0; i < shorts.size(); i++) {
      tasks.add(new Task(Kernel.CREATE_WEIGHTS, Storage.F16, i));
    }
    return tasks;
  }

  /** The array that a task of {@link #creations()} makes. */
  Object created(Task task) {
    return switch (task.storage()) {
      case NONE, MEM -> mem;
      case F32 -> floats.get(task.array());
      case F16, BF16 -> shorts.get(task.array());
    };
  }

  /** The array that crosses the bus with a task, to the device or from it. */
  Optional<Object> bus(Task task, boolean toDevice) {
    return switch (task.kernel()) {
      case LOAD -> toDevice ? Optional.of(floatBus) : Optional.empty();
      case LOAD_WEIGHTS ->
          toDevice ? Optional.of(task.storage().isShort() ? shortBus : floatBus) : Optional.empty();
      case STORE -> toDevice ? Optional.empty() : Optional.of(floatBus);
      default -> Optional.empty();
    };
  }

  /** Adds a task to a graph: which method, on which arrays. */
  TaskGraph addTask(TaskGraph graph, String id, Task task, IntArray p) {
    return switch (task.kernel()) {
      case CREATE -> graph.task(id, Transfers::create, context, mem, p);
      case LOAD -> graph.task(id, Transfers::load, context, mem, floatBus, p);
      case STORE -> graph.task(id, Transfers::store, context, mem, floatBus, p);
      case MULTIPLY_ADDS -> graph.task(id, Ceilings::multiplyAdds, context, mem, p);
      case PLAIN_COPY -> graph.task(id, Ceilings::plainCopy, context, mem, p);
      case ACTIVATE -> graph.task(id, Elementwise::activate, context, mem, p);
      case AFFINE -> graph.task(id, Elementwise::affine, context, mem, p);
      case COMBINE -> graph.task(id, Elementwise::combine, context, mem, p);
      case CLAMP -> graph.task(id, Elementwise::clampValues, context, mem, p);
      case SUM -> graph.task(id, Layout::sumAxis, context, mem, p);
      case MODULATE -> graph.task(id, Elementwise::modulate, context, mem, p);
      case GATED_ADD -> graph.task(id, Elementwise::gatedAdd, context, mem, p);
      case COPY -> graph.task(id, Layout::copy, context, mem, p);
      case UPSAMPLE -> graph.task(id, Layout::upsampleNearest, context, mem, p);
      case TIMESTEP -> graph.task(id, Layout::timestep, context, mem, p);
      case LAYER_NORM -> graph.task(id, Norms::layerNorm, context, mem, p);
      case RMS_NORM -> graph.task(id, Norms::rmsNorm, context, mem, p);
      case RMS_NORM_SHORT -> graph.task(id, Norms::rmsNormShort, context, mem, p);
      case GROUP_NORM -> graph.task(id, Norms::groupNorm, context, mem, p);
      case ATTENTION -> graph.task(id, Attention::attention, context, mem, p);
      case STAGE_INPUT ->
          graph.task(id, Staged::input, context, mem, more(task, 0), more(task, 1), p);
      case STAGED_RESULT -> graph.task(id, Staged::result, context, mem, more(task, 0), p);
      case LIBRARY_PRODUCT -> {
        List<Integer> sizes = task.more();
        yield graph.libraryTask(
            id,
            LibraryProduct::describe,
            sizes.get(0),
            sizes.get(1),
            sizes.get(2),
            more(task, 3),
            more(task, 4),
            more(task, 5));
      }
      case CREATE_WEIGHTS,
          LOAD_WEIGHTS,
          STAGE_WEIGHT,
          GATHER,
          LINEAR_TILED,
          LINEAR_BLOCKED,
          LINEAR_FEW,
          CONVOLUTION ->
          switch (task.storage()) {
            case NONE -> throw new IllegalArgumentException(task + " needs weights");
            case MEM -> addMem(graph, id, task, p);
            case F32 -> addFloats(graph, id, task, floats.get(task.array()), p);
            case F16 -> addHalves(graph, id, task, shorts.get(task.array()), p);
            case BF16 -> addBfloats(graph, id, task, shorts.get(task.array()), p);
          };
    };
  }

  /** The array of floats that a task names. */
  FloatArray more(Task task, int i) {
    return floats.get(task.more().get(i));
  }

  /** TornadoVM never finishes with a task that has the same array twice, so these have it once. */
  private TaskGraph addMem(TaskGraph graph, String id, Task task, IntArray p) {
    return switch (task.kernel()) {
      case STAGE_WEIGHT -> graph.task(id, Staged::weightMem, context, mem, more(task, 0), p);
      case GATHER -> graph.task(id, Layout::gatherMem, context, mem, p);
      case LINEAR_TILED -> graph.task(id, Linear::linearMem, context, mem, p);
      case LINEAR_BLOCKED -> graph.task(id, Linear::blockedMem, context, mem, p);
      case LINEAR_FEW -> graph.task(id, Linear::fewMem, context, mem, p);
      case CONVOLUTION -> graph.task(id, Convolution::convolveMem, context, mem, p);
      default -> throw new IllegalArgumentException(task + " has no weights");
    };
  }

  private TaskGraph addFloats(TaskGraph graph, String id, Task task, FloatArray w, IntArray p) {
    return switch (task.kernel()) {
      case CREATE_WEIGHTS -> graph.task(id, Transfers::createFloats, context, mem, w, p);
      case LOAD_WEIGHTS -> graph.task(id, Transfers::loadFloats, context, mem, w, floatBus, p);
      case STAGE_WEIGHT -> graph.task(id, Staged::weightFloats, context, mem, w, more(task, 0), p);
      case GATHER -> graph.task(id, Layout::gatherFloats, context, mem, w, p);
      case LINEAR_TILED -> graph.task(id, Linear::linearFloats, context, mem, w, p);
      case LINEAR_BLOCKED -> graph.task(id, Linear::blockedFloats, context, mem, w, p);
      case LINEAR_FEW -> graph.task(id, Linear::fewFloats, context, mem, w, p);
      case CONVOLUTION -> graph.task(id, Convolution::convolveFloats, context, mem, w, p);
      default -> throw new IllegalArgumentException(task + " has no weights");
    };
  }

  private TaskGraph addHalves(TaskGraph graph, String id, Task task, ShortArray w, IntArray p) {
    return switch (task.kernel()) {
      case CREATE_WEIGHTS -> graph.task(id, Transfers::createShorts, context, mem, w, p);
      case LOAD_WEIGHTS -> graph.task(id, Transfers::loadShorts, context, mem, w, shortBus, p);
      case STAGE_WEIGHT -> graph.task(id, Staged::weightHalves, context, mem, w, more(task, 0), p);
      case GATHER -> graph.task(id, Layout::gatherHalves, context, mem, w, p);
      case LINEAR_TILED -> graph.task(id, Linear::linearHalves, context, mem, w, p);
      case LINEAR_BLOCKED -> graph.task(id, Linear::blockedHalves, context, mem, w, p);
      case LINEAR_FEW -> graph.task(id, Linear::fewHalves, context, mem, w, p);
      case CONVOLUTION -> graph.task(id, Convolution::convolveHalves, context, mem, w, p);
      default -> throw new IllegalArgumentException(task + " has no weights");
    };
  }

  private TaskGraph addBfloats(TaskGraph graph, String id, Task task, ShortArray w, IntArray p) {
    return switch (task.kernel()) {
      case STAGE_WEIGHT -> graph.task(id, Staged::weightBfloats, context, mem, w, more(task, 0), p);
      case GATHER -> graph.task(id, Layout::gatherBfloats, context, mem, w, p);
      case LINEAR_TILED -> graph.task(id, Linear::linearBfloats, context, mem, w, p);
      case LINEAR_BLOCKED -> graph.task(id, Linear::blockedBfloats, context, mem, w, p);
      case LINEAR_FEW -> graph.task(id, Linear::fewBfloats, context, mem, w, p);
      case CONVOLUTION -> graph.task(id, Convolution::convolveBfloats, context, mem, w, p);
      default -> addHalves(graph, id, task, w, p);
    };
  }

  @Override
  public void close() {
    arena.close();
  }
}
