package org.rectiflow.engine.cpu.kernels;

/**
 * Two-dimensional convolution (cross-correlation, as everywhere in deep learning) of NCHW
 * activations by implicit matrix multiplication: nothing of the size of the picture is rearranged.
 *
 * <p>By {@link WinogradConv} where that is possible and less work, else by {@link DirectConv}.
 */
public final class Conv2d {
  /**
   * Sizes of a convolution.
   *
   * @param batch N
   * @param inChannels I
   * @param height rows of the input as stored
   * @param width columns of the input as stored
   * @param outChannels O
   * @param kernelHeight kh
   * @param kernelWidth kw
   * @param stride step between outputs in both directions
   * @param padTop rows of zeros above
   * @param padLeft columns of zeros to the left
   * @param padBottom rows of zeros below
   * @param padRight columns of zeros to the right
   * @param upsample 1, or 2 to double the input first (nearest neighbour)
   */
  public record Shape(
      int batch,
      int inChannels,
      int height,
      int width,
      int outChannels,
      int kernelHeight,
      int kernelWidth,
      int stride,
      int padTop,
      int padLeft,
      int padBottom,
      int padRight,
      int upsample) {
    /** Checks the sizes. */
    public Shape {
      if (batch < 1
          || inChannels < 1
          || height < 1
          || width < 1
          || outChannels < 1
          || kernelHeight < 1
          || kernelWidth < 1
          || stride < 1
          || padTop < 0
          || padLeft < 0
          || padBottom < 0
          || padRight < 0
          || upsample < 1) {
        throw new IllegalArgumentException(
            "convolution needs sizes, stride and upsampling of at least 1 and padding of at least 0, found batch "
                + batch
                + ", channels "
                + inChannels
                + " -> "
                + outChannels
                + ", input "
                + height
                + "x"
                + width
                + ", kernel "
                + kernelHeight
                + "x"
                + kernelWidth
                + ", stride "
                + stride
                + ", padding "
                + padTop
                + ","
                + padLeft
                + ","
                + padBottom
                + ","
                + padRight
                + ", upsample "
                + upsample);
      }
      if (height * upsample + padTop + padBottom < kernelHeight
          || width * upsample + padLeft + padRight < kernelWidth) {
        throw new IllegalArgumentException(
            "convolution kernel "
                + kernelHeight
                + "x"
                + kernelWidth
                + " is larger than the padded input "
                + (height * upsample + padTop + padBottom)
                + "x"
                + (width * upsample + padLeft + padRight));
      }
    }

    /** A convolution with the same padding on all sides. */
    public static Shape of(
        int batch,
        int inChannels,
        int height,
        int width,
        int outChannels,
        int kernel,
        int stride,
        int pad) {
      return new Shape(
          batch,
          inChannels,
          height,
          width,
          outChannels,
          kernel,
          kernel,
          stride,
          pad,
          pad,
          pad,
          pad,
          1);
    }

    /** The same after doubling the input. */
    public Shape upsampled(int factor) {
      return new Shape(
          batch,
          inChannels,
          height,
          width,
          outChannels,
          kernelHeight,
          kernelWidth,
          stride,
          padTop,
          padLeft,
          padBottom,
          padRight,
          factor);
    }

    /** Rows of the output. */
    public int outHeight() {
      return (height * upsample + padTop + padBottom - kernelHeight) / stride + 1;
    }

    /** Columns of the output. */
    public int outWidth() {
      return (width * upsample + padLeft + padRight - kernelWidth) / stride + 1;
    }
  }

  private Conv2d() {}

  /** Computes a convolution. */
  public static void run(Workers workers, Convolution conv) {
    if (WinogradConv.fits(conv.shape())) {
      new WinogradConv(conv).run(workers);
    } else {
      new DirectConv(conv).run(workers);
    }
  }
}
