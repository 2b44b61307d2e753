package org.rectiflow.tornado;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.rectiflow.engine.DeviceException;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.IntTensor;
import org.rectiflow.engine.MemoryPlan;
import org.rectiflow.engine.Node;
import org.rectiflow.engine.Op;
import org.rectiflow.engine.Value;
import org.rectiflow.engine.Weight;
import org.rectiflow.tornado.kernels.Stored;

/**
 * What lies where on the device. {@code mem}, floats, holds the planned activations, then small
 * parameters, constants and tickets; weights of matrix products, convolutions and tables lie in
 * arrays of their stored type, as few as the device's largest allocation allows. Weights for which
 * there is no room share one array of their storage, the window, and are sent to it anew before
 * each use. Token ids are kept as floats, which hold integers up to 2^24 exactly.
 */
final class Residents {
  /** Largest id that a float holds exactly. */
  static final int MAX_ID = 1 << 24;

  private static final int ALIGNMENT = 16;

  /** What a library's product works on. */
  enum Staging {
    INPUT,
    WEIGHT,
    RESULT
  }

  /** A weight's place in an array of its storage. */
  record Place(Storage storage, int array, int offset) {}

  private final Graph graph;
  private final MemoryPlan plan;
  private final long maxArrayBytes;
  private final long residentBytes;
  private final Map<Value, Integer> small = new HashMap<>();
  private final Map<Value, Place> weights = new HashMap<>();
  private final Map<List<Float>, Integer> constants = new LinkedHashMap<>();
  private final List<Upload> uploads = new ArrayList<>();
  private final List<Integer> floatArrays = new ArrayList<>();
  private final List<Integer> shortArrays = new ArrayList<>();
  private final Map<List<Integer>, Integer> windows = new IdentityHashMap<>();
  private final Map<Staging, Integer> staging = new EnumMap<>(Staging.class);
  private final List<Upload> due = new ArrayList<>();
  private long resident;
  private long memFloats;

  /**
   * @param maxArrayBytes the device's largest allocation
   * @param residentBytes room for weights that stay on the device
   */
  Residents(Graph graph, MemoryPlan plan, long maxArrayBytes, long residentBytes) {
    this.graph = graph;
    this.plan = plan;
    this.maxArrayBytes = maxArrayBytes;
    this.residentBytes = residentBytes;
    this.memFloats = plan.arenaBytes() / Float.BYTES;
  }

  private Op op(Value value) {
    return graph.nodes().get(value.node()).op();
  }

