package org.rectiflow.tornado.kernels;

/** What kernels with results in registers share. */
final class Tile {
  private Tile() {}

  /** One of four values; lets a loop go over registers. */
  static float pick(int i, float a, float b, float c, float d) {
    float value = a;
    if (i == 1) {
      value = b;
    } else if (i == 2) {
      value = c;
    } else if (i == 3) {
      value = d;
    }
    return value;
  }

  /** The smaller of {@code i} and {@code most}. */
  static int atMost(int i, int most) {
    int value = i;
    if (most < i) {
      value = most;
    }
    return value;
  }
}
