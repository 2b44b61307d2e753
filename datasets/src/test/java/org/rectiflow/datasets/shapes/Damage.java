package org.rectiflow.datasets.shapes;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Random;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.ImageOutputStream;
import org.rectiflow.evaluation.PixelImage;

/** What a model's pictures suffer from. */
final class Damage {
  private Damage() {}

  /** Normal noise of a standard deviation, values clamped to [0, 1]. */
  static PixelImage noise(PixelImage picture, double deviation, long seed) {
    Random random = new Random(seed);
    float[] data = picture.data().clone();
    for (int i = 0; i < data.length; i++) {
      data[i] = Math.clamp(data[i] + (float) (deviation * random.nextGaussian()), 0f, 1f);
    }
    return new PixelImage(3, picture.height(), picture.width(), data);
  }

  /** Gaussian blur of a standard deviation in pixels. */
  static PixelImage blur(PixelImage picture, double sigma) {
    return blur(blur(picture, sigma, 0, 1), sigma, 1, 0);
  }

  private static PixelImage blur(PixelImage picture, double sigma, int down, int right) {
    int reach = (int) Math.ceil(4 * sigma);
    int height = picture.height();
    int width = picture.width();
    float[] data = new float[3 * height * width];
    for (int i = 0; i < data.length; i++) {
      double sum = 0;
      double weights = 0;
      for (int k = -reach; k <= reach; k++) {
        double weight = Math.exp(-k * k / (2 * sigma * sigma));
        int row = Math.clamp(i / width % height + k * down, 0, height - 1);
        int column = Math.clamp(i % width + k * right, 0, width - 1);
        sum += weight * picture.at(i / (width * height), row, column);
        weights += weight;
      }
      data[i] = (float) (sum / weights);
    }
    return new PixelImage(3, height, width, data);
  }

  /** Written as JPEG of a quality in [0, 1] and read back. */
  static PixelImage jpeg(PixelImage picture, float quality) {
    int height = picture.height();
    int width = picture.width();
    BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < width * height; i++) {
      int rgb = 0;
      for (int channel = 0; channel < 3; channel++) {
        rgb = rgb << 8 | Math.round(picture.at(channel, i / width, i % width) * 255);
      }
      image.setRGB(i % width, i / width, rgb);
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
    try (ImageOutputStream out = ImageIO.createImageOutputStream(bytes)) {
      ImageWriteParam param = writer.getDefaultWriteParam();
      param.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
      param.setCompressionQuality(quality);
      writer.setOutput(out);
      writer.write(null, new IIOImage(image, null, null), param);
      out.flush();
      image = ImageIO.read(new ByteArrayInputStream(bytes.toByteArray()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      writer.dispose();
    }
    float[] data = new float[3 * height * width];
    for (int i = 0; i < data.length; i++) {
      int pixel = i % (width * height);
      int rgb = image.getRGB(pixel % width, pixel / width);
      data[i] = ((rgb >> (16 - 8 * (i / (width * height)))) & 255) / 255f;
    }
    return new PixelImage(3, height, width, data);
  }
}
