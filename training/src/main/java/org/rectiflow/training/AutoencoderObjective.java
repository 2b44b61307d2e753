package org.rectiflow.training;

import java.util.Map;
import java.util.Optional;
import org.rectiflow.engine.Activation;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Graph.Scope;
import org.rectiflow.engine.Recompute;
import org.rectiflow.engine.Value;
import org.rectiflow.vae.Autoencoder;
import org.rectiflow.vae.VaeConfig;

/**
 * The training loss of the autoencoder without an adversarial term: mean absolute error of the
 * reconstruction, plus the weighed mean, over the latent's elements, of the posterior's
 * Kullback-Leibler divergence from the normal distribution, plus, where asked for, a weighed {@link
 * PerceptualTerm}.
 */
public final class AutoencoderObjective {
  /** diffusers bounds the logarithm of the variance. */
  private static final float MIN_LOGVAR = -30;

  private static final float MAX_LOGVAR = 20;

  private AutoencoderObjective() {}

  /** The objective without a perceptual term. */
  public static Objective of(
      Autoencoder model, int batch, int height, int width, float divergenceWeight) {
    return of(model, batch, height, width, divergenceWeight, Optional.empty(), Recompute.NONE);
  }

  /**
   * The objective for one size of batch and picture. Data: {@code pixels} [B, 3, H, W] in -1 to 1;
   * {@code noise} [B, latentChannels, H/8, W/8], standard normal. Besides the loss it returns
   * {@code reconstruction}, {@code divergence} and, if there is one, {@code perceptual}, its terms
   * before weighing, and {@code decoded}.
   *
   * @param divergenceWeight factor of the divergence's mean
   * @param perceptual what compares pictures besides their pixels; its network is not trained
   * @param recompute what the backward pass computes again to save memory: the blocks of each
   *     resolution
   */
  public static Objective of(
      Autoencoder model,
      int batch,
      int height,
      int width,
      float divergenceWeight,
      Optional<PerceptualTerm> perceptual,
      Recompute recompute) {
    VaeConfig config = model.config();
    Graph g = new Graph();
    Trainables trainables = new Trainables(g, _ -> true);
    Value pixels = g.input("pixels", batch, 3, height, width);
    Map<String, Value> posterior;
    try (Scope _ = g.scope("encoder")) {
      posterior =
          g.include(
              model.encoder(batch, height, width), Map.of("pixels", pixels), trainables::record);
    }
    Value mean = posterior.get("mean");
    Value logvar = g.clamp(posterior.get("logvar"), MIN_LOGVAR, MAX_LOGVAR);
    Value noise = g.input("noise", mean.shape().dims());
    Value deviation = g.activate(Activation.EXP, g.affine(logvar, 0.5f, 0));
    Value z = g.add(mean, g.mul(deviation, noise));
    float scale = config.scalingFactor();
    Value latent = g.affine(z, scale, -scale * config.shiftFactor());
    int factor = config.factor();
    Value decoded;
    try (Scope _ = g.scope("decoder")) {
      decoded =
          g.include(
                  model.decoder(batch, height / factor, width / factor),
                  Map.of("latent", latent),
                  trainables::record)
              .get("pixels");
    }
    Value reconstruction = g.meanAbsoluteError(decoded, pixels);
    Value divergence = divergence(g, mean, logvar);
    g.output("reconstruction", reconstruction);
    g.output("divergence", divergence);
    g.output("decoded", decoded);
    Value loss = g.add(reconstruction, g.affine(divergence, divergenceWeight, 0));
    if (perceptual.isPresent()) {
      Value distance = perceptual.get().record(g, decoded, pixels);
      g.output("perceptual", distance);
      loss = g.add(loss, g.affine(distance, perceptual.get().weight(), 0));
    }
    trainables.differentiate(loss, recompute);
    return new Objective(g, trainables.initial());
  }

  /** The mean of (mean^2 + variance - 1 - log variance) / 2. */
  private static Value divergence(Graph g, Value mean, Value logvar) {
    Value variance = g.activate(Activation.EXP, logvar);
    Value excess = g.affine(g.subtract(variance, logvar), 0.5f, -0.5f);
    return g.mean(g.add(g.affine(g.mul(mean, mean), 0.5f, 0), excess));
  }
}
