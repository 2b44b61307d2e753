package org.rectiflow.scheduler;

/**
 * A run of {@link FlowMatchEulerDiscrete}: sample + (sigma' - sigma) * velocity in float32, or with
 * stochastic sampling (1 - sigma') * x0 + sigma' * noise with x0 = sample - sigma * velocity.
 */
public final class FlowMatchEulerStepper implements Stepper {

  /** Below which a token's own sigma does not count as lower (diffusers' constant). */
  private static final float PER_TOKEN_MARGIN = 1e-6f;

  private final FlowMatchConfig config;
  private final Schedule schedule;
  private final StepOptions options;
  private int call;

  FlowMatchEulerStepper(FlowMatchConfig config, Schedule schedule, StepOptions options) {
    this.config = config;
    this.schedule = schedule;
    this.options = options;
    this.call = StepChecks.beginIndex(schedule, schedule.steps(), options);
    if (config.stochasticSampling()) {
      options.requireGenerator("stochastic_sampling");
    }
  }

  @Override
  public Schedule schedule() {
    return schedule;
  }

  @Override
  public int call() {
    return call;
  }

  @Override
  public float[] step(float[] modelOutput, float[] sample) {
    StepChecks.beforeStep(this, modelOutput, sample);
    float sigma = schedule.sigma(call);
    float next = schedule.sigma(call + 1);
    float[] out = new float[sample.length];
    float[] noise = noise(sample.length);
    move(modelOutput, sample, noise, out, 0, sample.length, sigma, next, next - sigma);
    call++;
    return out;
  }

  /**
   * A step in which every token has its own time (LTX-Video). A token's next sigma is the largest
   * of the schedule that lies below its own, or 0. As in diffusers the step is the positive
   * difference of sigmas, so the caller negates the velocity.
   *
   * @param modelOutput negated velocity, [tokens, channels]
   * @param sample current sample, [tokens, channels]
   * @param perTokenTimesteps current timestep of each token, [tokens]
   */
  public float[] step(float[] modelOutput, float[] sample, float[] perTokenTimesteps) {
    StepChecks.beforeStep(this, modelOutput, sample);
    int tokens = perTokenTimesteps.length;
    if (tokens == 0 || sample.length % tokens != 0) {
      throw new IllegalArgumentException(
          "Per-token timesteps must divide the sample: found "
              + tokens
              + " timesteps for "
              + sample.length
              + " values.");
    }
    int channels = sample.length / tokens;
    float[] out = new float[sample.length];
    float[] noise = noise(sample.length);
    for (int token = 0; token < tokens; token++) {
      float sigma = perTokenTimesteps[token] / config.numTrainTimesteps();
      float next = nextLower(sigma);
      move(
          modelOutput,
          sample,
          noise,
          out,
          token * channels,
          (token + 1) * channels,
          sigma,
          next,
          sigma - next);
    }
    call++;
    return out;
  }

  private float nextLower(float sigma) {
    float best = 0;
    for (int i = 0; i <= schedule.modelCalls(); i++) {
      float candidate = schedule.sigma(i);
      if (candidate < sigma - PER_TOKEN_MARGIN) {
        best = Math.max(best, candidate);
      }
    }
    return best;
  }

  private float[] noise(int length) {
    return config.stochasticSampling()
        ? options.requireGenerator("stochastic_sampling").randn(length)
        : new float[0];
  }

  private void move(
      float[] velocity,
      float[] sample,
      float[] noise,
      float[] out,
      int from,
      int to,
      float sigma,
      float next,
      float dt) {
    if (config.stochasticSampling()) {
      float rest = 1f - next;
      for (int i = from; i < to; i++) {
        float data = sample[i] - sigma * velocity[i];
        out[i] = rest * data + next * noise[i];
      }
    } else {
      for (int i = from; i < to; i++) {
        out[i] = sample[i] + dt * velocity[i];
      }
    }
  }
}
