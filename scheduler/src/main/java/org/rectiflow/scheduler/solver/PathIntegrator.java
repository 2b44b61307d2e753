package org.rectiflow.scheduler.solver;

import org.rectiflow.scheduler.path.Conversion;
import org.rectiflow.scheduler.path.NoisePath;
import org.rectiflow.scheduler.path.Prediction;

/**
 * One sampling run of a {@link Solver} over a path, in double precision. The caller evaluates the
 * model at {@link #time} on {@link #inputScale} times the sample and hands its output to {@link
 * #step}. Holds the run's state; not safe for use by several threads.
 */
public final class PathIntegrator {

  private final NoisePath path;
  private final Prediction prediction;
  private final Solver solver;
  private final double[] times;
  private int interval;

  /** Of Heun between its two calls: where the step began and the first slope. */
  private double[] startSample;

  private double[] startSlope;

  /** Of DPM-Solver++(2M): the data predicted at the previous time. */
  private double[] previousData;

  /**
   * @param path the path the model was trained on
   * @param prediction what the model predicts
   * @param solver the method
   * @param times at least two strictly decreasing times in [0, 1]; the model is called at all but
   *     the last
   * @throws IllegalArgumentException if the times do not decrease, or the solver cannot begin at
   *     the first one
   */
  public PathIntegrator(NoisePath path, Prediction prediction, Solver solver, double[] times) {
    this.path = path;
    this.prediction = prediction;
    this.solver = solver;
    this.times = times.clone();
    requireTimes(times);
    if (solver instanceof Solver.Heun(Solver.Variable variable)
        && variable == Solver.Variable.NOISE_RATIO
        && path.a(times[0]) == 0) {
      throw new IllegalArgumentException(
          "Heun in the noise ratio cannot begin at t = "
              + times[0]
              + " of "
              + path.name()
              + ", where the ratio is infinite; begin at a smaller time.");
    }
  }

  /**
   * Checks the times of a run.
   *
   * @throws IllegalArgumentException if there are fewer than two or they do not decrease strictly
   *     within [0, 1]
   */
  public static void requireTimes(double[] times) {
    if (times.length < 2) {
      throw new IllegalArgumentException(
          "A run needs at least 2 times, found " + times.length + ".");
    }
    for (int i = 0; i < times.length; i++) {
      if (!(times[i] >= 0 && times[i] <= 1) || (i > 0 && times[i] >= times[i - 1])) {
        throw new IllegalArgumentException(
            "The times of a run must decrease strictly within [0, 1], found t = "
                + times[i]
                + " at position "
                + i
                + ".");
      }
    }
  }

  /** Whether the run is over. */
  public boolean done() {
    return interval == times.length - 1;
  }

  /** The time of the next model call. */
  public double time() {
    requireRunning();
    return times[startSlope == null ? interval : interval + 1];
  }

  /** What the sample is multiplied by before the model sees it at the next call. */
  public double inputScale() {
    return prediction.inputScale(path, time());
  }

  /**
   * Goes on to the next model call.
   *
   * @param output the model's output at {@link #time}
   * @param sample the current sample, as returned by the previous call
   * @return the next sample, a new array
   */
  public double[] step(double[] output, double[] sample) {
    Conversion conversion = prediction.at(path, time());
    if (output.length != sample.length) {
      throw new IllegalArgumentException(
          "The model output must have as many values as the sample, found "
              + output.length
              + " and "
              + sample.length
              + ".");
    }
    return switch (solver) {
      case Solver.Euler(Solver.Variable variable) -> {
        double[] next = euler(conversion, variable, output, sample);
        interval++;
        yield next;
      }
      case Solver.Heun(Solver.Variable variable) -> heun(conversion, variable, output, sample);
      case Solver.DpmSolver2M(Solver.Clock clock) -> dpmSolver(conversion, clock, output, sample);
    };
  }

  private double[] euler(
      Conversion conversion, Solver.Variable variable, double[] output, double[] sample) {
    double next = times[interval + 1];
    return switch (variable) {
      case TIME -> {
        double dt = next - times[interval];
        Conversion.Factors velocity = conversion.velocity();
        yield combine(1 + dt * velocity.ofZ(), sample, dt * velocity.ofOutput(), output);
      }
      case NOISE_RATIO -> {
        double a = path.a(next);
        double b = path.b(next);
        Conversion.Factors data = conversion.data();
        Conversion.Factors noise = conversion.noise();
        yield combine(
            a * data.ofZ() + b * noise.ofZ(),
            sample,
            a * data.ofOutput() + b * noise.ofOutput(),
            output);
      }
    };
  }

  private double[] heun(
      Conversion conversion, Solver.Variable variable, double[] output, double[] sample) {
    Conversion.Factors factors =
        variable == Solver.Variable.TIME ? conversion.velocity() : conversion.noise();
    double[] slope = combine(factors.ofZ(), sample, factors.ofOutput(), output);
    if (startSlope != null) {
      double half = 0.5 * stretch(variable);
      double[] next = new double[sample.length];
      // The predictor went along the first slope; the rest of the way is half the difference.
      for (int i = 0; i < next.length; i++) {
        next[i] = startSample[i] + half * (slope[i] - startSlope[i]);
      }
      startSample = null;
      startSlope = null;
      interval++;
      return next;
    }
    double[] predicted = euler(conversion, variable, output, sample);
    if (interval == times.length - 2) {
      interval++;
    } else {
      startSample = predicted;
      startSlope = slope;
    }
    return predicted;
  }

  /** How far z moves along a unit slope over this interval. */
  private double stretch(Solver.Variable variable) {
    double from = times[interval];
    double to = times[interval + 1];
    return switch (variable) {
      case TIME -> to - from;
      case NOISE_RATIO -> path.b(to) - path.a(to) * path.b(from) / path.a(from);
    };
  }

  private double[] dpmSolver(
      Conversion conversion, Solver.Clock clock, double[] output, double[] sample) {
    double now = times[interval];
    double next = times[interval + 1];
    Conversion.Factors factors = conversion.data();
    double[] data = combine(factors.ofZ(), sample, factors.ofOutput(), output);
    double[] denoised = data;
    if (previousData != null && path.b(next) != 0) {
      double step = clock(clock, next) - clock(clock, now);
      double lastStep = clock(clock, now) - clock(clock, times[interval - 1]);
      double weight = step / (2 * lastStep);
      denoised = combine(1 + weight, data, -weight, previousData);
    }
    double ratio = path.b(next) / path.b(now);
    double[] out = combine(ratio, sample, path.a(next) - path.a(now) * ratio, denoised);
    previousData = data;
    interval++;
    return out;
  }

  private double clock(Solver.Clock clock, double t) {
    return switch (clock) {
      case REFERENCE -> -Math.log(path.b(t));
      case HALF_LOG_SNR -> 0.5 * path.logSnr(t);
    };
  }

  private static double[] combine(double p, double[] x, double q, double[] y) {
    double[] out = new double[x.length];
    for (int i = 0; i < out.length; i++) {
      out[i] = p * x[i] + q * y[i];
    }
    return out;
  }

  private void requireRunning() {
    if (done()) {
      throw new IllegalStateException(
          "All " + (times.length - 1) + " steps of this run are made; begin another run.");
    }
  }
}
