package org.rectiflow.study.measure;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.rectiflow.encoders.PromptEmbedding;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Executable;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;
import org.rectiflow.mmdit.VelocityModel;
import org.rectiflow.pipeline.TextToImage;
import org.rectiflow.scheduler.PathScheduler;
import org.rectiflow.scheduler.Schedule;
import org.rectiflow.scheduler.ScheduleRequest;
import org.rectiflow.scheduler.Stepper;
import org.rectiflow.scheduler.formulation.Formulation;
import org.rectiflow.scheduler.path.VarianceExploding;
import org.rectiflow.scheduler.solver.Solver;

/**
 * Samples many pictures at once by a formulation's own path and prediction, with Euler's method and
 * classifier-free guidance away from zeros, which is what encoders are dropped to in training.
 *
 * <p>Steps are equal in t (equation 1). On the paths of edm, whose noise grows without bound in t,
 * they are steps of the noise-to-data ratio between equally spaced times, as in Karras et al. 2022.
 */
final class BatchSampler implements AutoCloseable {
  private final Executable model;
  private final Formulation formulation;
  private final int batch;
  private final Shape latent;
  private final double guidance;
  private final boolean guided;

  /**
   * Where pictures ended.
   *
   * @param latents [B, C, h, w]
   * @param pathLength for each picture the sum of distances between consecutive latents
   */
  record Ends(Tensor latents, double[] pathLength) {}

  /**
   * @param latent shape [B, C, h, w] of what is sampled
   * @param like a prompt, for its sizes
   */
  BatchSampler(
      VelocityModel network,
      Backend backend,
      Formulation formulation,
      Shape latent,
      PromptEmbedding like,
      double guidance) {
    this.formulation = formulation;
    this.latent = latent;
    this.batch = latent.dim(0);
    this.guidance = guidance;
    this.guided = guidance != 1;
    int tokens = like.context().shape().dim(1);
    int size = guided ? 2 * batch : batch;
    model =
        backend.compile(
            "sampler", network.graph(size, latent.dim(2), latent.dim(3), tokens, false));
  }

  /**
   * Samples.
   *
   * @param noise standard normal, of the latent's shape
   * @param prompts one for each picture
   */
  Ends sample(Tensor noise, List<PromptEmbedding> prompts, int steps) {
    Map<String, Feed> feeds = new HashMap<>();
    PromptEmbedding asked = PromptEmbedding.batch(prompts);
    PromptEmbedding fed =
        guided ? PromptEmbedding.batch(List.of(TextToImage.zeros(asked), asked)) : asked;
    feeds.put("context", Feed.of(fed.context()));
    feeds.put("pooled", Feed.of(fed.pooled()));
    PathScheduler scheduler = scheduler();
    Schedule schedule = scheduler.schedule(ScheduleRequest.ofSteps(steps));
    Stepper stepper = scheduler.stepper(schedule);
    float[] sample = noise.data().clone();
    float scale = (float) formulation.path().startScale();
    for (int i = 0; i < sample.length; i++) {
      sample[i] *= scale;
    }
    double[] length = new double[batch];
    while (!stepper.done()) {
      float[] output = output(stepper.modelInput(sample), stepper.timestep(), feeds);
      float[] next = stepper.step(output, sample);
      addDistances(sample, next, length);
      sample = next;
    }
    return new Ends(new Tensor(latent, sample), length);
  }

  private PathScheduler scheduler() {
    boolean edm = formulation.path() instanceof VarianceExploding;
    return formulation.scheduler(
        new Solver.Euler(edm ? Solver.Variable.NOISE_RATIO : Solver.Variable.TIME));
  }

  private float[] output(float[] input, float timestep, Map<String, Feed> feeds) {
    int n = input.length;
    int size = guided ? 2 * batch : batch;
    float[] fed = new float[guided ? 2 * n : n];
    System.arraycopy(input, 0, fed, 0, n);
    if (guided) {
      System.arraycopy(input, 0, fed, n, n);
    }
    float[] times = new float[size];
    java.util.Arrays.fill(times, timestep);
    feeds.put("latent", Feed.of(new Tensor(latent.with(0, size), fed)));
    feeds.put("timestep", Feed.of(Tensor.of(times, size)));
    float[] answer = model.run(feeds).get("velocity").data();
    if (!guided) {
      return answer;
    }
    float[] output = new float[n];
    for (int i = 0; i < n; i++) {
      output[i] = (float) (answer[i] + guidance * (answer[n + i] - answer[i]));
    }
    return output;
  }

  private void addDistances(float[] from, float[] to, double[] sums) {
    int each = from.length / batch;
    for (int b = 0; b < batch; b++) {
      double squares = 0;
      for (int i = b * each; i < (b + 1) * each; i++) {
        double d = (double) to[i] - from[i];
        squares += d * d;
      }
      sums[b] += Math.sqrt(squares);
    }
  }

  @Override
  public void close() {
    model.close();
  }
}
