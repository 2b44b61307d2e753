package org.rectiflow.trainer.data;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.stream.IntStream;
import org.rectiflow.datasets.Dataset;
import org.rectiflow.datasets.Example;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;
import org.rectiflow.evaluation.PixelImage;
import org.rectiflow.pipeline.io.UserException;

/**
 * Examples' pictures as networks take them.
 *
 * @param pixels [B, 3, side, side], -1 to 1
 * @param captions one of each picture
 */
public record PixelBatch(Tensor pixels, List<String> captions) {

  /**
   * Reads examples.
   *
   * @param indices which, in order
   * @param side the pictures' width and height
   * @throws UserException if a picture has another size
   */
  public static PixelBatch of(Dataset data, int[] indices, int side) {
    List<Example> examples =
        IntStream.of(indices).parallel().mapToObj(i -> example(data, i)).toList();
    Tensor pixels = Tensor.zeros(Shape.of(indices.length, 3, side, side));
    for (int i = 0; i < indices.length; i++) {
      place(examples.get(i), side, pixels, i);
    }
    return new PixelBatch(pixels, examples.stream().map(Example::caption).toList());
  }

  private static Example example(Dataset data, int index) {
    try {
      return data.get(index);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Levels 0 to 1 become -1 to 1. */
  private static void place(Example example, int side, Tensor pixels, int at) {
    PixelImage picture = example.picture();
    if (picture.width() != side || picture.height() != side) {
      throw new UserException(
          "the picture of example %s is %dx%d, the run trains on %dx%d: correct data.size"
              .formatted(example.id(), picture.width(), picture.height(), side, side));
    }
    float[] from = picture.data();
    for (int i = 0; i < from.length; i++) {
      pixels.data()[at * from.length + i] = 2 * from[i] - 1;
    }
  }
}
