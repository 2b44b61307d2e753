package org.rectiflow.engine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * Where each value of a graph lives in one arena. Values whose lifetimes do not meet share bytes;
 * reshapes, leading slices and the parts of a leading concatenation are views and take none.
 * Parameters live in their file, not here.
 */
public final class MemoryPlan {
  private static final long ALIGNMENT = 64;
  private static final int ELEMENT_BYTES = 4;
  private static final long NOWHERE = -1;

  /** A run of bytes several values may view. */
  private static final class Block {
    long bytes;
    int first;
    int last;
    long offset = NOWHERE;
  }

  /** A value's place: a block and the byte in it where the value begins. */
  private record Place(Block block, long start) {}

  private final Graph graph;
  private final Fusion fusion;
  private final Place[][] places;
  private long arenaBytes;

  private MemoryPlan(Graph graph, Fusion fusion) {
    this.graph = graph;
    this.fusion = fusion;
    this.places = new Place[graph.nodes().size()][];
  }

  /** Plans memory for {@code graph}, every node run by itself. */
  public static MemoryPlan of(Graph graph) {
    return of(graph, Fusion.none(graph));
  }

  /** Plans memory for {@code graph} where some nodes run as parts of later ones. */
  public static MemoryPlan of(Graph graph, Fusion fusion) {
    MemoryPlan plan = new MemoryPlan(graph, fusion);
    plan.placeConcats();
    plan.placeValues();
    plan.measureLifetimes();
    plan.assignOffsets();
    return plan;
  }

  /** Bytes of the whole arena. */
  public long arenaBytes() {
    return arenaBytes;
  }

  /** Byte offset of {@code value} in the arena. */
  public long offset(Value value) {
    Place place = place(value);
    if (place == null) {
      throw new IllegalArgumentException(
          value + " is a parameter, absorbed or unused: it has no place in the arena");
    }
    return place.block().offset + place.start();
  }

  /** Whether {@code node} needs no work because its result already lies where it must. */
  public boolean isFree(Node node) {
    return switch (node.op()) {
      case Op.Reshape _, Op.Slice _ -> sameBlock(node.inputs().getFirst(), node.output());
      case Op.Concat _ -> node.inputs().stream().allMatch(part -> sameBlock(part, node.output()));
      default -> false;
    };
  }

  private boolean sameBlock(Value a, Value b) {
    return place(a) != null && place(a).block() == place(b).block();
  }

  private Place place(Value value) {
    Place[] ofNode = places[value.node()];
    return ofNode == null ? null : ofNode[value.output()];
  }

  /**
   * The parts of a concatenation along the leading axis are written straight into it, if each is
   * made for it alone.
   */
  private void placeConcats() {
    int[] uses = new int[graph.nodes().size()];
    for (Node node : graph.nodes()) {
      if (fusion.isNeeded(node)) {
        node.inputs().forEach(v -> uses[v.node()]++);
      }
    }
    graph.outputs().values().forEach(v -> uses[v.node()]++);
    for (Node node : graph.nodes()) {
      if (!(node.op() instanceof Op.Concat(int axis))
          || !leading(node.output().shape(), axis)
          || !fusion.isNeeded(node)) {
        continue;
      }
      boolean fits = node.inputs().stream().allMatch(part -> uses[part.node()] == 1 && owns(part));
      if (!fits || node.inputs().stream().anyMatch(part -> place(part) != null)) {
        continue;
      }
      Block block = new Block();
      block.bytes = bytes(node.output());
      place(node.output(), new Place(block, 0));
      long start = 0;
      for (Value part : node.inputs()) {
        place(part, new Place(block, start));
        start += bytes(part);
      }
    }
  }

  /** Whether {@code value} is computed into memory of its own, not a view and not a parameter. */
  private boolean owns(Value value) {
    Node node = graph.nodes().get(value.node());
    return node.outputs().size() == 1
        && !fusion.isAbsorbed(value)
        && switch (node.op()) {
          case Op.Parameter _, Op.Reshape _, Op.Slice _, Op.Concat _ -> false;
          default -> true;
        };
  }

