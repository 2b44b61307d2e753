package org.rectiflow.evaluation;

/**
 * PSNR and SSIM, the two reconstruction metrics of Table 3 that need no network. The paper does not
 * say which SSIM it uses; this is the one of Wang et al. 2004, the usual default: Gaussian window
 * of 11 x 11 with standard deviation 1.5, K1 = 0.01, K2 = 0.03, windows wholly inside the picture,
 * population moments, mean over windows and channels.
 */
public final class ImageMetrics {

  private static final int WINDOW = 11;
  private static final double WINDOW_STD = 1.5;
  private static final double K1 = 0.01;
  private static final double K2 = 0.03;

  private ImageMetrics() {}

  /** Mean squared difference over all pixels and channels. */
  public static double meanSquaredError(PixelImage a, PixelImage b) {
    a.requireSameShape(b);
    double sum = 0;
    for (int i = 0; i < a.data().length; i++) {
      double difference = (double) a.data()[i] - b.data()[i];
      sum += difference * difference;
    }
    return sum / a.data().length;
  }

  /**
   * Peak signal-to-noise ratio {@code 10 log10(range^2 / MSE)} in decibels; infinite for equal
   * pictures.
   *
   * @param range distance between the smallest and the largest possible value: 1 for [0, 1], 2 for
   *     [-1, 1], 255 for bytes
   * @throws IllegalArgumentException if shapes differ or range is not positive
   */
  public static double psnr(PixelImage a, PixelImage b, double range) {
    requireRange(range);
    return 10 * Math.log10(range * range / meanSquaredError(a, b));
  }

  /**
   * Structural similarity, 1 for equal pictures.
   *
   * @param range as in {@link #psnr}
   * @throws IllegalArgumentException if shapes differ, range is not positive, or a side is shorter
   *     than the window of 11 pixels
   */
  public static double ssim(PixelImage a, PixelImage b, double range) {
    requireRange(range);
    a.requireSameShape(b);
    if (a.height() < WINDOW || a.width() < WINDOW) {
      throw new IllegalArgumentException(
          "SSIM needs at least %d x %d pixels, found %d x %d"
              .formatted(WINDOW, WINDOW, a.height(), a.width()));
    }
    double sum = 0;
    for (int c = 0; c < a.channels(); c++) {
      sum += channelSsim(plane(a, c), plane(b, c), a.height(), a.width(), range);
    }
    return sum / a.channels();
  }

  private static double channelSsim(double[] x, double[] y, int height, int width, double range) {
    double c1 = K1 * range * K1 * range;
    double c2 = K2 * range * K2 * range;
    double[] window = window();
    double[] meanX = filter(x, height, width, window);
    double[] meanY = filter(y, height, width, window);
    double[] meanXx = filter(product(x, x), height, width, window);
    double[] meanYy = filter(product(y, y), height, width, window);
    double[] meanXy = filter(product(x, y), height, width, window);
    double sum = 0;
    for (int i = 0; i < meanX.length; i++) {
      double mx = meanX[i];
      double my = meanY[i];
      double varX = meanXx[i] - mx * mx;
      double varY = meanYy[i] - my * my;
      double cov = meanXy[i] - mx * my;
      sum += (2 * mx * my + c1) * (2 * cov + c2) / ((mx * mx + my * my + c1) * (varX + varY + c2));
    }
    return sum / meanX.length;
  }

  /** The window's normalised weights along one axis; the 2-D window is their outer product. */
  private static double[] window() {
    double[] weights = new double[WINDOW];
    double sum = 0;
    for (int i = 0; i < WINDOW; i++) {
      double offset = (i - WINDOW / 2) / WINDOW_STD;
      weights[i] = Math.exp(-0.5 * offset * offset);
      sum += weights[i];
    }
    for (int i = 0; i < WINDOW; i++) {
      weights[i] /= sum;
    }
    return weights;
  }

  /** Windowed means at every place where the window fits: rows first, then columns. */
  private static double[] filter(double[] plane, int height, int width, double[] window) {
    int outHeight = height - WINDOW + 1;
    int outWidth = width - WINDOW + 1;
    double[] rows = new double[height * outWidth];
    for (int r = 0; r < height; r++) {
      for (int c = 0; c < outWidth; c++) {
        double sum = 0;
        for (int k = 0; k < WINDOW; k++) {
          sum += window[k] * plane[r * width + c + k];
        }
        rows[r * outWidth + c] = sum;
      }
    }
    double[] out = new double[outHeight * outWidth];
    for (int r = 0; r < outHeight; r++) {
      for (int c = 0; c < outWidth; c++) {
        double sum = 0;
        for (int k = 0; k < WINDOW; k++) {
          sum += window[k] * rows[(r + k) * outWidth + c];
        }
        out[r * outWidth + c] = sum;
      }
    }
    return out;
  }

  private static double[] plane(PixelImage image, int channel) {
    int size = image.height() * image.width();
    double[] plane = new double[size];
    for (int i = 0; i < size; i++) {
      plane[i] = image.data()[channel * size + i];
    }
    return plane;
  }

  private static double[] product(double[] x, double[] y) {
    double[] product = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      product[i] = x[i] * y[i];
    }
    return product;
  }

  private static void requireRange(double range) {
    if (!(range > 0) || Double.isInfinite(range)) {
      throw new IllegalArgumentException("range must be positive and finite, found " + range);
    }
  }
}
