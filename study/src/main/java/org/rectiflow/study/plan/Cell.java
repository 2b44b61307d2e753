package org.rectiflow.study.plan;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.rectiflow.datasets.Fingerprint;
import org.rectiflow.trainer.LoopKeys;
import org.rectiflow.trainer.config.Key;
import org.rectiflow.trainer.config.Settings;

/**
 * One run of a study.
 *
 * @param id names its folder and its line of the results; it follows from the settings, so that a
 *     run is found again when axes get more values, and is another one when a setting changes
 * @param labels its value on each axis
 * @param settings of the trainer; texts may hold {@code {NAME}} of preparations
 */
public record Cell(String id, Map<String, String> labels, Settings settings) {
  private static final int HASH_DIGITS = 10;
  private static final int LONGEST_NAME = 80;

  /**
   * A run that these settings make.
   *
   * @param preparations what {@code {NAME}} stands for: another preparation makes another run
   */
  static Cell of(Map<String, String> labels, Settings settings, Map<String, String> preparations) {
    String name =
        labels.values().stream()
            .map(label -> label.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9.]+", "-"))
            .map(label -> label.replaceAll("^-|-$", ""))
            .collect(Collectors.joining("_"));
    String id =
        name.substring(0, Math.min(LONGEST_NAME, name.length()))
            + "-"
            + hash(settings, preparations);
    return new Cell(id, new LinkedHashMap<>(labels), settings);
  }

  private static String hash(Settings settings, Map<String, String> preparations) {
    Fingerprint fingerprint = new Fingerprint();
    Map<String, Object> values = new TreeMap<>(resolved(settings, preparations));
    for (Key<?> key : settings.keys()) {
      if (key.mayChange() && !key.equals(LoopKeys.STEPS)) {
        values.remove(key.name());
      }
    }
    values.forEach((key, value) -> fingerprint.add(key).add(String.valueOf(value)));
    return fingerprint.hex().substring(0, HASH_DIGITS);
  }

  /** The same with folders in the place of {@code {NAME}}. */
  public Cell resolved(Map<String, String> folders) {
    return new Cell(
        id,
        labels,
        new Settings(
            settings.origin(), settings.keys(), resolved(settings, folders), settings.places()));
  }

  private static Map<String, Object> resolved(Settings settings, Map<String, String> folders) {
    Map<String, Object> values = new LinkedHashMap<>();
    for (Key<?> key : settings.keys()) {
      String place = "%s: %s".formatted(settings.place(key), key.name());
      values.put(key.name(), resolved(settings.get(key), folders, place));
    }
    return values;
  }

  private static Object resolved(Object value, Map<String, String> folders, String place) {
    return switch (value) {
      case String text -> Placeholders.fill(text, folders, place);
      case List<?> list -> list.stream().map(one -> resolved(one, folders, place)).toList();
      default -> value;
    };
  }

  /** The labels without one axis: what the runs that are averaged over it have in common. */
  public Map<String, String> without(String axis) {
    Map<String, String> rest = new LinkedHashMap<>(labels);
    rest.remove(axis);
    return rest;
  }
}