  private static boolean leading(Shape shape, int axis) {
    return shape.product(0, axis) == 1;
  }

  private void placeValues() {
    for (Node node : graph.nodes()) {
      if (node.op() instanceof Op.Parameter || !fusion.isNeeded(node)) {
        continue;
      }
      for (Value value : node.outputs()) {
        if (place(value) == null && !fusion.isAbsorbed(value)) {
          place(value, viewOf(node));
        }
      }
    }
  }

  /** The place of a view's result; a block of its own for everything else. */
  private Place viewOf(Node node) {
    Place source = node.inputs().isEmpty() ? null : place(node.inputs().getFirst());
    if (source != null && node.op() instanceof Op.Reshape) {
      return source;
    }
    if (source != null && node.op() instanceof Op.Slice(int axis, int start, _)) {
      Shape shape = node.inputs().getFirst().shape();
      if (leading(shape, axis)) {
        long skipped = start * shape.product(axis + 1, shape.rank());
        return new Place(source.block(), source.start() + ELEMENT_BYTES * skipped);
      }
    }
    return new Place(new Block(), 0);
  }

  private void place(Value value, Place place) {
    Place[] ofNode = places[value.node()];
    if (ofNode == null) {
      ofNode = new Place[graph.nodes().get(value.node()).outputs().size()];
      places[value.node()] = ofNode;
    }
    ofNode[value.output()] = place;
    Block block = place.block();
    if (block.bytes == 0) {
      block.bytes = bytes(value);
    }
  }

  private void measureLifetimes() {
    for (Node node : graph.nodes()) {
      if (!fusion.isNeeded(node)) {
        continue;
      }
      int end = fusion.runsAt(node) + 1;
      for (Value value : node.outputs()) {
        Place place = place(value);
        if (place != null) {
          Block block = place.block();
          boolean fresh = block.last == 0;
          // Inputs are all written before the first op runs.
          int turn = Math.min(node.index(), fusion.runsAt(node));
          int written = node.op() instanceof Op.Input ? 0 : turn;
          block.first = fresh ? written : Math.min(block.first, written);
          block.last = Math.max(block.last, end);
        }
      }
      for (Value value : node.inputs()) {
        Place place = place(value);
        if (place != null) {
          place.block().last = Math.max(place.block().last, end);
        }
      }
    }
    for (Value value : graph.outputs().values()) {
      Place place = place(value);
      if (place != null) {
        place.block().last = Integer.MAX_VALUE;
      }
    }
  }

  /** Largest block first, each at the lowest offset where no block alive at the same time lies. */
  private void assignOffsets() {
    List<Block> blocks =
        Arrays.stream(places)
            .filter(p -> p != null)
            .flatMap(Arrays::stream)
            .filter(p -> p != null)
            .map(Place::block)
            .distinct()
            .sorted(
                Comparator.comparingLong((Block b) -> b.bytes)
                    .reversed()
                    .thenComparingInt(b -> b.first))
            .toList();
    List<Block> placed = new ArrayList<>();
    for (Block block : blocks) {
      long offset = 0;
      for (Block other : placed) { // ordered by offset
        boolean meet = block.first < other.last && other.first < block.last;
        if (meet && other.offset < offset + block.bytes && offset < other.offset + other.bytes) {
          offset = align(other.offset + other.bytes);
        }
      }
      block.offset = offset;
      arenaBytes = Math.max(arenaBytes, align(offset + block.bytes));
      placed.add(block);
      placed.sort(Comparator.comparingLong(b -> b.offset));
    }
  }

  private static long align(long bytes) {
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }

  private static long bytes(Value value) {
    return ELEMENT_BYTES * value.shape().count();
  }
}
