package org.rectiflow.trainer.clip;

import java.util.Arrays;
import org.rectiflow.encoders.ClipScorer;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;
import org.rectiflow.pipeline.picture.Picture;

/** Pictures in a column, and beside each a row of squares: its cosines with several texts. */
final class SimilaritySheet {
  private SimilaritySheet() {}

  /**
   * @param pictures [N, 3, S, S], -1 to 1
   * @param images their features [N, P]
   * @param texts the texts' features [M, P]
   * @return squares from black, the smallest cosine of all, to white, the largest
   */
  static Picture of(Tensor pictures, Tensor images, Tensor texts) {
    int rows = images.shape().dim(0);
    int columns = texts.shape().dim(0);
    int side = pictures.shape().dim(2);
    double[][] cosines = new double[columns][];
    for (int j = 0; j < columns; j++) {
      cosines[j] = ClipScorer.alignment(images, repeated(texts, j, rows));
    }
    double least = Arrays.stream(cosines).flatMapToDouble(Arrays::stream).min().orElseThrow();
    double most = Arrays.stream(cosines).flatMapToDouble(Arrays::stream).max().orElseThrow();
    int width = (columns + 1) * side;
    int height = rows * side;
    Tensor sheet = Tensor.zeros(Shape.of(1, 3, height, width));
    for (int c = 0; c < 3; c++) {
      for (int y = 0; y < height; y++) {
        int row = y / side;
        int from = (c * height + y) * width;
        System.arraycopy(
            pictures.data(), ((row * 3 + c) * side + y % side) * side, sheet.data(), from, side);
        for (int j = 0; j < columns; j++) {
          double level = (cosines[j][row] - least) / Math.max(1e-9, most - least);
          int at = from + (j + 1) * side;
          Arrays.fill(sheet.data(), at, at + side, (float) (2 * level - 1));
        }
      }
    }
    return Picture.of(sheet, Picture.Rounding.NEAREST);
  }

  private static Tensor repeated(Tensor rows, int row, int count) {
    int width = rows.shape().dim(1);
    Tensor all = Tensor.zeros(Shape.of(count, width));
    for (int i = 0; i < count; i++) {
      System.arraycopy(rows.data(), row * width, all.data(), i * width, width);
    }
    return all;
  }
}
