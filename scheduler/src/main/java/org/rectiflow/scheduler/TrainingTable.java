package org.rectiflow.scheduler;

/**
 * The discrete times of training in diffusers 0.40.0: float32, descending, shifted statically,
 * without a final 0. What a flow-match scheduler holds after its constructor, and what diffusers'
 * training scripts index. Immutable.
 */
public final class TrainingTable {

  private final float[] sigmas;
  private final float[] timesteps;

  private TrainingTable(float[] sigmas, float[] timesteps) {
    this.sigmas = sigmas;
    this.timesteps = timesteps;
  }

  static TrainingTable of(int count, double shift) {
    float[] sigmas = new float[count];
    float[] timesteps = new float[count];
    float factor = (float) shift;
    float excess = (float) (shift - 1);
    for (int i = 0; i < count; i++) {
      float linear = (float) (count - i) / count;
      sigmas[i] = factor * linear / (1f + excess * linear);
      timesteps[i] = sigmas[i] * count;
    }
    return new TrainingTable(sigmas, timesteps);
  }

  /** Number of entries, numTrainTimesteps. */
  public int size() {
    return sigmas.length;
  }

  /** Sigma of entry i; entry 0 is the largest. */
  public float sigma(int i) {
    return sigmas[i];
  }

  /** Timestep of entry i, sigma * size. */
  public float timestep(int i) {
    return timesteps[i];
  }

  /** A copy of the sigmas. */
  public float[] sigmas() {
    return sigmas.clone();
  }

  /** A copy of the timesteps. */
  public float[] timesteps() {
    return timesteps.clone();
  }

  /** The first sigma. */
  public double sigmaMax() {
    return sigmas[0];
  }

  /** The last sigma, after the shift. */
  public double sigmaMin() {
    return sigmas[sigmas.length - 1];
  }

  /** The entry with exactly this timestep; see {@link Schedule#indexForTimestep}. */
  public int indexForTimestep(float timestep) {
    return TimestepTable.indexOf(timesteps, timestep);
  }

  /** The forward process at entries of this table; see {@link Schedule#scaleNoise}. */
  public float[] scaleNoise(float[] sample, float[] noise, int... indices) {
    return TimestepTable.scaleNoise(sigmas, sample, noise, indices);
  }

  /**
   * {@code steps} sigmas from the largest to the smallest at equal distances, computed on timesteps
   * in float64.
   */
  double[] linearSigmas(int steps) {
    int count = sigmas.length;
    double[] values = SigmaTransforms.linspace(sigmaMax() * count, sigmaMin() * count, steps);
    for (int i = 0; i < values.length; i++) {
      values[i] /= count;
    }
    return values;
  }
}
