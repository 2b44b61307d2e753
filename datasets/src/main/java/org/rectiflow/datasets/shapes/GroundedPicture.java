package org.rectiflow.datasets.shapes;

import java.util.Arrays;
import org.rectiflow.evaluation.PixelImage;

/** A picture beside its near-white ground: how far pixels are from it, and mixed with it. */
final class GroundedPicture {
  /** Distance in RGB, each in [0, 1], from which a pixel is not ground. */
  private static final double FOREGROUND = 0.18;

  private static final int CHANNELS = 3;

  private final PixelImage picture;
  private final double[] ground;
  private final boolean[] foreground;

  /**
   * Finds the ground.
   *
   * @param picture RGB with values in [0, 1]
   */
  GroundedPicture(PixelImage picture) {
    this.picture = picture;
    ground = ground(picture);
    foreground = new boolean[picture.width() * picture.height()];
    for (int i = 0; i < foreground.length; i++) {
      foreground[i] = distance(i) > FOREGROUND;
    }
  }

  int width() {
    return picture.width();
  }

  int height() {
    return picture.height();
  }

  /** Which pixels are not ground; not to be changed. */
  boolean[] foreground() {
    return foreground;
  }

  double value(int channel, int pixel) {
    return picture.data()[channel * picture.width() * picture.height() + pixel];
  }

  /** Distance of a pixel from the ground. */
  double distance(int pixel) {
    double sum = 0;
    for (int channel = 0; channel < CHANNELS; channel++) {
      double d = value(channel, pixel) - ground[channel];
      sum += d * d;
    }
    return Math.sqrt(sum);
  }

  /** Which share of a pixel is of a colour if the rest is ground. */
  double share(int pixel, double[] color) {
    double dot = 0;
    double square = 0;
    for (int channel = 0; channel < CHANNELS; channel++) {
      double full = color[channel] - ground[channel];
      dot += full * (value(channel, pixel) - ground[channel]);
      square += full * full;
    }
    return Math.clamp(dot / square, 0, 1);
  }

  /** Squared distance of a pixel from the nearest mixture of a colour with the ground. */
  double distance(int pixel, double[] color) {
    double share = share(pixel, color);
    double sum = 0;
    for (int channel = 0; channel < CHANNELS; channel++) {
      double mixed = ground[channel] + share * (color[channel] - ground[channel]);
      sum += (value(channel, pixel) - mixed) * (value(channel, pixel) - mixed);
    }
    return sum;
  }

  /** Median of the light pixels; white where there are hardly any. */
  private static double[] ground(PixelImage picture) {
    int pixels = picture.width() * picture.height();
    float[] data = picture.data();
    int[] light = new int[pixels];
    int count = 0;
    for (int i = 0; i < pixels; i++) {
      if (Math.min(data[i], Math.min(data[pixels + i], data[2 * pixels + i])) > 0.85f) {
        light[count++] = i;
      }
    }
    double[] ground = {
      ShapeColor.GROUND / 255.0, ShapeColor.GROUND / 255.0, ShapeColor.GROUND / 255.0
    };
    if (count >= pixels / 20) {
      for (int channel = 0; channel < CHANNELS; channel++) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
          values[i] = data[channel * pixels + light[i]];
        }
        Arrays.sort(values);
        ground[channel] = values[count / 2];
      }
    }
    return ground;
  }
}