  /** Takes {@code n} floats of {@code mem}. */
  int reserve(long n) {
    long at = memFloats;
    memFloats += (n + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (memFloats * Float.BYTES > maxArrayBytes || memFloats > Integer.MAX_VALUE) {
      throw new DeviceException(
          ("activations and small parameters need %.1f GB in one array, the device allows %.1f GB;"
                  + " decode in tiles (--tile) or choose a smaller --size")
              .formatted(memFloats * 4e-9, Math.min(maxArrayBytes, 4L * Integer.MAX_VALUE) * 1e-9));
    }
    return Math.toIntExact(at);
  }

  /** Offset of a value in {@code mem}. */
  int at(Value value) {
    return switch (op(value)) {
      case Op.Parameter(Weight weight) ->
          small.computeIfAbsent(
              value,
              _ -> {
                int offset = reserve(weight.shape().count());
                uploads.add(Upload.widened(offset, weight));
                return offset;
              });
      case Op.IntConstant(IntTensor ids) ->
          small.computeIfAbsent(value, _ -> values(asFloats(ids)));
      case Op.Reshape _ when isIntConstant(value) ->
          at(graph.nodes().get(value.node()).inputs().getFirst());
      default -> Math.toIntExact(plan.offset(value) / Float.BYTES);
    };
  }

  private boolean isIntConstant(Value value) {
    Node node = graph.nodes().get(value.node());
    return switch (node.op()) {
      case Op.IntConstant _ -> true;
      case Op.Reshape _ -> isIntConstant(node.inputs().getFirst());
      default -> false;
    };
  }

  /** Ids as the device keeps them. */
  static float[] asFloats(IntTensor ids) {
    float[] floats = new float[ids.data().length];
    for (int i = 0; i < floats.length; i++) {
      int id = ids.data()[i];
      if (Math.abs((long) id) > MAX_ID) {
        throw new IllegalArgumentException("id " + id + " is beyond what the device can look up");
      }
      floats[i] = id;
    }
    return floats;
  }

  /** Place of a weight that a kernel reads in its stored type; an activation stays where it is. */
  Place weight(Value value) {
    if (!(op(value) instanceof Op.Parameter(Weight weight))) {
      return new Place(Storage.MEM, 0, at(value));
    }
    Place place = weights.get(value);
    if (place == null) {
      place = place(value, weight);
    }
    return place;
  }

  private Place place(Value value, Weight weight) {
    Storage storage = Upload.storageOf(weight.dtype());
    List<Integer> arrays = storage.isShort() ? shortArrays : floatArrays;
    int bytes = storage.isShort() ? Short.BYTES : Float.BYTES;
    long most = Math.min(maxArrayBytes / bytes, Integer.MAX_VALUE) - ALIGNMENT;
    long count = (weight.shape().count() + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (count > most) {
      throw new DeviceException(
          "%s needs %.1f GB in one array, the device allows %.1f GB"
              .formatted(weight, count * bytes * 1e-9, most * bytes * 1e-9));
    }
    if (resident + count * bytes > residentBytes) {
      return window(storage, arrays, Math.toIntExact(count), weight);
    }
    resident += count * bytes;
    int array = 0;
    while (array < arrays.size() && (arrays.get(array) + count > most || isWindow(arrays, array))) {
      array++;
    }
    if (array == arrays.size()) {
      arrays.add(0);
    }
    int offset = arrays.get(array);
    arrays.set(array, Math.toIntExact(offset + count));
    uploads.add(Upload.stored(storage, array, offset, weight));
    Place place = new Place(storage, array, offset);
    weights.put(value, place);
    return place;
  }

  private boolean isWindow(List<Integer> arrays, int array) {
    return Objects.equals(windows.get(arrays), array)
        || (arrays == floatArrays && staging.containsValue(array));
  }

  /**
   * An array of floats that operands of a library are copied to, one for all ops.
   *
   * @param what which of them
   * @return its number among the arrays of floats
   */
  int staging(Staging what, long count) {
    if (count * Float.BYTES > maxArrayBytes || count > Integer.MAX_VALUE - ALIGNMENT) {
      throw new DeviceException(
          "cuBLAS needs %.1f GB in one array, the device allows %.1f GB; leave out +cublas or choose a smaller --size"
              .formatted(count * 4e-9, maxArrayBytes * 1e-9));
    }
    int array =
        staging.computeIfAbsent(
            what,
            _ -> {
              floatArrays.add(0);
              return floatArrays.size() - 1;
            });
    floatArrays.set(array, Math.max((int) count, floatArrays.get(array)));
    return array;
  }

  /** Place of a weight that is sent before each use: the beginning of its storage's window. */
  private Place window(Storage storage, List<Integer> arrays, int count, Weight weight) {
    int array =
        windows.computeIfAbsent(
            arrays,
            _ -> {
              arrays.add(0);
              return arrays.size() - 1;
            });
    arrays.set(array, Math.max(count, arrays.get(array)));
    if (due.stream().anyMatch(upload -> upload.array() == array && upload.sharesArrays(storage))) {
      throw new IllegalStateException("two weights of one op in one window: " + weight);
    }
    due.add(Upload.stored(storage, array, 0, weight));
    return new Place(storage, array, 0);
  }

  /** What must be sent before what was lowered since the last call can run. */
  List<Upload> due() {
    List<Upload> now = List.copyOf(due);
    due.clear();
    return now;
  }

  /** Offset of values that a constant of the graph is copied from. */
  int values(float[] values) {
    int offset = reserve(values.length);
    uploads.add(Upload.floats(offset, values));
    return offset;
  }

  /** Offset of numbers that a kernel needs; equal ones are kept once. */
  int constant(float... values) {
    List<Float> key = new ArrayList<>();
    for (float v : values) {
      key.add(v);
    }
    return constants.computeIfAbsent(key, _ -> values(values.clone()));
  }

  /** Offset of the table by which 16-bit weights are decoded; -1 if the storage needs none. */
  int powers(Storage storage) {
    return storage.isShort() ? constant(Stored.powers()) : -1;
  }

  /** What must be sent before the first run. */
  List<Upload> uploads() {
    return uploads;
  }

  int memFloats() {
    return Math.toIntExact(Math.max(ALIGNMENT, memFloats));
  }

  List<Integer> floatArrays() {
    return floatArrays;
  }

  List<Integer> shortArrays() {
    return shortArrays;
  }

  /** Bytes of all weights in arrays of their own. */
  long weightBytes() {
    return Float.BYTES * sum(floatArrays) + Short.BYTES * sum(shortArrays);
  }

  private static long sum(List<Integer> sizes) {
    return sizes.stream().mapToLong(Integer::longValue).sum();
  }
}
