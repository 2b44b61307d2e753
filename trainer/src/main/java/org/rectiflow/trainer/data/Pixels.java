package org.rectiflow.trainer.data;

import java.util.List;
import org.rectiflow.datasets.Example;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;
import org.rectiflow.evaluation.PixelImage;
import org.rectiflow.pipeline.io.UserException;
import org.rectiflow.pipeline.picture.Picture;

/** Pictures with levels 0 to 1, and as networks take them and give them: -1 to 1. */
public final class Pixels {
  private Pixels() {}

  /**
   * An example's picture.
   *
   * @param side the width and height that it must have
   * @throws UserException if it has another size
   */
  public static PixelImage of(Example example, int side) {
    PixelImage picture = example.picture();
    if (picture.width() != side || picture.height() != side) {
      throw new UserException(
          "the picture of example %s is %dx%d, the run trains on %dx%d: correct data.size"
              .formatted(example.id(), picture.width(), picture.height(), side, side));
    }
    return picture;
  }

  /**
   * What a network takes.
   *
   * @param pictures all of one size, at most {@code batch}
   * @return [batch, 3, height, width]; zeros where there are no more pictures
   */
  public static Tensor tensor(List<PixelImage> pictures, int batch) {
    PixelImage first = pictures.getFirst();
    Tensor pixels = Tensor.zeros(Shape.of(batch, first.channels(), first.height(), first.width()));
    int at = 0;
    for (PixelImage picture : pictures) {
      for (float level : picture.data()) {
        pixels.data()[at++] = 2 * level - 1;
      }
    }
    return pixels;
  }

  /**
   * A picture that a network gave, clamped.
   *
   * @param all [batch, 3, height, width]
   */
  public static PixelImage picture(Tensor all, int index) {
    float[] levels = all.row(index).data();
    for (int i = 0; i < levels.length; i++) {
      levels[i] = Picture.unit(levels[i]);
    }
    return new PixelImage(all.shape().dim(1), all.shape().dim(2), all.shape().dim(3), levels);
  }
}
