package org.rectiflow.trainer.config;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.rectiflow.pipeline.cli.Suggestions;
import org.rectiflow.pipeline.io.TextFiles;
import org.rectiflow.pipeline.io.UserException;
import org.tomlj.Toml;
import org.tomlj.TomlInvalidTypeException;
import org.tomlj.TomlParseError;
import org.tomlj.TomlParseResult;
import org.tomlj.TomlPosition;
import org.tomlj.TomlTable;

/** A TOML file that describes a run. */
public final class RunFile {
  private final String origin;
  private final TomlParseResult toml;

  private RunFile(String origin, TomlParseResult toml) {
    this.origin = origin;
    this.toml = toml;
  }

  /**
   * Reads a file.
   *
   * @throws UserException if it is missing, no text or no TOML, naming the line
   */
  public static RunFile read(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new UserException(
          "%s: %s. `rectiflow train --explain` lists what a run file may say; trainer/examples has some."
              .formatted(
                  file, Files.isDirectory(file) ? "a folder, not a run file" : "no such file"));
    }
    return parse(file.toString(), TextFiles.read(file, "a run file in TOML"));
  }

  /**
   * Reads a text.
   *
   * @param origin what messages call it
   */
  public static RunFile parse(String origin, String text) {
    TomlParseResult toml = Toml.parse(text);
    if (toml.hasErrors()) {
      TomlParseError first = toml.errors().getFirst();
      throw new UserException(
          "%s, line %d: %s".formatted(origin, first.position().line(), first.getMessage()));
    }
    return new RunFile(origin, toml);
  }

  /**
   * The value of one key, before it is known which others there are.
   *
   * @throws UserException if it is missing or of another kind
   */
  public <T> T peek(Key<T> key) {
    return value(key);
  }

  /**
   * The values of all keys.
   *
   * @param keys every key that the file may have
   * @throws UserException naming the line: if the file has another key, a value is not of its kind,
   *     or a key without default is missing
   */
  public Settings settings(List<Key<?>> keys) {
    Map<String, Key<?>> known = new LinkedHashMap<>();
    keys.forEach(key -> known.put(key.name(), key));
    Map<String, String> places = new HashMap<>();
    checkTables(toml, "", known);
    for (String name : toml.dottedKeySet()) {
      if (!known.containsKey(name)) {
        throw unknown(name, known);
      }
      places.put(name, "%s, line %d".formatted(origin, line(name)));
    }
    Map<String, Object> values = new LinkedHashMap<>();
    keys.forEach(key -> values.put(key.name(), value(key)));
    return new Settings(origin, keys, values, places);
  }

  /** An empty table has no keys that would give it away. */
  private void checkTables(TomlTable table, String prefix, Map<String, Key<?>> known) {
    for (String name : table.keySet()) {
      if (table.isTable(List.of(name))) {
        String full = prefix + name;
        if (known.values().stream().noneMatch(key -> key.name().startsWith(full + "."))) {
          throw unknown(full, known);
        }
        checkTables(table.getTable(List.of(name)), full + ".", known);
      }
    }
  }

  private UserException unknown(String name, Map<String, Key<?>> known) {
    Optional<String> nearest = Suggestions.nearest(name, known.keySet().stream());
    String inTable = name.substring(name.lastIndexOf('.') + 1);
    Optional<String> moved =
        known.values().stream()
            .filter(key -> key.simpleName().equals(inTable))
            .map(Key::name)
            .findFirst();
    String hint =
        nearest
            .or(() -> moved)
            .map(n -> "did you mean %s?".formatted(n))
            .orElse("`rectiflow train --explain` lists those there are.");
    return new UserException(
        "%s, line %d: unknown key %s; %s".formatted(origin, line(name), name, hint));
  }

  private int line(String dotted) {
    TomlPosition position = toml.inputPositionOf(dotted);
    return position == null ? 1 : position.line();
  }

  private <T> T value(Key<T> key) {
    Object found;
    try {
      found = toml.get(key.name());
    } catch (TomlInvalidTypeException _) {
      // A part of the name is not a table here; that part itself is reported as unknown.
      found = null;
    }
    if (found == null) {
      return key.initial()
          .orElseThrow(() ->
              new UserException(
                  "%s: %s is missing; it must be %s. %s"
                      .formatted(origin, key.name(), key.kind().description(), key.meaning())));
    }
    try {
      return key.kind().reader().apply(found);
    } catch (IllegalArgumentException e) {
      String said = found instanceof TomlTable ? "a table" : print(found);
      throw new UserException(
          "%s, line %d: %s must be %s, found %s%s"
              .formatted(
                  origin,
                  line(key.name()),
                  key.name(),
                  key.kind().description(),
                  said,
                  e.getMessage() == null ? "" : ": " + e.getMessage()),
          e);
    }
  }

  private static String print(Object value) {
    return switch (value) {
      case String s -> "\"" + s + "\"";
      case org.tomlj.TomlArray array -> array.toJson().replaceAll("\\s+", " ");
      default -> value.toString();
    };
  }
}
