package org.rectiflow.datasets.files;

import org.rectiflow.evaluation.PixelImage;

/** Brings pictures to the size that is trained on. */
final class PictureSize {
  private PictureSize() {}

  /**
   * The square in the middle of a picture, resized with a triangle filter as wide as the pixels
   * that become one (as Pillow's bilinear filter), so that making it smaller does not alias.
   */
  static PixelImage square(PixelImage picture, int side) {
    int least = Math.min(picture.width(), picture.height());
    int left = (picture.width() - least) / 2;
    int top = (picture.height() - least) / 2;
    float[][] weights = weights(least, side);
    int[] firsts = firsts(least, side);
    int channels = picture.channels();
    float[] rows = new float[channels * least * side];
    for (int line = 0; line < channels * least; line++) {
      int from = (line / least * picture.height() + top + line % least) * picture.width() + left;
      for (int x = 0; x < side; x++) {
        rows[line * side + x] = sum(picture.data(), from + firsts[x], 1, weights[x]);
      }
    }
    float[] data = new float[channels * side * side];
    for (int channel = 0; channel < channels; channel++) {
      for (int y = 0; y < side; y++) {
        for (int x = 0; x < side; x++) {
          int from = (channel * least + firsts[y]) * side + x;
          data[(channel * side + y) * side + x] = sum(rows, from, side, weights[y]);
        }
      }
    }
    return new PixelImage(channels, side, side, data);
  }

  private static float sum(float[] values, int from, int step, float[] weights) {
    float sum = 0;
    for (int i = 0; i < weights.length; i++) {
      sum += weights[i] * values[from + i * step];
    }
    return sum;
  }

  private static int[] firsts(int from, int to) {
    int[] firsts = new int[to];
    for (int i = 0; i < to; i++) {
      firsts[i] = first(i, from, to);
    }
    return firsts;
  }

  private static int first(int i, int from, int to) {
    double scale = (double) from / to;
    return Math.max(0, (int) Math.round((i + 0.5) * scale - Math.max(1, scale)));
  }

  /** For each new pixel the weights of the old ones from {@link #first} on; their sum is one. */
  private static float[][] weights(int from, int to) {
    double scale = (double) from / to;
    double reach = Math.max(1, scale);
    float[][] all = new float[to][];
    for (int i = 0; i < to; i++) {
      double middle = (i + 0.5) * scale;
      int first = first(i, from, to);
      int end = Math.clamp(Math.round(middle + reach), first + 1, from);
      double[] weights = new double[end - first];
      double total = 0;
      for (int j = 0; j < weights.length; j++) {
        weights[j] = Math.max(0, 1 - Math.abs(first + j + 0.5 - middle) / reach);
        total += weights[j];
      }
      all[i] = new float[weights.length];
      for (int j = 0; j < weights.length; j++) {
        all[i][j] = (float) (weights[j] / total);
      }
    }
    return all;
  }
}
