package org.rectiflow.trainer.data;

import org.rectiflow.datasets.Dataset;
import org.rectiflow.datasets.shapes.CaptionMix;
import org.rectiflow.datasets.shapes.ShapesWorld;
import org.rectiflow.trainer.config.Settings;

/** Opens the data that a run file names. */
public final class DataSources {
  /** Held-out pictures are the same for every run. */
  private static final long HELD_OUT_SEED = 0;

  private DataSources() {}

  /**
   * What is trained on.
   *
   * @throws org.rectiflow.pipeline.io.UserException if there is no such data
   */
  public static Dataset training(Settings settings) {
    try {
      return new ShapesWorld(
          ShapesWorld.Settings.training(
                  settings.get(DataKeys.SEED), settings.number(DataKeys.SAMPLES))
              .with(new CaptionMix(settings.get(DataKeys.RICH), settings.get(DataKeys.POOR)))
              .withResolution(settings.number(DataKeys.SIZE)));
    } catch (IllegalArgumentException e) {
      throw settings.problem(DataKeys.SOURCE, e.getMessage());
    }
  }

  /** Examples that are never trained on. */
  public static Dataset heldOut(Settings settings, int count) {
    return new ShapesWorld(
        ShapesWorld.Settings.heldOut(HELD_OUT_SEED, count)
            .withResolution(settings.number(DataKeys.SIZE)));
  }
}
