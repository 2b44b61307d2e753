package org.rectiflow.study.run;

import org.rectiflow.pipeline.checkpoint.Checkpoint;
import org.rectiflow.pipeline.checkpoint.DiffusersFolder;
import org.rectiflow.trainer.config.Settings;
import org.rectiflow.trainer.transformer.BaseFolder;
import org.rectiflow.trainer.transformer.TransformerKeys;

/** The models whose encoders and autoencoder runs are trained on. */
public final class Bases {
  private Bases() {}

  /** That of a run. */
  static Checkpoint of(Settings settings) {
    return DiffusersFolder.open(BaseFolder.of(settings, TransformerKeys.BASE));
  }

  /** That of a run, or the bundled model where the run's is still to be prepared. */
  public static Checkpoint forSizes(Settings settings) {
    boolean prepared = settings.get(TransformerKeys.BASE).contains("{");
    return of(prepared ? settings.with(TransformerKeys.BASE, "") : settings);
  }
}
