package org.rectiflow.study.plan;

import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.rectiflow.pipeline.cli.Suggestions;
import org.rectiflow.pipeline.io.UserException;
import org.rectiflow.trainer.config.Kind;
import org.tomlj.Toml;
import org.tomlj.TomlArray;
import org.tomlj.TomlParseError;
import org.tomlj.TomlParseResult;
import org.tomlj.TomlPosition;
import org.tomlj.TomlTable;

/** A table of a study file, whose errors name the line. Keys are never split at their dots. */
final class Table {
  private final String origin;
  private final String name;
  private final TomlTable toml;

  private Table(String origin, String name, TomlTable toml) {
    this.origin = origin;
    this.name = name;
    this.toml = toml;
  }

  static Table parse(String origin, String text) {
    TomlParseResult toml = Toml.parse(text);
    if (toml.hasErrors()) {
      TomlParseError first = toml.errors().getFirst();
      throw new UserException(
          "%s, line %d: %s".formatted(origin, first.position().line(), first.getMessage()));
    }
    return new Table(origin, "", toml);
  }

  String origin() {
    return origin;
  }

  /** The keys in the order of the file. */
  List<String> names() {
    return toml.keySet().stream()
        .sorted(
            Comparator.comparingInt((String key) -> position(key).line())
                .thenComparingInt(key -> position(key).column()))
        .toList();
  }

  private TomlPosition position(String key) {
    TomlPosition position = toml.inputPositionOf(List.of(key));
    return position == null ? TomlPosition.positionAt(1, 1) : position;
  }

  /** Refuses other keys. */
  void allow(List<String> keys) {
    for (String key : names()) {
      if (!keys.contains(key)) {
        String hint =
            Suggestions.nearest(key, keys.stream())
                .map(n -> "did you mean %s?".formatted(n))
                .orElse("there are " + String.join(", ", keys));
        throw new UserException("%s: unknown key %s; %s".formatted(place(key), full(key), hint));
      }
    }
  }

  private String full(String key) {
    return name.isEmpty() ? key : name + "." + key;
  }

  /** A table within, empty if there is none. */
  Table table(String key) {
    Object found = toml.get(List.of(key));
    if (found == null) {
      return new Table(origin, full(key), Toml.parse(""));
    }
    if (!(found instanceof TomlTable table)) {
      throw problem(key, "it must be a table");
    }
    return new Table(origin, full(key), table);
  }

  /** A value that must be there. */
  <T> T get(String key, Kind<T> kind) {
    if (toml.get(List.of(key)) == null) {
      throw new UserException(
          "%s: %s is missing; it must be %s".formatted(origin, full(key), kind.description()));
    }
    return get(key, kind, null);
  }

  <T> T get(String key, Kind<T> kind, T initial) {
    Object found = toml.get(List.of(key));
    if (found == null) {
      return initial;
    }
    try {
      return kind.reader().apply(found);
    } catch (IllegalArgumentException e) {
      throw problem(
          key,
          "it must be %s, found %s%s"
              .formatted(
                  kind.description(),
                  found instanceof TomlArray list ? list.toList() : found,
                  e.getMessage() == null ? "" : ": " + e.getMessage()));
    }
  }

  /**
   * All values by key, in the order of the file: tables within are keys with dots, so that {@code
   * model.depth} may be written either way.
   */
  Overrides overrides() {
    Map<String, Object> values = new LinkedHashMap<>();
    Map<String, String> places = new LinkedHashMap<>();
    for (String key : names()) {
      Object value = toml.get(List.of(key));
      if (value instanceof TomlTable) {
        Overrides within = table(key).overrides();
        within.values().forEach((inner, v) -> values.put(key + "." + inner, v));
        within.places().forEach((inner, v) -> places.put(key + "." + inner, v));
      } else {
        values.put(key, value);
        places.put(key, place(key));
      }
    }
    return new Overrides(values, places);
  }

  /** Where a key stands, for messages. */
  String place(String key) {
    return "%s, line %d".formatted(origin, position(key).line());
  }

  UserException problem(String key, String reason) {
    return new UserException("%s: %s: %s".formatted(place(key), full(key), reason));
  }
}
