package org.rectiflow.engine;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.rectiflow.safetensors.TensorInfo;
import org.rectiflow.safetensors.TensorSource;

/** The tensors of a safetensors file, or of all its shards, under the names they have there. */
public final class StoredWeights implements WeightSource {
  private final TensorSource source;
  private final Map<String, Weight> views = new LinkedHashMap<>();

  /** Does not close {@code source}. */
  public StoredWeights(TensorSource source) {
    this.source = source;
  }

  @Override
  public Optional<Weight> find(String name) {
    if (!source.tensors().containsKey(name)) {
      return Optional.empty();
    }
    return Optional.of(views.computeIfAbsent(name, this::view));
  }

  private Weight view(String name) {
    TensorInfo info = source.info(name);
    if (!info.dtype().isWidenable()) {
      throw new CheckpointException(
          "%s: tensor %s is stored as %s; a weight must be one of F32, F16, BF16, F8_E4M3, F8_E5M2, F64"
              .formatted(source.fileOf(name), name, info.dtype()));
    }
    int[] dims = info.shape().stream().mapToInt(Math::toIntExact).toArray();
    return new Weight(name, info.dtype(), Shape.of(dims), source.data(name));
  }

  @Override
  public Set<String> names() {
    return Collections.unmodifiableSet(source.tensors().keySet());
  }

  @Override
  public String origin() {
    return source.path().toString();
  }
}
