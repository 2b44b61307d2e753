package org.rectiflow.trainer.transformer;

import java.nio.file.Files;
import java.nio.file.Path;
import org.rectiflow.pipeline.io.Installation;
import org.rectiflow.trainer.config.Key;
import org.rectiflow.trainer.config.Settings;

/** The model folder that a run takes its other parts from. */
public final class BaseFolder {
  private BaseFolder() {}

  /**
   * The folder that a key names; the bundled model if it names none.
   *
   * @throws org.rectiflow.pipeline.io.UserException if it is no folder
   */
  public static Path of(Settings settings, Key<String> key) {
    String name = settings.get(key);
    Path path =
        name.isEmpty()
            ? Installation.folder("models/shapes")
                .orElseThrow(() ->
                    settings.problem(
                        key, "where the bundled model is only run.sh knows; name a folder"))
            : Path.of(name);
    if (!Files.isDirectory(path)) {
      throw settings.problem(
          key,
          Files.exists(path)
              ? path
                  + " is a file; a base must be a folder in diffusers' layout, which `rectiflow convert` makes of it"
              : "there is no folder " + path.toAbsolutePath());
    }
    if (!Files.exists(path.resolve("model_index.json"))) {
      throw settings.problem(
          key,
          "%s has no model_index.json; name a folder in diffusers' layout, such as a run's checkpoint (checkpoints/step-...)"
              .formatted(path));
    }
    return path;
  }
}
