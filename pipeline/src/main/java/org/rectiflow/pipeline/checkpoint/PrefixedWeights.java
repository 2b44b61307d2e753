package org.rectiflow.pipeline.checkpoint;

import java.util.Optional;
import java.util.Set;
import org.rectiflow.engine.Weight;
import org.rectiflow.engine.WeightSource;

/** Those tensors of a file that belong to one part, without the prefix their names have there. */
final class PrefixedWeights implements WeightSource {
  private final WeightSource file;
  private final String prefix;
  private final Set<String> names;

  /**
   * @param names the part's tensors, without {@code prefix}
   */
  PrefixedWeights(WeightSource file, String prefix, Set<String> names) {
    this.file = file;
    this.prefix = prefix;
    this.names = names;
  }

  @Override
  public Optional<Weight> find(String name) {
    return names.contains(name) ? file.find(prefix + name) : Optional.empty();
  }

  @Override
  public Set<String> names() {
    return names;
  }

  @Override
  public String origin() {
    return file.origin();
  }
}
