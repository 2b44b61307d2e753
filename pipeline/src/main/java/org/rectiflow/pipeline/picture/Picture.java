package org.rectiflow.pipeline.picture;

import org.rectiflow.engine.Tensor;

/**
 * An 8-bit RGB picture.
 *
 * @param width pixels
 * @param height pixels
 * @param rgb three bytes a pixel, row by row
 */
public record Picture(int width, int height, byte[] rgb) {
  public Picture {
    if (rgb.length != 3 * width * height) {
      throw new IllegalArgumentException(rgb.length + " bytes for " + width + "x" + height);
    }
  }

  /** How a value in [0, 1] becomes one of 256 levels. */
  public enum Rounding {
    /** To the nearest level, ties to the even one: diffusers (numpy). */
    NEAREST,
    /** Down: Stability's reference code. */
    DOWN
  }

  /**
   * From what the autoencoder puts out.
   *
   * @param pixels [1, 3, H, W], -1 black and 1 white; values beyond are clamped
   */
  public static Picture of(Tensor pixels, Rounding rounding) {
    int height = pixels.shape().dim(2);
    int width = pixels.shape().dim(3);
    byte[] rgb = new byte[3 * width * height];
    for (int c = 0; c < 3; c++) {
      for (int i = 0; i < width * height; i++) {
        float level = unit(pixels.data()[c * width * height + i]) * 255;
        rgb[3 * i + c] =
            (byte) (int) (rounding == Rounding.NEAREST ? Math.rint(level) : Math.floor(level));
      }
    }
    return new Picture(width, height, rgb);
  }

  /** -1 to 1 mapped to 0 to 1 and clamped, in float as diffusers does. */
  public static float unit(float pixel) {
    return Math.clamp(pixel * 0.5f + 0.5f, 0f, 1f);
  }
}
