package org.rectiflow.study.measure;

import java.util.List;
import org.rectiflow.evaluation.PixelImage;

/**
 * Mean and standard deviation of each colour in the cells of a grid of 4 by 4: 96 numbers. They see
 * colours, places and the amount of detail, but no shapes; for studies without CLIP towers.
 */
final class PixelStatistics implements Features {
  private static final int GRID = 4;

  @Override
  public double[][] of(List<PixelImage> pictures) {
    return pictures.stream().map(PixelStatistics::of).toArray(double[][]::new);
  }

  private static double[] of(PixelImage picture) {
    double[] features = new double[picture.channels() * GRID * GRID * 2];
    int at = 0;
    for (int c = 0; c < picture.channels(); c++) {
      for (int row = 0; row < GRID; row++) {
        for (int column = 0; column < GRID; column++) {
          cell(picture, c, row, column, features, at);
          at += 2;
        }
      }
    }
    return features;
  }

  private static void cell(
      PixelImage picture, int channel, int row, int column, double[] to, int at) {
    int top = row * picture.height() / GRID;
    int bottom = (row + 1) * picture.height() / GRID;
    int left = column * picture.width() / GRID;
    int right = (column + 1) * picture.width() / GRID;
    double sum = 0;
    double squares = 0;
    for (int y = top; y < bottom; y++) {
      for (int x = left; x < right; x++) {
        double value = picture.at(channel, y, x);
        sum += value;
        squares += value * value;
      }
    }
    int n = (bottom - top) * (right - left);
    to[at] = sum / n;
    to[at + 1] = Math.sqrt(Math.max(0, squares / n - to[at] * to[at]));
  }
}
