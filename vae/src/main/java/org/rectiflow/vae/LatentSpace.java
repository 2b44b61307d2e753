package org.rectiflow.vae;

import org.rectiflow.engine.Tensor;

/** Between the encoder's posterior and the latents that the transformer works on. */
public final class LatentSpace {
  private static final float MIN_LOGVAR = -30;
  private static final float MAX_LOGVAR = 20;

  private LatentSpace() {}

  /**
   * A sample of the posterior: {@code mean + exp(logvar / 2) noise}, logvar clamped to [-30, 20].
   *
   * @param noise standard normal values shaped as the mean
   */
  public static Tensor sample(Tensor mean, Tensor logvar, Tensor noise) {
    float[] z = new float[mean.data().length];
    for (int i = 0; i < z.length; i++) {
      float clamped = Math.clamp(logvar.data()[i], MIN_LOGVAR, MAX_LOGVAR);
      z[i] = mean.data()[i] + (float) Math.exp(0.5 * clamped) * noise.data()[i];
    }
    return new Tensor(mean.shape(), z);
  }

  /** Normalises: {@code (z - shift) * scale} (paper, Appendix B.2: global mean and deviation). */
  public static Tensor normalise(Tensor z, VaeConfig config) {
    float[] latent = new float[z.data().length];
    for (int i = 0; i < latent.length; i++) {
      latent[i] = (z.data()[i] - config.shiftFactor()) * config.scalingFactor();
    }
    return new Tensor(z.shape(), latent);
  }
}
