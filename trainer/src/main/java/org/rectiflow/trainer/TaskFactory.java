package org.rectiflow.trainer;

import java.util.List;
import java.util.ServiceLoader;
import org.rectiflow.engine.Backend;
import org.rectiflow.pipeline.Progress;
import org.rectiflow.pipeline.cli.Suggestions;
import org.rectiflow.pipeline.io.UserException;
import org.rectiflow.trainer.config.Key;
import org.rectiflow.trainer.config.Settings;

/** Makes tasks of one kind from run files; found through {@link ServiceLoader}. */
public interface TaskFactory {

  /** What {@code task} in a run file says. */
  String name();

  /** One sentence for people. */
  String description();

  /** The keys of run files of this kind besides {@link LoopKeys#ALL}. */
  List<Key<?>> keys();

  /**
   * Opens data and models.
   *
   * @param backend what computes; stays open as long as the task
   * @param progress hears of long preparations
   * @throws UserException if a setting cannot be
   */
  Task open(Settings settings, Backend backend, Progress progress);

  /**
   * The kind of a name.
   *
   * @param origin where the name stands, for the message
   * @throws UserException if there is none
   */
  static TaskFactory named(String name, String origin) {
    List<TaskFactory> all = all();
    List<String> names = all.stream().map(TaskFactory::name).toList();
    return all.stream()
        .filter(f -> f.name().equals(name))
        .findFirst()
        .orElseThrow(() ->
            new UserException(
                "%s: there is no task '%s'; %sthere are %s"
                    .formatted(
                        origin,
                        name,
                        Suggestions.nearest(name, names.stream())
                            .map("did you mean %s? "::formatted)
                            .orElse(""),
                        String.join(", ", names))));
  }

  /** All kinds on the class path. */
  static List<TaskFactory> all() {
    return ServiceLoader.load(TaskFactory.class).stream().map(ServiceLoader.Provider::get).toList();
  }
}
