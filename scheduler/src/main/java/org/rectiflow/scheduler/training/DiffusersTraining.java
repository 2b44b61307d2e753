package org.rectiflow.scheduler.training;

import org.rectiflow.scheduler.TorchGenerator;
import org.rectiflow.scheduler.TrainingTable;
import org.rectiflow.scheduler.density.LogitNormal;
import org.rectiflow.scheduler.density.Mode;

/**
 * {@code diffusers.training_utils} 0.40.0 and its use in the SD3 training scripts, in float32 and
 * in PyTorch's order of operations; for comparing with models trained there. The densities and
 * weights of the paper are those of {@link org.rectiflow.scheduler.density} and {@link
 * org.rectiflow.scheduler.formulation}.
 *
 * <p>Beware of the direction: the scripts read u as a position in the list of timesteps, which
 * descends. A u near 0 is a timestep near 1000, so a positive {@code logitMean} favours data, the
 * opposite of the paper's m. And the list is already shifted: at shift 3, u = 0.5 is sigma 0.75.
 */
public final class DiffusersTraining {

  private DiffusersTraining() {}

  /**
   * {@code compute_density_for_timestep_sampling}: numbers u in [0, 1].
   *
   * @param scheme how they are distributed
   * @param batchSize how many
   * @param logitMean mean of logit(u), used by LOGIT_NORMAL; the scripts' default is 0
   * @param logitStd standard deviation of logit(u), used by LOGIT_NORMAL; the scripts' default is 1
   * @param modeScale s of the mode density, used by MODE; the scripts' default is 1.29
   * @param generator where the random numbers come from
   * @throws IllegalArgumentException if a parameter that is used is out of range
   */
  public static float[] densityForTimestepSampling(
      WeightingScheme scheme,
      int batchSize,
      double logitMean,
      double logitStd,
      double modeScale,
      TorchGenerator generator) {
    return switch (scheme) {
      case LOGIT_NORMAL -> {
        LogitNormal checked = new LogitNormal(logitMean, logitStd);
        yield sigmoid(generator.normal(checked.mean(), checked.std(), batchSize));
      }
      case MODE -> mode(generator.rand(batchSize), new Mode(modeScale).scale());
      case SIGMA_SQRT, COSMAP, NONE -> generator.rand(batchSize);
    };
  }

  private static float[] sigmoid(float[] values) {
    float[] out = new float[values.length];
    for (int i = 0; i < out.length; i++) {
      out[i] = 1f / (1f + (float) Math.exp(-values[i]));
    }
    return out;
  }

  private static float[] mode(float[] uniforms, double modeScale) {
    float[] out = new float[uniforms.length];
    for (int i = 0; i < out.length; i++) {
      float u = uniforms[i];
      float cosine = (float) Math.cos((float) Math.PI * u / 2f);
      out[i] = 1f - u - (float) modeScale * (cosine * cosine - 1f + u);
    }
    return out;
  }

  /** {@code compute_loss_weighting_for_sd3}: the weight of the loss at each sigma. */
  public static float[] lossWeighting(WeightingScheme scheme, float[] sigmas) {
    float[] out = new float[sigmas.length];
    for (int i = 0; i < out.length; i++) {
      float sigma = sigmas[i];
      out[i] =
          switch (scheme) {
            case SIGMA_SQRT -> 1f / (sigma * sigma);
            case COSMAP -> 2f / ((float) Math.PI * (1f - 2f * sigma + 2f * (sigma * sigma)));
            case LOGIT_NORMAL, MODE, NONE -> 1f;
          };
    }
    return out;
  }

  /**
   * The entries of the scheduler's list that the scripts train on, floor(u * T). Since the list
   * descends, u = 0 is the noisiest entry. Where rounding gives u = 1, on which diffusers fails
   * with an index error, the last entry is taken.
   *
   * @throws IllegalArgumentException if a u lies outside [0, 1]
   */
  public static int[] indices(float[] u, TrainingTable table) {
    int[] out = new int[u.length];
    for (int i = 0; i < out.length; i++) {
      if (!(u[i] >= 0 && u[i] <= 1)) {
        throw new IllegalArgumentException("u must lie in [0, 1], found " + u[i] + ".");
      }
      out[i] = Math.min((int) (u[i] * table.size()), table.size() - 1);
    }
    return out;
  }
}
