package org.rectiflow.scheduler;

/**
 * A run of {@link FlowMatchHeunDiscrete}. The derivative is formed as diffusers forms it, by way of
 * the predicted data, because its rounding differs from using the velocity itself.
 */
public final class FlowMatchHeunStepper implements Stepper {

  private static final double MAX_GAMMA = Math.sqrt(2) - 1;

  private final Schedule schedule;
  private final StepOptions options;
  private int call;

  /** Set between the two calls of a step: where it began, the derivative there, and its length. */
  private float[] startSample;

  private float[] startDerivative;
  private float dt;

  FlowMatchHeunStepper(Schedule schedule, StepOptions options) {
    this.schedule = schedule;
    this.options = options;
    this.call = StepChecks.beginIndex(schedule, 2 * schedule.steps() - 1, options);
    if (call % 2 != 0) {
      throw new IllegalArgumentException(
          "A Heun run begins at the first of a step's two model calls, an even index; found "
              + call
              + ".");
    }
    if (options.sChurn() > 0) {
      options.requireGenerator("s_churn");
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

  /** Whether the next call is the first of its step. */
  public boolean inFirstOrder() {
    return startSample == null;
  }

  @Override
  public float[] step(float[] modelOutput, float[] sample) {
    StepChecks.beforeStep(this, modelOutput, sample);
    boolean first = inFirstOrder();
    float sigma = schedule.sigma(first ? call : call - 1);
    float next = schedule.sigma(first ? call + 1 : call);
    double gamma = gamma(sigma);
    float sigmaHat = sigma * (float) (gamma + 1);
    float[] churned = gamma > 0 ? churn(sample, sigma, sigmaHat) : sample;
    float[] out =
        first
            ? predict(modelOutput, churned, sigma, sigmaHat, next)
            : correct(modelOutput, churned, next);
    call++;
    return out;
  }

  private double gamma(float sigma) {
    boolean inRange = (float) options.sTmin() <= sigma && sigma <= (float) options.sTmax();
    return inRange ? Math.min(options.sChurn() / schedule.modelCalls(), MAX_GAMMA) : 0;
  }

  private float[] churn(float[] sample, float sigma, float sigmaHat) {
    float[] noise = options.requireGenerator("s_churn").randn(sample.length);
    float scale = (float) Math.sqrt(sigmaHat * sigmaHat - sigma * sigma);
    float noiseScale = (float) options.sNoise();
    float[] out = new float[sample.length];
    for (int i = 0; i < out.length; i++) {
      out[i] = sample[i] + noise[i] * noiseScale * scale;
    }
    return out;
  }

  private float[] predict(
      float[] velocity, float[] sample, float sigma, float sigmaHat, float next) {
    float[] derivative = new float[sample.length];
    float[] out = new float[sample.length];
    dt = next - sigmaHat;
    for (int i = 0; i < out.length; i++) {
      float data = sample[i] - velocity[i] * sigma;
      derivative[i] = (sample[i] - data) / sigmaHat;
      out[i] = sample[i] + derivative[i] * dt;
    }
    // The step to sigma 0 has no second call; its state is never read.
    if (call + 1 < schedule.modelCalls()) {
      startSample = sample.clone();
      startDerivative = derivative;
    }
    return out;
  }

  private float[] correct(float[] velocity, float[] sample, float next) {
    float[] out = new float[sample.length];
    for (int i = 0; i < out.length; i++) {
      float data = sample[i] - velocity[i] * next;
      float derivative = 0.5f * (startDerivative[i] + (sample[i] - data) / next);
      out[i] = startSample[i] + derivative * dt;
    }
    startSample = null;
    startDerivative = null;
    return out;
  }
}
