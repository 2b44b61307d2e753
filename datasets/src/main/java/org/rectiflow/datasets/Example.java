package org.rectiflow.datasets;

import java.util.Objects;
import org.rectiflow.evaluation.PixelImage;

/**
 * A picture and what is said about it.
 *
 * @param id unique in its data set: the file's name, or the place in a drawn world
 * @param caption may be empty
 * @param picture [3, height, width], values in [0, 1], sRGB
 */
public record Example(String id, String caption, PixelImage picture) {
  /**
   * Refuses a picture that is not RGB.
   *
   * @throws IllegalArgumentException if it has another number of channels than three
   */
  public Example {
    Objects.requireNonNull(id);
    Objects.requireNonNull(caption);
    if (picture.channels() != 3) {
      throw new IllegalArgumentException(
          "example %s needs an RGB picture, found %d channels".formatted(id, picture.channels()));
    }
  }
}
