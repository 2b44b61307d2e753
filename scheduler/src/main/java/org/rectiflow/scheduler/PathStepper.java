package org.rectiflow.scheduler;

import org.rectiflow.scheduler.solver.PathIntegrator;

/** A run of a {@link PathScheduler}: {@link PathIntegrator} on float samples. */
public final class PathStepper implements Stepper {

  private final PathIntegrator integrator;
  private final Schedule schedule;
  private int call;

  PathStepper(PathScheduler scheduler, Schedule schedule, StepOptions options) {
    int order = scheduler.order();
    int calls = order == 2 ? 2 * schedule.steps() - 1 : schedule.steps();
    this.schedule = schedule;
    this.call = StepChecks.beginIndex(schedule, calls, options);
    if (call % order != 0) {
      throw new IllegalArgumentException(
          "A Heun run begins at the first of a step's two model calls, an even index; found "
              + call
              + ".");
    }
    if (options.sChurn() > 0) {
      throw new IllegalArgumentException(
          "s_churn is an option of FlowMatchHeunDiscreteScheduler; "
              + scheduler.solver().name()
              + " has none.");
    }
    int begin = call / order;
    double[] times = new double[schedule.steps() + 1 - begin];
    for (int i = 0; i < times.length; i++) {
      times[i] = schedule.time(Math.min((begin + i) * order, schedule.modelCalls()));
    }
    // A run that begins at its end has no interval to integrate over.
    this.integrator =
        done()
            ? null
            : new PathIntegrator(
                scheduler.path(), scheduler.prediction(), scheduler.solver(), times);
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
  public float[] modelInput(float[] sample) {
    StepChecks.requireRunning(this);
    double scale = integrator.inputScale();
    if (scale == 1) {
      return sample;
    }
    float[] out = new float[sample.length];
    for (int i = 0; i < out.length; i++) {
      out[i] = (float) (scale * sample[i]);
    }
    return out;
  }

  @Override
  public float[] step(float[] modelOutput, float[] sample) {
    StepChecks.beforeStep(this, modelOutput, sample);
    double[] next = integrator.step(widen(modelOutput), widen(sample));
    float[] out = new float[next.length];
    for (int i = 0; i < out.length; i++) {
      out[i] = (float) next[i];
    }
    call++;
    return out;
  }

  private static double[] widen(float[] values) {
    double[] out = new double[values.length];
    for (int i = 0; i < out.length; i++) {
      out[i] = values[i];
    }
    return out;
  }
}
