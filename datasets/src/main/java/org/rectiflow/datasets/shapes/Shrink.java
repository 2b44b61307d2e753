package org.rectiflow.datasets.shapes;

import org.rectiflow.evaluation.PixelImage;

/** Makes pictures smaller by whole factors. */
final class Shrink {
  private Shrink() {}

  /** The mean of square groups of pixels, such that no side is longer than wanted, if any is. */
  static PixelImage to(PixelImage picture, int side) {
    int factor = Math.ceilDiv(Math.max(picture.width(), picture.height()), side);
    if (factor == 1) {
      return picture;
    }
    int width = Math.max(1, picture.width() / factor);
    int height = Math.max(1, picture.height() / factor);
    float[] data = new float[picture.channels() * width * height];
    for (int channel = 0; channel < picture.channels(); channel++) {
      for (int row = 0; row < height; row++) {
        for (int column = 0; column < width; column++) {
          double sum = 0;
          int count = 0;
          for (int y = row * factor; y < Math.min(picture.height(), (row + 1) * factor); y++) {
            for (int x = column * factor;
                x < Math.min(picture.width(), (column + 1) * factor);
                x++) {
              sum += picture.at(channel, y, x);
              count++;
            }
          }
          data[(channel * height + row) * width + column] = (float) (sum / count);
        }
      }
    }
    return new PixelImage(picture.channels(), height, width, data);
  }
}
