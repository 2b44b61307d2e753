package org.rectiflow.trainer.transformer;

import java.util.LinkedHashMap;
import java.util.Map;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Executable;
import org.rectiflow.engine.Tensor;
import org.rectiflow.mmdit.VelocityModel;
import org.rectiflow.scheduler.formulation.Formulation;
import org.rectiflow.trainer.Task.Validation;
import org.rectiflow.trainer.data.Encoded;
import org.rectiflow.trainer.data.EncodedData;
import org.rectiflow.trainer.data.Randoms;

/**
 * The paper's validation loss (Sections 5.1 and 5.3.3): the loss at eight equally spaced timesteps
 * and its mean over them. The paper does not print the eight; here they are the middles of eight
 * equal parts of (0, 1), because the ends are no noise and no data, where some formulations have no
 * loss. Examples and noise are always the same, whatever the seed of the run; no encoder is
 * dropped.
 */
final class TransformerValidation {
  /** How many timesteps. */
  static final int LEVELS = 8;

  private static final int LARGEST_BATCH = 64;
  private static final long NOISE_SEED = 0;

  private final VelocityModel model;
  private final Formulation formulation;
  private final EncodedData data;
  private final Backend backend;

  TransformerValidation(
      VelocityModel model, Formulation formulation, EncodedData data, Backend backend) {
    this.model = model;
    this.formulation = formulation;
    this.data = data;
    this.backend = backend;
  }

  /** The middle of part {@code level} of (0, 1). */
  static double time(int level) {
    return (level + 0.5) / LEVELS;
  }

  /** A graph of the model for {@code batch} examples of the data's size. */
  static ValueGraph graph(
      VelocityModel model, int batch, Encoded like, Map<String, Tensor> values) {
    var latent = like.latent().shape();
    return ValueGraph.of(
        model.graph(
            batch, latent.dim(2), latent.dim(3), like.prompt().context().shape().dim(1), false),
        values);
  }

  /** The loss with these values. */
  Validation run(Map<String, Tensor> values) {
    int samples = data.size() * LEVELS;
    int batch = Math.min(LARGEST_BATCH, samples);
    double[] sums = new double[LEVELS];
    Encoded like = data.get(0);
    try (Executable executable =
        backend.compile("validation", graph(model, batch, like, values).graph())) {
      for (int from = 0; from < samples; from += batch) {
        NoisedBatch noised = new NoisedBatch(formulation, batch, like);
        for (int i = 0; i < batch; i++) {
          // The last batch is filled up with samples that are not counted.
          int sample = Math.min(from + i, samples - 1);
          noised.put(
              i,
              data.get(sample / LEVELS),
              time(sample % LEVELS),
              Randoms.of(NOISE_SEED, "validation", sample));
        }
        Tensor answer = executable.run(ValueGraph.feeds(noised.inputs(), values)).get("velocity");
        for (int i = 0; i < batch && from + i < samples; i++) {
          sums[(from + i) % LEVELS] += noised.loss(answer, i);
        }
      }
    }
    return validation(sums);
  }

  private Validation validation(double[] sums) {
    Map<String, Double> levels = new LinkedHashMap<>();
    double mean = 0;
    for (int level = 0; level < LEVELS; level++) {
      double loss = sums[level] / data.size();
      levels.put("t=%s".formatted(time(level)), loss);
      mean += loss / LEVELS;
    }
    return new Validation(mean, levels);
  }
}
