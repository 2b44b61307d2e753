package org.rectiflow.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class ImageMetricsTest {

  @Test
  void psnrOfAKnownError() {
    PixelImage a = constant(3, 4, 5, 0.5f);
    PixelImage b = constant(3, 4, 5, 0.75f);
    assertThat(ImageMetrics.meanSquaredError(a, b)).isEqualTo(0.0625);
    assertThat(ImageMetrics.psnr(a, b, 1)).isCloseTo(10 * Math.log10(16), within(1e-12));
    assertThat(ImageMetrics.psnr(a, b, 2)).isCloseTo(10 * Math.log10(64), within(1e-12));
    assertThat(ImageMetrics.psnr(a, a, 1)).isInfinite();
  }

  @Test
  void psnrDoesNotDependOnTheUnit() {
    PixelImage a = noise(3, 16, 16, 1);
    PixelImage b = noise(3, 16, 16, 2);
    assertThat(ImageMetrics.psnr(scaled(a, 256), scaled(b, 256), 256))
        .isCloseTo(ImageMetrics.psnr(a, b, 1), within(1e-9));
    assertThat(ImageMetrics.ssim(scaled(a, 256), scaled(b, 256), 256))
        .isCloseTo(ImageMetrics.ssim(a, b, 1), within(1e-9));
  }

  @Test
  void ssimOfEqualPicturesIsOne() {
    PixelImage a = noise(3, 20, 13, 3);
    assertThat(ImageMetrics.ssim(a, a, 1)).isCloseTo(1, within(1e-12));
  }

  /** Flat pictures have no variance, so SSIM is its luminance term alone. */
  @Test
  void ssimOfFlatPictures() {
    double c1 = 1e-4;
    double expected = (2 * 0.25 * 0.75 + c1) / (0.0625 + 0.5625 + c1);
    assertThat(ImageMetrics.ssim(constant(1, 12, 12, 0.25f), constant(1, 12, 12, 0.75f), 1))
        .isCloseTo(expected, within(1e-12));
  }

  /** The definition as a plain sum over the 121 pixels of every window. */
  @Test
  void ssimMatchesItsDefinition() {
    PixelImage a = noise(2, 15, 18, 4);
    PixelImage b = noise(2, 15, 18, 5);
    double difference = Math.abs(ImageMetrics.ssim(a, b, 1) - definition(a, b));
    System.out.printf("SSIM against its definition: difference %.3g%n", difference);
    assertThat(difference).isLessThan(1e-12);
  }

  @Test
  void refusesWrongInput() {
    PixelImage small = constant(1, 10, 11, 0);
    assertThatThrownBy(() -> ImageMetrics.ssim(small, small, 1))
        .hasMessageContaining("at least 11 x 11 pixels, found 10 x 11");
    assertThatThrownBy(() -> ImageMetrics.psnr(small, constant(1, 11, 10, 0), 1))
        .hasMessageContaining("1 x 10 x 11 and 1 x 11 x 10");
    assertThatThrownBy(() -> ImageMetrics.psnr(small, small, 0))
        .hasMessageContaining("range must be positive");
    assertThatThrownBy(() -> new PixelImage(1, 2, 2, new float[3]))
        .hasMessageContaining("needs 4 values, found 3");
    assertThatThrownBy(() -> new PixelImage(0, 2, 2, new float[0]))
        .hasMessageContaining("positive sides");
  }

  private static double definition(PixelImage a, PixelImage b) {
    double total = 0;
    int windows = 0;
    for (int c = 0; c < a.channels(); c++) {
      for (int top = 0; top + 11 <= a.height(); top++) {
        for (int left = 0; left + 11 <= a.width(); left++) {
          total += window(a, b, c, top, left);
          windows++;
        }
      }
    }
    return total / windows;
  }

  private static double window(PixelImage a, PixelImage b, int c, int top, int left) {
    double weight = 0;
    double[] sums = new double[5];
    for (int i = 0; i < 11; i++) {
      for (int j = 0; j < 11; j++) {
        double w = Math.exp(-((i - 5) * (i - 5) + (j - 5) * (j - 5)) / 4.5);
        double x = a.at(c, top + i, left + j);
        double y = b.at(c, top + i, left + j);
        weight += w;
        double[] terms = {x, y, x * x, y * y, x * y};
        for (int k = 0; k < 5; k++) {
          sums[k] += w * terms[k];
        }
      }
    }
    double mx = sums[0] / weight;
    double my = sums[1] / weight;
    double vx = sums[2] / weight - mx * mx;
    double vy = sums[3] / weight - my * my;
    double cov = sums[4] / weight - mx * my;
    return (2 * mx * my + 1e-4)
        * (2 * cov + 9e-4)
        / ((mx * mx + my * my + 1e-4) * (vx + vy + 9e-4));
  }

  private static PixelImage constant(int c, int h, int w, float value) {
    float[] data = new float[c * h * w];
    Arrays.fill(data, value);
    return new PixelImage(c, h, w, data);
  }

  private static PixelImage noise(int c, int h, int w, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] data = new float[c * h * w];
    for (int i = 0; i < data.length; i++) {
      data[i] = (float) random.nextDouble();
    }
    return new PixelImage(c, h, w, data);
  }

  private static PixelImage scaled(PixelImage image, float factor) {
    float[] data = image.data().clone();
    for (int i = 0; i < data.length; i++) {
      data[i] *= factor;
    }
    return new PixelImage(image.channels(), image.height(), image.width(), data);
  }
}
