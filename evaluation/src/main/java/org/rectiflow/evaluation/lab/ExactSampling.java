package org.rectiflow.evaluation.lab;

import java.util.ArrayList;
import java.util.List;
import org.rectiflow.scheduler.ScheduleRequest;
import org.rectiflow.scheduler.TimeGrid;
import org.rectiflow.scheduler.density.TimestepDensity;
import org.rectiflow.scheduler.math.StandardNormal;
import org.rectiflow.scheduler.path.NoisePath;
import org.rectiflow.scheduler.path.Prediction;
import org.rectiflow.scheduler.solver.PathIntegrator;
import org.rectiflow.scheduler.solver.Solver;

/**
 * Runs samplers on an {@link ExactModel} and measures what their finite number of steps costs. As
 * the model is perfect, all that is measured is discretisation, and the start from pure noise where
 * a path does not end in it.
 */
public final class ExactSampling {

  private ExactSampling() {}

  /** Equal steps in the path's time, from its start to data. */
  public static double[] uniformTimes(NoisePath path, int steps) {
    return TimeGrid.Uniform.of(path).times(path, ScheduleRequest.ofSteps(steps));
  }

  /**
   * Steps of equal probability under a density of timesteps, from the path's start to data: where
   * training draws many timesteps, sampling takes small steps.
   *
   * @throws IllegalArgumentException if steps is below 1
   */
  public static double[] densityTimes(NoisePath path, TimestepDensity density, int steps) {
    if (steps < 1) {
      throw new IllegalArgumentException("steps must be at least 1, found " + steps);
    }
    double start = path.startTime();
    double mass = density.cdf(start);
    double[] times = new double[steps + 1];
    for (int i = 1; i < steps; i++) {
      times[i] = density.quantile(mass * (steps - i) / steps);
    }
    times[0] = start;
    return times;
  }

  /**
   * Samples once.
   *
   * @param noise standard normal numbers, scaled to the path's start here
   * @param times decreasing, from the path's start to 0
   * @return all states, from the scaled noise to the sample
   * @throws IllegalArgumentException if the noise has another dimension than the data
   */
  public static List<double[]> trajectory(
      ExactModel model, Solver solver, double[] times, double[] noise) {
    if (noise.length != model.dimension()) {
      throw new IllegalArgumentException(
          "the noise has %d values, the data %d".formatted(noise.length, model.dimension()));
    }
    double[] state = scaled(noise, model.path().startScale());
    PathIntegrator integrator = new PathIntegrator(model.path(), model.prediction(), solver, times);
    List<double[]> states = new ArrayList<>();
    states.add(state);
    while (!integrator.done()) {
      double[] input = scaled(state, integrator.inputScale());
      state = integrator.step(model.output(input, integrator.time()), state);
      states.add(state);
    }
    return states;
  }

  /** Samples once and returns the sample alone. */
  public static double[] sample(ExactModel model, Solver solver, double[] times, double[] noise) {
    return trajectory(model, solver, times, noise).getLast();
  }

  /**
   * Root mean square, over all noise, of the distance between a sampler's result and the data point
   * of the same rank, which is where the exact ODE leads from pure noise. For one-dimensional data;
   * it is an upper bound of the 2-Wasserstein distance between samples and data, and equal to it as
   * long as the sampler keeps the order of its starting points.
   *
   * @param points starting points, at the middles of equally probable parts of the noise
   */
  public static double error(
      LineMixture line, NoisePath path, Solver solver, double[] times, int points) {
    if (points < 1) {
      throw new IllegalArgumentException("points must be at least 1, found " + points);
    }
    ExactModel model = new ExactModel(line.mixture(), path, Prediction.VELOCITY);
    double sum = 0;
    for (int i = 0; i < points; i++) {
      double rank = (i + 0.5) / points;
      double[] noise = {StandardNormal.quantile(rank)};
      double difference = sample(model, solver, times, noise)[0] - line.quantile(rank, 1, 0);
      sum += difference * difference;
    }
    return Math.sqrt(sum / points);
  }

  private static double[] scaled(double[] x, double factor) {
    double[] scaled = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      scaled[i] = factor * x[i];
    }
    return scaled;
  }
}
