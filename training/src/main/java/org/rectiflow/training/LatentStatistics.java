package org.rectiflow.training;

import org.rectiflow.vae.VaeConfig;

/**
 * Mean and standard deviation of all elements of an autoencoder's latents, with which the paper
 * normalises them (Appendix B.2: global, measured on a part of the training data).
 */
public final class LatentStatistics {
  private long count;
  private double mean;
  private double squares;

  /** Takes in more latents, not normalised: samples of the posterior. */
  public void add(float[] latents) {
    for (float value : latents) {
      count++;
      double difference = value - mean;
      mean += difference / count;
      squares += difference * (value - mean);
    }
  }

  /** How many elements were taken in. */
  public long count() {
    return count;
  }

  /** Their mean: the shift factor. */
  public double mean() {
    return mean;
  }

  /** Their standard deviation, one over the scaling factor. */
  public double deviation() {
    return Math.sqrt(squares / count);
  }

  /**
   * The configuration with these latents at mean 0 and deviation 1.
   *
   * @throws IllegalStateException if there are fewer than two different elements
   */
  public VaeConfig applyTo(VaeConfig config) {
    if (count < 2 || !(deviation() > 0)) {
      throw new IllegalStateException(
          "%d latent elements of deviation %s cannot be normalised"
              .formatted(count, count == 0 ? Double.NaN : deviation()));
    }
    return new VaeConfig(
        config.latentChannels(),
        config.widths(),
        config.layersPerBlock(),
        config.groups(),
        (float) (1 / deviation()),
        (float) mean);
  }
}
