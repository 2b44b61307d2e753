package org.rectiflow.trainer.config;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import org.tomlj.TomlArray;

/**
 * What may stand behind a key of a run file.
 *
 * @param description for people: {@code a number from 0 to 1}
 * @param reader from TOML's value (Long, Double, Boolean, String, TomlArray); throws {@link
 *     IllegalArgumentException} where it is not of this kind, with a message or without
 */
public record Kind<T>(String description, Function<Object, T> reader) {

  /** true or false. */
  public static Kind<Boolean> bool() {
    return new Kind<>(
        "true or false",
        value -> {
          if (value instanceof Boolean b) {
            return b;
          }
          throw new IllegalArgumentException();
        });
  }

  /** A whole number between two others. */
  public static Kind<Long> whole(long from, long to) {
    String range = to == Long.MAX_VALUE ? "of at least " + from : "from " + from + " to " + to;
    return new Kind<>(
        "a whole number " + range,
        value -> {
          if (value instanceof Long n && n >= from && n <= to) {
            return n;
          }
          throw new IllegalArgumentException();
        });
  }

  /** A whole number of times {@code step}, with 0, up to {@code to}. */
  public static Kind<Long> multiple(long step, long to) {
    return new Kind<>(
        "a multiple of %d from 0 to %d".formatted(step, to),
        value -> {
          long n = whole(0, to).reader().apply(value);
          if (n % step != 0) {
            throw new IllegalArgumentException();
          }
          return n;
        });
  }

  /** A whole number of at least {@code from}. */
  public static Kind<Long> whole(long from) {
    return whole(from, Long.MAX_VALUE);
  }

  /** A number; both bounds are allowed values. */
  public static Kind<Double> number(double from, double to) {
    String range = to == Double.MAX_VALUE ? "of at least " + from : "from " + from + " to " + to;
    return new Kind<>(
        "a number " + range,
        value -> {
          double n =
              switch (value) {
                case Long l -> l;
                case Double d -> d;
                default -> throw new IllegalArgumentException();
              };
          if (n >= from && n <= to) {
            return n;
          }
          throw new IllegalArgumentException();
        });
  }

  /** A text that {@code check} accepts: it throws {@link IllegalArgumentException} if not. */
  public static Kind<String> text(String description, Consumer<String> check) {
    return new Kind<>(
        description,
        value -> {
          if (value instanceof String s) {
            check.accept(s);
            return s;
          }
          throw new IllegalArgumentException();
        });
  }

  /** Any text. */
  public static Kind<String> text() {
    return text("a text", _ -> {});
  }

  /** One of some words. */
  public static Kind<String> oneOf(List<String> words) {
    return text(
        "one of " + String.join(", ", words),
        s -> {
          if (!words.contains(s)) {
            throw new IllegalArgumentException();
          }
        });
  }

  /** A list of values of one kind. */
  public static <T> Kind<List<T>> listOf(Kind<T> element) {
    return new Kind<>(
        "a list, each " + element.description(),
        value -> {
          if (!(value instanceof TomlArray array)) {
            throw new IllegalArgumentException();
          }
          List<T> all = new ArrayList<>();
          array.toList().forEach(one -> all.add(element.reader().apply(one)));
          return List.copyOf(all);
        });
  }
}
