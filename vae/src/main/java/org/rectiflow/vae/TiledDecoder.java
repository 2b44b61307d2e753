package org.rectiflow.vae;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;

/**
 * Decodes a large latent in overlapping square tiles, so that memory grows with the tile and not
 * with the picture. Where tiles overlap they are mixed by weights that fall smoothly to zero at a
 * tile's edge, so no seam is left; because norms and attention see one tile at a time the result
 * differs a little from decoding at once.
 *
 * @param tile side of a tile in latent pixels
 * @param overlap latent pixels two neighbours share at least
 * @param factor pixels per latent pixel
 */
public record TiledDecoder(int tile, int overlap, int factor) {
  /** The smallest side of a tile in latent pixels. */
  public static final int LEAST_TILE = 8;

  public TiledDecoder {
    if (tile < LEAST_TILE || overlap < 1 || overlap > tile / 2) {
      throw new IllegalArgumentException(
          "a tile must have at least %d latent pixels and overlap by 1 to half of its side, got a tile of %d and an overlap of %d"
              .formatted(LEAST_TILE, tile, overlap));
    }
  }

  /**
   * Decodes.
   *
   * @param latent [1, C, h, w]
   * @param decode decodes one tile [1, C, th, tw] to [1, 3, factor th, factor tw]; th and tw are
   *     the tile's side, or the latent's where that is smaller
   * @return [1, 3, factor h, factor w]
   */
  public Tensor decode(Tensor latent, Function<Tensor, Tensor> decode) {
    Shape shape = latent.shape();
    int height = shape.dim(2);
    int width = shape.dim(3);
    int th = Math.min(tile, height);
    int tw = Math.min(tile, width);
    int outHeight = height * factor;
    int outWidth = width * factor;
    double[] sum = new double[3 * outHeight * outWidth];
    double[] weight = new double[outHeight * outWidth];
    double[] rowRamp = ramp(th * factor, height > th);
    double[] columnRamp = ramp(tw * factor, width > tw);
    for (int top : starts(height, th)) {
      for (int left : starts(width, tw)) {
        float[] pixels = decode.apply(crop(latent, top, left, th, tw)).data();
        for (int y = 0; y < th * factor; y++) {
          for (int x = 0; x < tw * factor; x++) {
            double w = rowRamp[y] * columnRamp[x];
            int at = (top * factor + y) * outWidth + left * factor + x;
            weight[at] += w;
            for (int c = 0; c < 3; c++) {
              float pixel = pixels[(c * th * factor + y) * tw * factor + x];
              sum[c * outHeight * outWidth + at] += w * pixel;
            }
          }
        }
      }
    }
    float[] out = new float[sum.length];
    for (int i = 0; i < out.length; i++) {
      out[i] = (float) (sum[i] / weight[i % weight.length]);
    }
    return Tensor.of(out, 1, 3, outHeight, outWidth);
  }

  /** Evenly spread tile positions that cover {@code size} with at least the overlap asked for. */
  private List<Integer> starts(int size, int side) {
    List<Integer> starts = new ArrayList<>();
    int steps = size <= side ? 0 : Math.ceilDiv(size - side, side - overlap);
    for (int i = 0; i <= steps; i++) {
      starts.add(steps == 0 ? 0 : Math.round((float) i * (size - side) / steps));
    }
    return starts;
  }

  /** Raised-cosine weights, small but never zero at the ends; flat if there is only one tile. */
  private static double[] ramp(int pixels, boolean several) {
    double[] ramp = new double[pixels];
    for (int i = 0; i < pixels; i++) {
      ramp[i] = several ? 0.5 - 0.5 * Math.cos(2 * Math.PI * (i + 0.5) / pixels) : 1;
    }
    return ramp;
  }

  private static Tensor crop(Tensor latent, int top, int left, int height, int width) {
    int channels = latent.shape().dim(1);
    int rows = latent.shape().dim(2);
    int columns = latent.shape().dim(3);
    float[] part = new float[channels * height * width];
    for (int c = 0; c < channels; c++) {
      for (int y = 0; y < height; y++) {
        int from = (c * rows + top + y) * columns + left;
        System.arraycopy(latent.data(), from, part, (c * height + y) * width, width);
      }
    }
    return Tensor.of(part, 1, channels, height, width);
  }
}
