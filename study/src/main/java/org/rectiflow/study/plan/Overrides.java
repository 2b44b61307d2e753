package org.rectiflow.study.plan;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Keys of run files that a study sets.
 *
 * @param values TOML's, by key
 * @param places where the study's file says so, by key: {@code study.toml, line 3}
 */
public record Overrides(Map<String, Object> values, Map<String, String> places) {
  /** Sets nothing. */
  static final Overrides NONE = new Overrides(Map.of(), Map.of());

  /** Copies the maps; what is wrong is found in the order of the file. */
  public Overrides {
    values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
    places = Map.copyOf(places);
  }
}
