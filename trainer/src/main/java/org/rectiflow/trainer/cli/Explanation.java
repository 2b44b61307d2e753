package org.rectiflow.trainer.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.rectiflow.trainer.LoopKeys;
import org.rectiflow.trainer.TaskFactory;
import org.rectiflow.trainer.config.Key;

/** All keys of run files as text that is a run file itself: every line but one is a comment. */
final class Explanation {
  private static final int WIDTH = 96;

  private Explanation() {}

  /** The keys of one kind of run. */
  static String of(TaskFactory factory) {
    List<Key<?>> keys = new ArrayList<>(LoopKeys.ALL);
    keys.addAll(factory.keys());
    StringBuilder text = new StringBuilder();
    text.append("# task = \"%s\": %s.\n".formatted(factory.name(), factory.description()));
    text.append("# Each key with its default; keys without one have to be given.\n");
    List<String> tables = keys.stream().map(Key::table).distinct().toList();
    for (String table : tables) {
      text.append(table.isEmpty() ? "" : "\n[" + table + "]\n");
      keys.stream()
          .filter(key -> key.table().equals(table))
          .forEach(key ->
              append(
                  text, key, key == LoopKeys.TASK ? Optional.of(factory.name()) : key.initial()));
    }
    return text.toString();
  }

  private static void append(StringBuilder text, Key<?> key, Optional<?> value) {
    String change = key.mayChange() ? " May change when a run goes on." : "";
    String comment =
        "%s (%s.)%s".formatted(key.meaning(), capitalised(key.kind().description()), change);
    text.append('\n');
    for (String line : wrapped(comment)) {
      text.append("# ").append(line).append('\n');
    }
    text.append(key.simpleName()).append(" = ");
    text.append(value.map(Explanation::toml).orElse("# required")).append('\n');
  }

  private static String capitalised(String text) {
    return Character.toUpperCase(text.charAt(0)) + text.substring(1);
  }

  private static List<String> wrapped(String text) {
    List<String> lines = new ArrayList<>();
    StringBuilder line = new StringBuilder();
    for (String word : text.split(" ", -1)) {
      if (line.length() + word.length() >= WIDTH) {
        lines.add(line.toString().strip());
        line.setLength(0);
      }
      line.append(word).append(' ');
    }
    lines.add(line.toString().strip());
    return lines;
  }

  private static String toml(Object value) {
    return switch (value) {
      case String s -> "\"" + s + "\"";
      case List<?> list -> list.stream().map(Explanation::toml).toList().toString();
      default -> value.toString();
    };
  }
}
