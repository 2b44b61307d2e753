package org.rectiflow.datasets.shapes;

import java.util.Arrays;
import java.util.List;
import org.rectiflow.evaluation.PixelImage;

/**
 * What is in a picture.
 *
 * @param shapes none overlaps another
 */
public record Scene(List<DrawnShape> shapes) {
  /** Points looked at in each direction of a pixel. */
  private static final int SAMPLES = 8;

  private static final int LEVELS = 255;

  public Scene {
    shapes = List.copyOf(shapes);
  }

  /**
   * Draws the scene with soft edges: a pixel mixes ground and shape by the share of its 64 sample
   * points inside the shape. Values are whole levels over 255, so a PNG file loses nothing.
   *
   * @param side pixels of the square picture
   */
  public PixelImage paint(int side) {
    float[] data = new float[3 * side * side];
    Arrays.fill(data, (float) ShapeColor.GROUND / LEVELS);
    for (DrawnShape shape : shapes) {
      int left = Math.max(0, (int) Math.floor((shape.x() - shape.halfWidth()) * side));
      int right = Math.min(side - 1, (int) Math.floor((shape.x() + shape.halfWidth()) * side));
      int top = Math.max(0, (int) Math.floor((shape.y() - shape.halfHeight()) * side));
      int bottom = Math.min(side - 1, (int) Math.floor((shape.y() + shape.halfHeight()) * side));
      for (int row = top; row <= bottom; row++) {
        for (int column = left; column <= right; column++) {
          int inside = inside(shape, row, column, side);
          if (inside > 0) {
            mix(data, shape.color(), inside, row * side + column, side * side);
          }
        }
      }
    }
    return new PixelImage(3, side, side, data);
  }

  /** Sample points of a pixel that lie in the shape. */
  private static int inside(DrawnShape shape, int row, int column, int side) {
    int inside = 0;
    for (int i = 0; i < SAMPLES; i++) {
      double y = ((row + (i + 0.5) / SAMPLES) / side - shape.y()) / shape.radius();
      for (int j = 0; j < SAMPLES; j++) {
        double x = ((column + (j + 0.5) / SAMPLES) / side - shape.x()) / shape.radius();
        if (shape.kind().contains(x, y)) {
          inside++;
        }
      }
    }
    return inside;
  }

  private static void mix(float[] data, ShapeColor color, int inside, int pixel, int plane) {
    int all = SAMPLES * SAMPLES;
    for (int channel = 0; channel < 3; channel++) {
      int at = channel * plane + pixel;
      int under = Math.round(data[at] * LEVELS);
      int level = (color.level(channel) * inside + under * (all - inside) + all / 2) / all;
      data[at] = (float) level / LEVELS;
    }
  }
}
