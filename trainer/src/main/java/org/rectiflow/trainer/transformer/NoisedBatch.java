package org.rectiflow.trainer.transformer;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.random.RandomGenerator;
import org.rectiflow.encoders.PromptEmbedding;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;
import org.rectiflow.scheduler.formulation.Formulation;
import org.rectiflow.trainer.data.Encoded;
import org.rectiflow.training.PromptTower.Encoder;

/**
 * A batch of noised latents with what a formulation's network is to answer: z_t = a x0 + b noise
 * (equation 2), seen through the prediction's input scale, at the timestep 1000 t; the target p x0
 * + q noise and the weight of the formulation.
 */
final class NoisedBatch {
  /** The scale of timesteps, as the schedulers have it. */
  static final double TRAIN_TIMESTEPS = 1000;

  private final Formulation formulation;
  private final Tensor latent;
  private final Tensor target;
  private final Tensor timestep;
  private final Tensor weight;
  private final Tensor context;
  private final Tensor pooled;

  /**
   * @param like an example, for its sizes
   */
  NoisedBatch(Formulation formulation, int size, Encoded like) {
    this.formulation = formulation;
    latent = Tensor.zeros(like.latent().shape().with(0, size));
    target = Tensor.zeros(latent.shape());
    timestep = Tensor.zeros(Shape.of(size));
    weight = Tensor.zeros(Shape.of(size));
    context = Tensor.zeros(like.prompt().context().shape().with(0, size));
    pooled = Tensor.zeros(like.prompt().pooled().shape().with(0, size));
  }

  /** Puts an example at a place, noised to time {@code t} with noise from {@code random}. */
  void put(int at, Encoded example, double t, RandomGenerator random) {
    var path = formulation.path();
    var prediction = formulation.prediction();
    double scale = prediction.inputScale(path, t);
    double ofData = scale * path.a(t);
    double ofNoise = scale * path.b(t);
    double targetOfData = prediction.dataFactor(path, t);
    double targetOfNoise = prediction.noiseFactor(path, t);
    float[] x0 = example.latent().data();
    int from = at * x0.length;
    for (int i = 0; i < x0.length; i++) {
      double noise = random.nextGaussian();
      latent.data()[from + i] = (float) (ofData * x0[i] + ofNoise * noise);
      target.data()[from + i] = (float) (targetOfData * x0[i] + targetOfNoise * noise);
    }
    timestep.data()[at] = (float) (TRAIN_TIMESTEPS * t);
    weight.data()[at] = (float) formulation.outputWeight().at(t);
    prompt(example.prompt(), at);
  }

  /** Puts a prompt at a place, instead of what was there. */
  void prompt(PromptEmbedding prompt, int at) {
    copy(prompt.context(), context, at);
    copy(prompt.pooled(), pooled, at);
  }

  private static void copy(Tensor one, Tensor all, int at) {
    System.arraycopy(one.data(), 0, all.data(), at * one.data().length, one.data().length);
  }

  /** Drops an encoder's part of a sample. */
  void drop(PromptParts parts, Encoder encoder, int at) {
    parts.drop(encoder, context.data(), pooled.data(), at);
  }

  /** The inputs of the network. */
  Map<String, Feed> inputs() {
    Map<String, Feed> feeds = new LinkedHashMap<>();
    feeds.put("latent", Feed.of(latent));
    feeds.put("timestep", Feed.of(timestep));
    feeds.put("context", Feed.of(context));
    feeds.put("pooled", Feed.of(pooled));
    return feeds;
  }

  /** The inputs of the objective. */
  Map<String, Feed> feeds() {
    Map<String, Feed> feeds = inputs();
    feeds.put("target", Feed.of(target));
    feeds.put("weight", Feed.of(weight));
    return feeds;
  }

  /** Mean squared error of the answer to sample {@code at}, times its weight. */
  double loss(Tensor answer, int at) {
    int n = answer.data().length / answer.shape().dim(0);
    double sum = 0;
    for (int i = at * n; i < (at + 1) * n; i++) {
      double difference = answer.data()[i] - target.data()[i];
      sum += difference * difference;
    }
    return weight.data()[at] * sum / n;
  }
}
