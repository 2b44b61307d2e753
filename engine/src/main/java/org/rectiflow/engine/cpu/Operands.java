package org.rectiflow.engine.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.Map;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.IntTensor;
import org.rectiflow.engine.MemoryPlan;
import org.rectiflow.engine.Node;
import org.rectiflow.engine.Op;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.Value;
import org.rectiflow.engine.Weight;
import org.rectiflow.engine.cpu.kernels.Attention;
import org.rectiflow.engine.cpu.kernels.MatrixView;
import org.rectiflow.engine.cpu.kernels.StoredVector;

/** Where the values of a graph are while it runs: in the arena, in their file, or on the heap. */
final class Operands {
  private static final int ALIGNMENT = 64;

  private final Graph graph;
  private final MemoryPlan plan;
  private final Arena arena;
  private final MemorySegment activations;
  private final Map<Value, MemorySegment> widened = new HashMap<>();
  private final Map<Value, int[]> ints = new HashMap<>();

  Operands(Graph graph, MemoryPlan plan, Arena arena) {
    this.graph = graph;
    this.plan = plan;
    this.arena = arena;
    this.activations = arena.allocate(Math.max(ALIGNMENT, plan.arenaBytes()), ALIGNMENT);
  }

  long arenaBytes() {
    return plan.arenaBytes() + widened.values().stream().mapToLong(MemorySegment::byteSize).sum();
  }

  /** Whether the value needs no kernel because it is given: a parameter, an input, integers. */
  boolean isElsewhere(Value value) {
    return switch (op(value)) {
      case Op.Parameter _, Op.Input _, Op.IntConstant _ -> true;
      default -> value.type() == org.rectiflow.engine.ElementType.I32;
    };
  }

  private Op op(Value value) {
    return graph.nodes().get(value.node()).op();
  }

  /** Keeps a feed of integers. */
  void setIntegers(Node node, Feed feed) {
    if (feed instanceof Feed.Ints(IntTensor tensor)) {
      ints.put(node.output(), tensor.data());
    }
  }

  /** Copies a feed of floats to its place; feeds may be copied by several threads. */
  void setFloats(Node node, Feed feed) {
    if (feed instanceof Feed.Floats(Tensor tensor)) {
      write(node.output(), tensor);
    }
  }

  /** Copies values into the arena. */
  void write(Value value, Tensor tensor) {
    MemorySegment.copy(
        tensor.data(),
        0,
        activations,
        ValueLayout.JAVA_FLOAT,
        plan.offset(value),
        tensor.data().length);
  }

  /** The integers of an id tensor, at run time. */
  int[] ints(Value value) {
    Node node = graph.nodes().get(value.node());
    return switch (node.op()) {
      case Op.IntConstant(IntTensor tensor) -> tensor.data();
      case Op.Reshape _ -> ints(node.inputs().getFirst());
      default -> ints.get(value);
    };
  }

  /** The value as it is stored: parameters in their file and type, all else float32. */
  StoredVector stored(Value value) {
    return op(value) instanceof Op.Parameter(Weight weight)
        ? new StoredVector(weight.data(), 0, weight.dtype())
        : StoredVector.f32(activations, plan.offset(value));
  }

  /**
   * The value in float32. Parameters that are used so are small; they are widened once and kept,
   * float32 ones too, because vector loads from a mapped file are not safe (see {@code Widen}).
   */
  StoredVector f32(Value value) {
    if (!(op(value) instanceof Op.Parameter(Weight weight))) {
      return StoredVector.f32(activations, plan.offset(value));
    }
    MemorySegment copy =
        widened.computeIfAbsent(
            value,
            _ -> {
              float[] floats = weight.toFloats();
              MemorySegment segment = arena.allocate(4L * floats.length, ALIGNMENT);
              MemorySegment.copy(floats, 0, segment, ValueLayout.JAVA_FLOAT, 0, floats.length);
              return segment;
            });
    return StoredVector.f32(copy, 0);
  }

  /** The value as float32 rows of {@code columns} elements. */
  MatrixView rows(Value value, long columns) {
    StoredVector v = f32(value);
    return MatrixView.f32(v.segment(), v.byteOffset(), columns);
  }

  /** The value as rows of its last axis, in its stored type. */
  MatrixView storedRows(Value value) {
    StoredVector v = stored(value);
    Shape shape = value.shape();
    return MatrixView.of(v.segment(), v.byteOffset(), v.dtype(), shape.dim(-1));
  }

  /** The value [B, T, C] as tokens of attention. */
  Attention.Tokens tokens(Value value) {
    StoredVector v = f32(value);
    int width = value.shape().dim(2);
    long perSample = (long) value.shape().dim(1) * width;
    return new Attention.Tokens(v.segment(), v.byteOffset(), perSample, width);
  }
}
