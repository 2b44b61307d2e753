package org.rectiflow.pipeline.convert;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.rectiflow.engine.CheckpointException;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Weight;
import org.rectiflow.engine.WeightSource;
import org.rectiflow.pipeline.checkpoint.NameTable;
import org.rectiflow.pipeline.checkpoint.NameTable.Row;
import org.rectiflow.pipeline.checkpoint.Part;
import org.rectiflow.pipeline.checkpoint.StoredPart;
import org.rectiflow.pipeline.checkpoint.StoredPart.Layout;
import org.rectiflow.safetensors.DType;
import org.rectiflow.safetensors.Floats;
import org.rectiflow.safetensors.TensorInfo;

/**
 * A part's tensors under the names, and in the form, of a layout: queries, keys and values joined
 * or parted, halves exchanged, 1x1 convolutions as such or as matrices. Everything is views of the
 * mapped source.
 *
 * <p>The text encoders have the same names in both layouts, but single files have T5's embedding
 * table twice and CLIP-L without its projection, which is the identity; diffusers' folders have the
 * table once and the projection. Converting adds and removes these, but nothing that would be lost:
 * a projection that is not the identity, or a second table that differs, stays.
 */
final class PartTensors {
  private static final String PROJECTION = "text_projection.weight";
  private static final String TOKENS = "text_model.embeddings.token_embedding.weight";
  private static final String SHARED = "shared.weight";
  private static final String EMBED_TOKENS = "encoder.embed_tokens.weight";

  private final StoredPart part;

  private PartTensors(StoredPart part) {
    this.part = part;
  }

  /** The tensors of {@code part} as {@code target} has them. */
  static List<StoredTensor> of(StoredPart part, Layout target) {
    PartTensors tensors = new PartTensors(part);
    Optional<NameTable> table = part.table();
    if (table.isEmpty()) {
      return tensors.encoder(target);
    }
    if (part.layout() == target) {
      return tensors.same();
    }
    return target == Layout.DIFFUSERS ? tensors.toDiffusers() : tensors.toOriginal(table.get());
  }

  /** All tensors with the names they have without the prefix, whatever their type. */
  private List<StoredTensor> same() {
    List<StoredTensor> all = new ArrayList<>();
    for (String name : part.names()) {
      all.add(stored(name, name));
    }
    return all;
  }

  private Weight weight(String name) {
    TensorInfo info = part.source().info(part.prefix() + name);
    return StoredTensor.of(info, part.source()).pieces().getFirst();
  }

  private StoredTensor stored(String name, String storedName) {
    return StoredTensor.of(name, weight(storedName), part.source());
  }

  private List<StoredTensor> toDiffusers() {
    WeightSource ours = part.weights();
    NameTable table = part.table().orElseThrow();
    List<StoredTensor> all = new ArrayList<>();
    for (String name : ours.names()) {
      if (table.ofOurs(name).isEmpty()) {
        throw unknown(name);
      }
      all.add(StoredTensor.of(name, ours.require(name), part.source()));
    }
    return all;
  }

  private List<StoredTensor> toOriginal(NameTable table) {
    Map<String, StoredTensor> all = new TreeMap<>();
    for (String name : part.names()) {
      Row row = table.ofOurs(name).orElseThrow(() -> unknown(name));
      all.computeIfAbsent(row.original(), _ -> original(row));
    }
    return List.copyOf(all.values());
  }

  private StoredTensor original(Row row) {
    Weight first = weight(row.ours().getFirst());
    List<Weight> pieces =
        switch (row.change()) {
          case SAME, SQUEEZED -> List.of(first);
          case THIRDS -> row.ours().stream().map(this::weight).toList();
          case HALVES_SWAPPED -> {
            int half = first.shape().dim(0) / 2;
            yield List.of(first.rows(half, half), first.rows(0, half));
          }
        };
    return new StoredTensor(
        row.original(),
        ParameterShapes.original(row, StoredTensor.dims(first.shape())),
        pieces,
        part.source());
  }

  private CheckpointException unknown(String name) {
    return new CheckpointException(
        "%s: tensor %s has no name in the other layout. The file holds another model or a newer form of this one."
            .formatted(part.source().path(), part.prefix() + name));
  }

  private List<StoredTensor> encoder(Layout target) {
    List<StoredTensor> all = new ArrayList<>(same());
    if (part.part() == Part.T5) {
      embeddings(all, target);
    } else {
      projection(all, target);
    }
    return all;
  }

  private boolean has(String name) {
    return part.names().contains(name);
  }

  private void embeddings(List<StoredTensor> all, Layout target) {
    if (target == Layout.ORIGINAL) {
      if (!has(EMBED_TOKENS)) {
        all.add(stored(EMBED_TOKENS, SHARED));
      } else if (!has(SHARED)) {
        all.add(stored(SHARED, EMBED_TOKENS));
      }
    } else if (has(EMBED_TOKENS)) {
      boolean twice = has(SHARED) && same(weight(SHARED), weight(EMBED_TOKENS));
      if (twice || !has(SHARED)) {
        all.removeIf(t -> t.name().equals(EMBED_TOKENS));
      }
      if (!has(SHARED)) {
        all.add(stored(SHARED, EMBED_TOKENS));
      }
    }
  }

  private static boolean same(Weight a, Weight b) {
    return a.dtype() == b.dtype()
        && a.shape().equals(b.shape())
        && a.data().mismatch(b.data()) == -1;
  }

  private void projection(List<StoredTensor> all, Layout target) {
    if (target == Layout.DIFFUSERS && !has(PROJECTION)) {
      Weight tokens = weight(TOKENS);
      all.add(
          StoredTensor.of(
              PROJECTION, identity(tokens.shape().dim(1), tokens.dtype()), part.source()));
    } else if (target == Layout.ORIGINAL
        && part.part() == Part.CLIP_L
        && has(PROJECTION)
        && isIdentity(weight(PROJECTION))) {
      all.removeIf(t -> t.name().equals(PROJECTION));
    }
  }

  private static Weight identity(int n, DType dtype) {
    MemorySegment data =
        MemorySegment.ofArray(new byte[Math.toIntExact(dtype.byteSize((long) n * n))]);
    for (int i = 0; i < n; i++) {
      Floats.write(new float[] {1}, 0, 1, data, dtype, (long) i * n + i);
    }
    return new Weight(PROJECTION, dtype, Shape.of(n, n), data);
  }

  private static boolean isIdentity(Weight weight) {
    Shape shape = weight.shape();
    return shape.rank() == 2
        && shape.dim(0) == shape.dim(1)
        && same(weight, identity(shape.dim(0), weight.dtype()));
  }
}
