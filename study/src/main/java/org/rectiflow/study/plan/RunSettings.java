package org.rectiflow.study.plan;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.rectiflow.pipeline.cli.Suggestions;
import org.rectiflow.pipeline.io.UserException;
import org.rectiflow.trainer.LoopKeys;
import org.rectiflow.trainer.TaskFactory;
import org.rectiflow.trainer.config.Key;
import org.rectiflow.trainer.config.RunFile;
import org.rectiflow.trainer.config.Settings;

/** Settings of runs that differ from a run file. */
final class RunSettings {
  private RunSettings() {}

  /**
   * The settings of a run file.
   *
   * @param study that names it, for messages
   * @throws UserException if the file is no run file, or of a task that nobody knows
   */
  static Settings of(Path study, Path base) throws IOException {
    if (!Files.isRegularFile(base)) {
      throw new UserException(
          "%s: base: there is no run file %s; the path counts from the study's folder"
              .formatted(study, base));
    }
    RunFile file = RunFile.read(base);
    TaskFactory factory = TaskFactory.named(file.peek(LoopKeys.TASK), base.toString());
    List<Key<?>> keys = new ArrayList<>(LoopKeys.ALL);
    keys.addAll(factory.keys());
    return file.settings(keys);
  }

  /**
   * The settings with other values.
   *
   * @throws UserException if there is no such key, or its value is not of its kind
   */
  static Settings with(Settings settings, Overrides overrides) {
    Map<String, Object> values = new LinkedHashMap<>(settings.values());
    overrides
        .values()
        .forEach((name, value) -> {
          String place = overrides.places().get(name);
          Key<?> key =
              settings.keys().stream()
                  .filter(k -> k.name().equals(name))
                  .findFirst()
                  .orElseThrow(() -> unknown(settings, place, name));
          try {
            values.put(name, key.kind().reader().apply(value));
          } catch (IllegalArgumentException e) {
            throw new UserException(
                "%s: %s must be %s, found %s%s"
                    .formatted(
                        place,
                        name,
                        key.kind().description(),
                        value,
                        e.getMessage() == null ? "" : ": " + e.getMessage()),
                e);
          }
        });
    Map<String, String> places = new LinkedHashMap<>(settings.places());
    places.putAll(overrides.places());
    return new Settings(settings.origin(), settings.keys(), values, places);
  }

  private static UserException unknown(Settings settings, String place, String name) {
    String hint =
        Suggestions.nearest(name, settings.keys().stream().map(Key::name))
            .map(n -> "did you mean %s?".formatted(n))
            .orElse("`rectiflow train --explain` lists those there are.");
    return new UserException(
        "%s: %s is no key of run files like %s; %s"
            .formatted(place, name, settings.origin(), hint));
  }
}
