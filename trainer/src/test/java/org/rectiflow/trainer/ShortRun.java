package org.rectiflow.trainer;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.BackendProvider;
import org.rectiflow.engine.Backends;
import org.rectiflow.pipeline.Progress;
import org.rectiflow.trainer.config.Key;
import org.rectiflow.trainer.config.RunFile;
import org.rectiflow.trainer.config.Settings;

/** A few steps of some task. */
public final class ShortRun {
  private ShortRun() {}

  /** The settings that lines of a run file make. */
  public static Settings settings(TaskFactory factory, String... lines) {
    List<Key<?>> keys = new ArrayList<>(LoopKeys.ALL);
    keys.addAll(factory.keys());
    return RunFile.parse("run.toml", String.join("\n", lines) + "\n").settings(keys);
  }

  /** Makes the task and closes it again. */
  public static void open(TaskFactory factory, Settings settings) {
    try (Backend backend = backend(2)) {
      factory.open(settings, backend, Progress.NONE).close();
    }
  }

  /** Trains all steps; the last checkpoint. */
  public static Path train(TaskFactory factory, Path folder, Settings settings, int threads)
      throws IOException {
    try (Backend backend = backend(threads);
        RunFolder run = RunFolder.open(folder, settings, true);
        Task task = factory.open(settings, backend, Progress.NONE);
        Trainer trainer = new Trainer(task, settings, run, backend)) {
      return trainer.run("short", Progress.NONE, () -> false).checkpoint();
    }
  }

  /** The cpu. */
  public static Backend backend(int threads) {
    return Backends.open("cpu", new BackendProvider.Options(threads));
  }
}
