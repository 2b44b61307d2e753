package org.rectiflow.encoders;

import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.rectiflow.engine.Weight;
import org.rectiflow.engine.WeightSource;

/**
 * One model's tensors of a file that holds several, under the names they have there: those whose
 * names begin with one of {@code prefixes}.
 */
public record WeightsUnder(WeightSource all, Set<String> prefixes) implements WeightSource {
  public WeightsUnder {
    prefixes = Set.copyOf(prefixes);
  }

  private boolean holds(String name) {
    return prefixes.stream().anyMatch(name::startsWith);
  }

  @Override
  public Optional<Weight> find(String name) {
    return holds(name) ? all.find(name) : Optional.empty();
  }

  @Override
  public Set<String> names() {
    return all.names().stream().filter(this::holds).collect(Collectors.toUnmodifiableSet());
  }

  @Override
  public String origin() {
    return all.origin();
  }
}
