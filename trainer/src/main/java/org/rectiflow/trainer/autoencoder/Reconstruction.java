package org.rectiflow.trainer.autoencoder;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.rectiflow.datasets.Dataset;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Executable;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.Value;
import org.rectiflow.evaluation.ImageMetrics;
import org.rectiflow.evaluation.PixelImage;
import org.rectiflow.trainer.Task.Validation;
import org.rectiflow.trainer.data.PixelBatch;
import org.rectiflow.trainer.data.Pixels;
import org.rectiflow.trainer.transformer.ValueGraph;
import org.rectiflow.vae.Autoencoder;

/**
 * Pictures through encoder and decoder, the latent being the mean of its posterior: what the paper
 * measures with PSNR and SSIM (Table 3).
 */
final class Reconstruction implements AutoCloseable {
  private static final int GROUP = 32;

  private final Executable executable;
  private final Map<String, Tensor> values;
  private final int side;

  /**
   * @param values the trained tensors
   * @param side the pictures' width and height
   */
  Reconstruction(Autoencoder model, Map<String, Tensor> values, int side, Backend backend) {
    this.values = values;
    this.side = side;
    Graph g = new Graph();
    Map<String, Value> posterior =
        g.include(model.encoder(GROUP, side, side), Map.of(), g::parameter);
    Value mean = posterior.get("mean");
    float scale = model.config().scalingFactor();
    Value latent = g.affine(mean, scale, -scale * model.config().shiftFactor());
    int small = side / model.config().factor();
    Graph decoder = model.decoder(GROUP, small, small);
    g.output("decoded", g.include(decoder, Map.of("latent", latent), g::parameter).get("pixels"));
    g.output("mean", mean);
    g.output("logvar", posterior.get("logvar"));
    executable = backend.compile("reconstruction", ValueGraph.of(g, values).graph());
  }

  /**
   * One group of pictures.
   *
   * @param count how many there are; what follows them is surplus
   */
  record Group(int count, Tensor pixels, Tensor decoded, Tensor mean, Tensor logvar) {}

  /** The pictures from {@code from} on, a group at most; the last is repeated to fill it. */
  Group run(Dataset data, int from) {
    int count = Math.min(GROUP, data.size() - from);
    int[] indices = new int[GROUP];
    Arrays.setAll(indices, i -> from + Math.min(i, count - 1));
    Tensor pixels = PixelBatch.of(data, indices, side).pixels();
    Map<String, Tensor> out =
        executable.run(ValueGraph.feeds(Map.of("pixels", Feed.of(pixels)), values));
    return new Group(count, pixels, out.get("decoded"), out.get("mean"), out.get("logvar"));
  }

  /**
   * Means over all pictures: {@code l1} of the pixels in -1 to 1, {@code divergence} per element of
   * the latent, {@code psnr} in decibels and {@code ssim} of levels in 0 to 1.
   *
   * @param divergenceWeight the loss is l1 plus this times divergence
   */
  Validation validate(Dataset data, double divergenceWeight) {
    double[] sums = new double[4];
    for (int from = 0; from < data.size(); from += GROUP) {
      Group group = run(data, from);
      for (int i = 0; i < group.count(); i++) {
        sums[0] += absolute(group.pixels().row(i).data(), group.decoded().row(i).data());
        sums[1] += divergence(group.mean().row(i).data(), group.logvar().row(i).data());
        PixelImage original = Pixels.picture(group.pixels(), i);
        PixelImage decoded = Pixels.picture(group.decoded(), i);
        sums[2] += ImageMetrics.psnr(original, decoded, 1);
        sums[3] += ImageMetrics.ssim(original, decoded, 1);
      }
    }
    Map<String, Double> details = new LinkedHashMap<>();
    String[] names = {"l1", "divergence", "psnr", "ssim"};
    for (int i = 0; i < names.length; i++) {
      details.put(names[i], sums[i] / data.size());
    }
    return new Validation(
        details.get("l1") + divergenceWeight * details.get("divergence"), details);
  }

  private static double absolute(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += Math.abs((double) a[i] - b[i]);
    }
    return sum / a.length;
  }

  private static double divergence(float[] mean, float[] logvar) {
    double sum = 0;
    for (int i = 0; i < mean.length; i++) {
      double log = Math.clamp(logvar[i], -30, 20);
      sum += 0.5 * ((double) mean[i] * mean[i] + Math.exp(log) - 1 - log);
    }
    return sum / mean.length;
  }

  @Override
  public void close() {
    executable.close();
  }
}
