package org.rectiflow.pipeline.checkpoint;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.rectiflow.engine.CheckpointException;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Weight;
import org.rectiflow.engine.WeightSource;
import org.rectiflow.pipeline.checkpoint.NameTable.Row;

/**
 * Tensors in the original layout under diffusers' names. Everything is a view of the mapped file
 * but the few tensors whose halves are exchanged, which are copied once, outside the heap.
 */
final class OriginalWeights implements WeightSource {
  private final WeightSource stored;
  private final NameTable table;
  private final Map<String, Weight> swapped = new HashMap<>();

  /**
   * @param stored the tensors under their original names
   */
  OriginalWeights(WeightSource stored, NameTable table) {
    this.stored = stored;
    this.table = table;
  }

  @Override
  public Optional<Weight> find(String name) {
    Optional<Row> row = table.ofOurs(name);
    if (row.isEmpty()) {
      // A tensor the table does not know keeps its name, so that it is reported, not passed over.
      return table.ofOriginal(name).isPresent() ? Optional.empty() : stored.find(name);
    }
    return stored.find(row.get().original()).map(weight -> adapt(weight, row.get(), name));
  }

  private Weight adapt(Weight weight, Row row, String name) {
    return switch (row.change()) {
      case SAME -> weight;
      case THIRDS -> {
        int third = rows(weight, 3) / 3;
        yield weight.rows(row.ours().indexOf(name) * third, third);
      }
      case HALVES_SWAPPED -> swapped.computeIfAbsent(name, _ -> swap(weight));
      case SQUEEZED -> {
        Shape shape = weight.shape();
        yield shape.rank() == 4 && shape.dim(2) == 1 && shape.dim(3) == 1
            ? weight.reshape(shape.dim(0), shape.dim(1))
            : weight;
      }
    };
  }

  private Weight swap(Weight weight) {
    int half = rows(weight, 2) / 2;
    MemorySegment data = Arena.ofAuto().allocate(weight.data().byteSize(), 64);
    long bytes = data.byteSize() / 2;
    data.asSlice(0, bytes).copyFrom(weight.rows(half, half).data());
    data.asSlice(bytes, bytes).copyFrom(weight.rows(0, half).data());
    return new Weight(weight.name(), weight.dtype(), weight.shape(), data);
  }

  private int rows(Weight weight, int parts) {
    Shape shape = weight.shape();
    if (shape.rank() == 0 || shape.dim(0) % parts != 0) {
      throw new CheckpointException(
          "%s: tensor %s has shape %s, expected rows that divide into %d. The file is damaged or holds another model."
              .formatted(origin(), weight.name(), shape, parts));
    }
    return shape.dim(0);
  }

  @Override
  public Set<String> names() {
    Set<String> names = new LinkedHashSet<>();
    for (String name : stored.names()) {
      table
          .ofOriginal(name)
          .ifPresentOrElse(row -> names.addAll(row.ours()), () -> names.add(name));
    }
    return names;
  }

  @Override
  public String origin() {
    return stored.origin();
  }
}
