package org.rectiflow.trainer.data;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.stream.IntStream;
import org.rectiflow.datasets.Dataset;
import org.rectiflow.datasets.Example;
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
    List<PixelImage> pictures = examples.stream().map(one -> Pixels.of(one, side)).toList();
    return new PixelBatch(
        Pixels.tensor(pictures, pictures.size()), examples.stream().map(Example::caption).toList());
  }

  static Example example(Dataset data, int index) {
    try {
      return data.get(index);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
