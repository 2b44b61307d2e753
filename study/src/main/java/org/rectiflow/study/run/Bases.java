package org.rectiflow.study.run;

import java.nio.file.Path;
import org.rectiflow.pipeline.checkpoint.Checkpoint;
import org.rectiflow.pipeline.checkpoint.DiffusersFolder;
import org.rectiflow.pipeline.io.Installation;
import org.rectiflow.trainer.config.Settings;
import org.rectiflow.trainer.transformer.TransformerKeys;

/** The models whose encoders and autoencoder runs are trained on. */
public final class Bases {
  private Bases() {}

  /** That of a run. */
  static Checkpoint of(Settings settings) {
    String name = settings.get(TransformerKeys.BASE);
    return name.isEmpty() ? bundled(settings) : DiffusersFolder.open(Path.of(name));
  }

  /** That of a run, or the bundled model where the run's is still to be prepared. */
  public static Checkpoint forSizes(Settings settings) {
    String name = settings.get(TransformerKeys.BASE);
    return name.isEmpty() || name.contains("{")
        ? bundled(settings)
        : DiffusersFolder.open(Path.of(name));
  }

  private static Checkpoint bundled(Settings settings) {
    return DiffusersFolder.open(
        Installation.folder("models/shapes")
            .orElseThrow(() ->
                settings.problem(
                    TransformerKeys.BASE,
                    "where the bundled model is only run.sh knows; name a folder")));
  }
}
