package org.rectiflow.trainer.clip;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.rectiflow.datasets.Dataset;
import org.rectiflow.datasets.shapes.ShapeColor;
import org.rectiflow.datasets.shapes.ShapeKind;
import org.rectiflow.datasets.shapes.ShapePhrase;
import org.rectiflow.datasets.shapes.ShapePrompt;
import org.rectiflow.datasets.shapes.ShapesWorld;
import org.rectiflow.engine.Tensor;
import org.rectiflow.evaluation.GenEval;
import org.rectiflow.trainer.config.Settings;
import org.rectiflow.trainer.data.DataKeys;
import org.rectiflow.trainer.data.PixelBatch;

/**
 * Pictures that show one of several classes: what zero-shot classification is tested on.
 *
 * @param pixels [N, 3, S, S]
 * @param captions one of each class
 * @param labels the class of each picture
 */
record LabelledPictures(Tensor pixels, List<String> captions, int[] labels) {
  private static final long SEED = 0;

  /**
   * Single shapes of the shapes world, in held-out combinations of shape, colour and size; the
   * classes are all combinations of shape and colour.
   *
   * @return nothing for other data
   */
  static Optional<LabelledPictures> of(Settings settings, int count) {
    if (!settings.get(DataKeys.SOURCE).equals("shapes")) {
      return Optional.empty();
    }
    int side = settings.number(DataKeys.SIZE);
    ShapesWorld world =
        new ShapesWorld(
            ShapesWorld.Settings.heldOut(SEED, count)
                .with(EnumSet.of(GenEval.Task.COLORS))
                .withResolution(side));
    List<String> captions = new ArrayList<>();
    for (ShapeKind kind : ShapeKind.values()) {
      for (ShapeColor color : ShapeColor.values()) {
        captions.add(ShapePrompt.one(ShapePhrase.of(color, kind)).text());
      }
    }
    int[] labels =
        IntStream.range(0, count)
            .map(i -> {
              ShapePhrase shown = world.drawn(i).prompt().first();
              return shown.kind().ordinal() * ShapeColor.values().length
                  + shown.color().orElseThrow().ordinal();
            })
            .toArray();
    return Optional.of(new LabelledPictures(pixels(world, side), captions, labels));
  }

  private static Tensor pixels(Dataset data, int side) {
    return PixelBatch.of(data, IntStream.range(0, data.size()).toArray(), side).pixels();
  }

  /** The share of pictures whose class was found. */
  double accuracy(int[] found) {
    return share(found, labels);
  }

  /** The share of equal entries. */
  static double share(int[] found, int[] expected) {
    long right = IntStream.range(0, expected.length).filter(i -> found[i] == expected[i]).count();
    return (double) right / expected.length;
  }
}
