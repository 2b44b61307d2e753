package org.rectiflow.evaluation;

/** A picture as numbers in [channels, height, width] order, usually in [0, 1]. */
public final class PixelImage {

  private final int channels;
  private final int height;
  private final int width;
  private final float[] data;

  /**
   * A picture of these values, which are not copied.
   *
   * @param channels number of channels, 3 for RGB
   * @param height pixels
   * @param width pixels
   * @param data channels x height x width values
   * @throws IllegalArgumentException if a side is not positive or the data have another length
   */
  public PixelImage(int channels, int height, int width, float[] data) {
    if (channels < 1 || height < 1 || width < 1) {
      throw new IllegalArgumentException(
          "a picture needs positive sides, found %d x %d x %d".formatted(channels, height, width));
    }
    if (data.length != (long) channels * height * width) {
      throw new IllegalArgumentException(
          "a %d x %d x %d picture needs %d values, found %d"
              .formatted(channels, height, width, (long) channels * height * width, data.length));
    }
    this.channels = channels;
    this.height = height;
    this.width = width;
    this.data = data;
  }

  /** Number of channels. */
  public int channels() {
    return channels;
  }

  /** Rows of pixels. */
  public int height() {
    return height;
  }

  /** Columns of pixels. */
  public int width() {
    return width;
  }

  /** The values themselves, not a copy. */
  public float[] data() {
    return data;
  }

  /** The value at one place. */
  public float at(int channel, int row, int column) {
    return data[(channel * height + row) * width + column];
  }

  void requireSameShape(PixelImage other) {
    if (channels != other.channels || height != other.height || width != other.width) {
      throw new IllegalArgumentException(
          "the pictures differ in shape: %d x %d x %d and %d x %d x %d (channels, height, width)"
              .formatted(channels, height, width, other.channels, other.height, other.width));
    }
  }
}
