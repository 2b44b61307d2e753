package org.rectiflow.datasets.shapes;

import java.util.Arrays;

/**
 * How much of each pixel a blob covers.
 *
 * @param left column of the first pixel
 * @param top row of the first pixel
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record Coverage(float[] alpha, int width, int left, int top) {
  private static final int MARGIN = 2;

  /** Coverage of the blob and of the faint pixels around it, in its bounding box and a margin. */
  static Coverage of(int[] blob, double[] color, GroundedPicture picture, Blobs blobs) {
    int width = picture.width();
    int left = Math.max(0, Arrays.stream(blob).map(p -> p % width).min().orElseThrow() - MARGIN);
    int right =
        Math.min(width - 1, Arrays.stream(blob).map(p -> p % width).max().orElseThrow() + MARGIN);
    int top = Math.max(0, blob[0] / width - MARGIN);
    int bottom = Math.min(picture.height() - 1, blob[blob.length - 1] / width + MARGIN);
    int columns = right - left + 1;
    float[] alpha = new float[columns * (bottom - top + 1)];
    for (int pixel : blob) {
      alpha[(pixel / width - top) * columns + pixel % width - left] =
          (float) picture.share(pixel, color);
      for (int beside : blobs.beside(pixel)) {
        if (!picture.foreground()[beside]) {
          alpha[(beside / width - top) * columns + beside % width - left] =
              (float) picture.share(beside, color);
        }
      }
    }
    return new Coverage(alpha, columns, left, top);
  }

  /** Edges at half coverage: left, top, right, bottom. */
  double[] box() {
    int height = alpha.length / width;
    float[] columns = new float[width];
    float[] rows = new float[height];
    for (int i = 0; i < alpha.length; i++) {
      columns[i % width] = Math.max(columns[i % width], alpha[i]);
      rows[i / width] = Math.max(rows[i / width], alpha[i]);
    }
    return new double[] {first(columns), first(rows), last(columns), last(rows)};
  }

  private static double first(float[] most) {
    int i = 0;
    while (i < most.length - 1 && most[i] < 0.5f) {
      i++;
    }
    return i + (1 - most[i]) - (i > 0 ? most[i - 1] : 0);
  }

  private static double last(float[] most) {
    int i = most.length - 1;
    while (i > 0 && most[i] < 0.5f) {
      i--;
    }
    return i + most[i] + (i < most.length - 1 ? most[i + 1] : 0);
  }
}
