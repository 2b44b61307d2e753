package org.rectiflow.datasets.files;

import java.awt.image.BufferedImage;
import java.awt.image.Raster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Locale;
import javax.imageio.ImageIO;
import org.rectiflow.evaluation.PixelImage;

/** Reads PNG and JPEG files. */
public final class PictureFile {
  private static final int OPAQUE = 255;

  private PictureFile() {}

  /** Whether a file's name says that it is a picture that can be read. */
  public static boolean isPicture(Path file) {
    String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
    return name.endsWith(".png") || name.endsWith(".jpg") || name.endsWith(".jpeg");
  }

  /**
   * A picture as RGB in [0, 1]; what is transparent lies on white. A rotation noted in a JPEG
   * file's EXIF data is not followed.
   *
   * @throws IOException if it cannot be read; the message names the file
   */
  public static PixelImage read(Path file) throws IOException {
    BufferedImage image;
    try (var in = Files.newInputStream(file)) {
      image = ImageIO.read(in);
    } catch (NoSuchFileException e) {
      throw new IOException("there is no picture " + file, e);
    } catch (IOException | RuntimeException e) {
      // Decoders answer some broken files with other exceptions than IOException.
      throw new IOException(
          "cannot read the picture %s: %s; replace it, or take it and its caption out"
              .formatted(file, e.getMessage()),
          e);
    }
    if (image == null) {
      throw new IOException(
          "%s is neither a PNG nor a JPEG file, whatever its name; replace it, or take it and its caption out"
              .formatted(file));
    }
    return image.getRaster().getNumBands() < 3 && image.getColorModel().getNumColorComponents() == 1
        ? grey(image)
        : color(image);
  }

  /** Grey levels as they are stored: getRGB would take them for linear light and brighten them. */
  private static PixelImage grey(BufferedImage image) {
    Raster raster = image.getRaster();
    int width = image.getWidth();
    int height = image.getHeight();
    int most = (1 << raster.getSampleModel().getSampleSize(0)) - 1;
    float[] data = new float[3 * width * height];
    for (int i = 0; i < width * height; i++) {
      int x = i % width;
      int y = i / width;
      float level = (float) raster.getSample(x, y, 0) / most;
      if (raster.getNumBands() == 2) {
        float alpha = (float) raster.getSample(x, y, 1) / most;
        level = alpha * level + 1 - alpha;
      }
      for (int channel = 0; channel < 3; channel++) {
        data[channel * width * height + i] = level;
      }
    }
    return new PixelImage(3, height, width, data);
  }

  private static PixelImage color(BufferedImage image) {
    int width = image.getWidth();
    int height = image.getHeight();
    int[] argb = image.getRGB(0, 0, width, height, null, 0, width);
    float[] data = new float[3 * width * height];
    for (int i = 0; i < argb.length; i++) {
      int alpha = argb[i] >>> 24;
      for (int channel = 0; channel < 3; channel++) {
        int level = (argb[i] >> (16 - 8 * channel)) & 255;
        data[channel * argb.length + i] =
            alpha == OPAQUE
                ? level / 255f
                : (alpha * level + (OPAQUE - alpha) * 255) / (255f * OPAQUE);
      }
    }
    return new PixelImage(3, height, width, data);
  }
}
