package org.rectiflow.evaluation.lab;

import org.rectiflow.scheduler.path.NoisePath;
import org.rectiflow.scheduler.path.Prediction;

/**
 * A perfectly trained network: for data that is a {@link GaussianMixture} it gives the output that
 * minimises the loss, {@code E[p x0 + q epsilon | z]}, whatever is predicted. Samplers run on it as
 * on any model. The minimum depends neither on the density of training timesteps nor on the weight
 * of the loss, so these leave no trace here; in a trained network they do.
 */
public final class ExactModel {

  private final NoisePath path;
  private final Prediction prediction;
  private final GaussianMixture data;
  private final GaussianMixture condition;
  private final double guidance;

  /**
   * An unguided model.
   *
   * @param data what was trained on
   * @param path from data to noise
   * @param prediction what the outputs mean
   */
  public ExactModel(GaussianMixture data, NoisePath path, Prediction prediction) {
    this(data, data, 1, path, prediction);
  }

  private ExactModel(
      GaussianMixture data,
      GaussianMixture condition,
      double guidance,
      NoisePath path,
      Prediction prediction) {
    this.data = data;
    this.condition = condition;
    this.guidance = guidance;
    this.path = path;
    this.prediction = prediction;
  }

  /**
   * The same model under classifier-free guidance: {@code unconditional + guidance (conditional -
   * unconditional)}. Outputs of all predictions combine alike, because at a given z each is a
   * linear function of every other.
   *
   * @param condition the data under the condition, for instance {@link GaussianMixture#component}
   * @param guidance 1 is the conditional model
   * @throws IllegalArgumentException if the condition has another dimension or guidance is not
   *     finite
   */
  public ExactModel guided(GaussianMixture condition, double guidance) {
    if (condition.dimension() != data.dimension()) {
      throw new IllegalArgumentException(
          "the condition has %d dimensions, the data %d"
              .formatted(condition.dimension(), data.dimension()));
    }
    if (!Double.isFinite(guidance)) {
      throw new IllegalArgumentException("guidance must be finite, found " + guidance);
    }
    return new ExactModel(data, condition, guidance, path, prediction);
  }

  /** The path the model was trained on. */
  public NoisePath path() {
    return path;
  }

  /** What the outputs mean. */
  public Prediction prediction() {
    return prediction;
  }

  /** Number of values in a sample. */
  public int dimension() {
    return data.dimension();
  }

  /**
   * The output of the network.
   *
   * @param input what the sampler gives to the network: z times the prediction's input scale
   * @param t the time on the path, in (0, 1]
   */
  public double[] output(double[] input, double t) {
    double scale = prediction.inputScale(path, t);
    double[] z = new double[input.length];
    for (int i = 0; i < z.length; i++) {
      z[i] = input[i] / scale;
    }
    double[] conditional = output(condition, z, t);
    if (guidance == 1) {
      return conditional;
    }
    double[] unconditional = output(data, z, t);
    for (int i = 0; i < unconditional.length; i++) {
      unconditional[i] += guidance * (conditional[i] - unconditional[i]);
    }
    return unconditional;
  }

  /** The same in the precision of the pipeline's samplers. */
  public float[] output(float[] input, double t) {
    double[] wide = new double[input.length];
    for (int i = 0; i < wide.length; i++) {
      wide[i] = input[i];
    }
    double[] output = output(wide, t);
    float[] narrow = new float[output.length];
    for (int i = 0; i < narrow.length; i++) {
      narrow[i] = (float) output[i];
    }
    return narrow;
  }

  private double[] output(GaussianMixture mixture, double[] z, double t) {
    double p = prediction.dataFactor(path, t);
    double q = prediction.noiseFactor(path, t);
    return mixture.posterior(z, path.a(t), path.b(t)).velocity(p, q);
  }
}
