package org.rectiflow.study.plan;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.tomlj.TomlArray;

/**
 * Something in which the runs of a study differ.
 *
 * @param name a key of run files, or a name that groups several
 * @param points its values
 */
public record Axis(String name, List<Point> points) {

  /** Copies the list. */
  public Axis {
    points = List.copyOf(points);
  }

  /**
   * A value.
   *
   * @param label for people and tables
   * @param run the keys of run files it sets
   */
  public record Point(String label, Overrides run) {}

  /**
   * The axis of one key of run files.
   *
   * @param place of the list, for messages
   */
  static Axis ofKey(String key, TomlArray values, String place) {
    Map<String, String> places = Map.of(key, place);
    return new Axis(
        key,
        values.toList().stream()
            .map(value -> new Point(label(value), new Overrides(Map.of(key, value), places)))
            .toList());
  }

  private static String label(Object value) {
    return switch (value) {
      case Double d -> String.format(Locale.ROOT, "%s", d);
      case TomlArray list when list.isEmpty() -> "none";
      case TomlArray list ->
          list.toList().stream().map(Axis::label).collect(Collectors.joining("+"));
      default -> String.valueOf(value);
    };
  }
}
