package org.rectiflow.study.plan;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.rectiflow.pipeline.io.UserException;
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
   * @throws UserException if a value is there twice: both would be the same run
   */
  static Axis ofKey(String key, TomlArray values, String place) {
    Map<String, String> places = Map.of(key, place);
    Set<String> labels = new HashSet<>();
    List<Point> points = new ArrayList<>();
    for (Object value : values.toList()) {
      if (!labels.add(label(value))) {
        throw new UserException("%s: axes.%s has %s twice".formatted(place, key, label(value)));
      }
      points.add(new Point(label(value), new Overrides(Map.of(key, value), places)));
    }
    return new Axis(key, points);
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
