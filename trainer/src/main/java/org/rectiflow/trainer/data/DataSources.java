package org.rectiflow.trainer.data;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.rectiflow.datasets.Dataset;
import org.rectiflow.datasets.files.IdxDataset;
import org.rectiflow.datasets.files.PictureFolder;
import org.rectiflow.datasets.shapes.CaptionMix;
import org.rectiflow.datasets.shapes.ShapesWorld;
import org.rectiflow.trainer.config.Key;
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
    refuseUnread(settings);
    if (isDrawn(settings)) {
      return world(
          settings,
          ShapesWorld.Settings.training(
              settings.get(DataKeys.SEED), settings.number(DataKeys.SAMPLES)),
          new CaptionMix(
              settings.get(DataKeys.RICH),
              settings.get(DataKeys.POOR),
              settings.get(DataKeys.PARTIAL)));
    }
    Dataset files = files(settings);
    return Subset.rest(files, heldOutCount(settings, files));
  }

  /**
   * Examples that are never trained on: of the shapes world those with held-out captions, of files
   * the share that is kept apart.
   *
   * @throws org.rectiflow.pipeline.io.UserException if there are not as many
   */
  public static Dataset heldOut(Settings settings, int count) {
    if (isDrawn(settings)) {
      return world(settings, ShapesWorld.Settings.heldOut(HELD_OUT_SEED, count), CaptionMix.PLAIN);
    }
    Dataset files = files(settings);
    int kept = heldOutCount(settings, files);
    if (count > kept) {
      throw settings.problem(
          DataKeys.HELD_OUT,
          "it keeps %d of %d examples for validation, but validation.samples asks for %d; keep more or ask for fewer"
              .formatted(kept, files.size(), count));
    }
    return Subset.heldOut(files, count);
  }

  /** Files that are named but not read would be trained on by mistake only. */
  private static void refuseUnread(Settings settings) {
    String source = settings.get(DataKeys.SOURCE);
    for (Key<String> key : List.of(DataKeys.FOLDER, DataKeys.PICTURES, DataKeys.LABELS)) {
      String reader = key.equals(DataKeys.FOLDER) ? "folder" : "idx";
      if (!settings.get(key).isEmpty() && !source.equals(reader)) {
        throw settings.problem(
            key,
            "it is not read, since data.source is \"%s\"; set data.source = \"%s\", or take %s out"
                .formatted(source, reader, key.name()));
      }
    }
  }

  private static boolean isDrawn(Settings settings) {
    return settings.get(DataKeys.SOURCE).equals("shapes");
  }

  private static Dataset world(Settings settings, ShapesWorld.Settings world, CaptionMix captions) {
    try {
      return new ShapesWorld(world.with(captions).withResolution(settings.number(DataKeys.SIZE)));
    } catch (IllegalArgumentException e) {
      throw settings.problem(DataKeys.SIZE, e.getMessage());
    }
  }

  private static int heldOutCount(Settings settings, Dataset files) {
    int count = (int) Math.ceil(settings.get(DataKeys.HELD_OUT) * files.size());
    if (count >= files.size()) {
      throw settings.problem(
          DataKeys.HELD_OUT, "of %d examples none is left to train on".formatted(files.size()));
    }
    return count;
  }

  private static Dataset files(Settings settings) {
    int side = settings.number(DataKeys.SIZE);
    boolean folder = settings.get(DataKeys.SOURCE).equals("folder");
    Key<String> key = folder ? DataKeys.FOLDER : DataKeys.PICTURES;
    try {
      return folder
          ? PictureFolder.open(path(settings, DataKeys.FOLDER), side)
          : IdxDataset.open(
              path(settings, DataKeys.PICTURES),
              path(settings, DataKeys.LABELS),
              captions(settings),
              side);
    } catch (IOException e) {
      throw settings.problem(key, e.getMessage());
    }
  }

  private static Path path(Settings settings, Key<String> key) {
    String path = settings.get(key);
    if (path.isEmpty()) {
      throw settings.problem(
          key,
          "data.source = \"%s\" needs it; name a %s"
              .formatted(
                  settings.get(DataKeys.SOURCE), key.equals(DataKeys.FOLDER) ? "folder" : "file"));
    }
    return Path.of(path);
  }

  private static List<String> captions(Settings settings) {
    List<String> captions = settings.get(DataKeys.CAPTIONS);
    return switch (captions.size() == 1 ? captions.getFirst() : "") {
      case "digits" -> IdxDataset.DIGITS;
      case "fashion" -> IdxDataset.FASHION;
      default -> captions;
    };
  }
}
