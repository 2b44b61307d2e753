package org.rectiflow.mmdit;

import org.rectiflow.engine.Tensor;

/**
 * The table of positions of a model that begins from nothing: sines and cosines of the grid of the
 * paper's Appendix B.2, of which a picture takes the centre. The released checkpoints carry theirs;
 * diffusers' own default is another grid, which begins at 0 and has no centre.
 */
public final class PositionTable {
  /** The positions that a square picture of the size trained for covers, however many patches. */
  private static final double SPAN = 16;

  private static final double PERIOD = 10_000;

  private PositionTable() {}

  /**
   * The table [1, side side, width]. Patch p of {@code side} has the place (p - (side - trained) /
   * 2) 16 / trained; a patch's values are those of its column, then those of its row, each half
   * sines, half cosines, of the place times 10000^(-k / (width / 4)).
   *
   * @param side rows and columns of the table
   * @param trained patches a side of the picture that is trained on
   * @param width channels, a multiple of 4
   * @throws IllegalArgumentException if the numbers do not fit
   */
  public static Tensor of(int side, int trained, int width) {
    if (side < trained || trained < 1 || width % 4 != 0) {
      throw new IllegalArgumentException(
          "a table of %d positions a side, %d of them trained, with %d channels cannot be: it needs side >= trained >= 1 and a width that is a multiple of 4"
              .formatted(side, trained, width));
    }
    float[] table = new float[side * side * width];
    for (int row = 0; row < side; row++) {
      for (int column = 0; column < side; column++) {
        int at = (row * side + column) * width;
        waves(table, at, width / 4, place(column, side, trained));
        waves(table, at + width / 2, width / 4, place(row, side, trained));
      }
    }
    return Tensor.of(table, 1, side * side, width);
  }

  private static double place(int p, int side, int trained) {
    return (p - (side - trained) / 2.0) * SPAN / trained;
  }

  private static void waves(float[] table, int at, int frequencies, double place) {
    for (int k = 0; k < frequencies; k++) {
      double angle = place * Math.pow(PERIOD, -(double) k / frequencies);
      table[at + k] = (float) Math.sin(angle);
      table[at + frequencies + k] = (float) Math.cos(angle);
    }
  }
}
