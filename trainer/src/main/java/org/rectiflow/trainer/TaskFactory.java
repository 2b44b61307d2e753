package org.rectiflow.trainer;

import java.util.List;
import java.util.ServiceLoader;
import org.rectiflow.engine.Backend;
import org.rectiflow.pipeline.Progress;
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
   * @throws org.rectiflow.pipeline.io.UserException if a setting cannot be
   */
  Task open(Settings settings, Backend backend, Progress progress);

  /** All kinds on the class path. */
  static List<TaskFactory> all() {
    return ServiceLoader.load(TaskFactory.class).stream().map(ServiceLoader.Provider::get).toList();
  }
}
