package org.rectiflow.scheduler.formulation;

import java.util.List;
import java.util.OptionalDouble;
import org.rectiflow.scheduler.PathScheduler;
import org.rectiflow.scheduler.TimeGrid;
import org.rectiflow.scheduler.density.ResolutionShifted;
import org.rectiflow.scheduler.density.TimestepDensity;
import org.rectiflow.scheduler.path.NoisePath;
import org.rectiflow.scheduler.path.Prediction;
import org.rectiflow.scheduler.path.ResolutionShift;
import org.rectiflow.scheduler.solver.Solver;

/**
 * How a diffusion model is trained: the loss is E over t ~ density and eps of weight(t) |output -
 * target|^2. The four choices are independent.
 *
 * @param path from data to noise
 * @param prediction what the network's output means
 * @param density where timesteps are drawn
 * @param outputWeight the factor on the squared error
 */
public record Formulation(
    NoisePath path, Prediction prediction, TimestepDensity density, OutputWeight outputWeight) {

  private static final int TRAIN_TIMESTEPS = 1000;

  /**
   * A formulation from its name: {@code rf}, {@code rf/mode(s)}, {@code rf/lognorm(m,s)}, {@code
   * rf/cosmap}, {@code edm(P_m,P_s)}, {@code edm/rf}, {@code edm/cos}, {@code eps/linear}, {@code
   * v/linear}, {@code eps/cos}, {@code v/cos}, with or without blanks; and beyond the paper any
   * {@code PREDICTION/PATH[/DENSITY]}, followed by {@code +shift(alpha)} and {@code +weight(name)}.
   *
   * @throws IllegalArgumentException naming the part that is not known or the parameter that is out
   *     of range
   */
  public static Formulation parse(String name) {
    return FormulationName.parse(name);
  }

  /** The 61 formulations of the paper's study. */
  public static List<Formulation> study() {
    return Study.FORMULATIONS;
  }

  /** The name, which {@link #parse} reads back: {@code rf/lognorm(0.00,1.00)}. */
  public String name() {
    return FormulationName.print(this);
  }

  @Override
  public String toString() {
    return name();
  }

  /** The same with every drawn timestep shifted. */
  public Formulation shifted(double alpha) {
    return new Formulation(
        path, prediction, new ResolutionShifted(density, new ResolutionShift(alpha)), outputWeight);
  }

  /** The same with another factor on the squared error. */
  public Formulation weighted(OutputWeight weight) {
    return new Formulation(path, prediction, density, weight);
  }

  /**
   * The weight w_t under which the common loss -1/2 E over uniform t of w_t lambda'_t |eps_Theta -
   * eps|^2 (Section 2 of the paper) is this formulation's loss: w_t = -2/lambda' * pi(t) *
   * weight(t) * (q - p b/a)^2 for a prediction p x0 + q eps. For rectified flow it is t / (1 - t) *
   * pi(t) (equation 18).
   *
   * @param t a time in (0, 1)
   */
  public double equivalentWeight(double t) {
    double a = path.a(t);
    double error = prediction.noiseFactor(path, t) - prediction.dataFactor(path, t) * path.b(t) / a;
    return -2 / path.logSnrDot(t) * density.pdf(t) * outputWeight.at(t) * error * error;
  }

  /**
   * The weight w_t as the paper prints it, where it prints one: t / (1 - t) * pi(t) on rectified
   * flow (equation 18), N(lambda; -2 P_m, (2 P_s)^2) (e^-lambda + 0.5^2) for edm (equation 16),
   * sech(lambda / 2) for eps/cos and e^(-lambda / 2) for v/cos (equation 17). It differs from
   * {@link #equivalentWeight} by the constant {@link #printedWeightFactor}.
   */
  public OptionalDouble printedWeight(double t) {
    return PrintedWeight.of(this, t);
  }

  /**
   * {@code printedWeight / equivalentWeight}: 1 for rf, 1/8 for edm, pi for eps/cos, pi/2 for
   * v/cos.
   */
  public OptionalDouble printedWeightFactor() {
    return PrintedWeight.factor(this);
  }

  /** The training target for one component. */
  public double target(double t, double x0, double eps) {
    return prediction.target(path, t, x0, eps);
  }

  /**
   * A sampler for models of this formulation, over equal steps in t. The paper does not state the
   * grid of the formulations other than rectified flow. Where the network says nothing at the
   * path's first time (epsilon at a_t = 0), sampling starts one training step later, as discrete
   * models do.
   */
  public PathScheduler scheduler(Solver solver) {
    double start = path.startTime();
    boolean blind = prediction == Prediction.EPSILON && path.a(start) == 0;
    double first = blind ? start - 1.0 / TRAIN_TIMESTEPS : start;
    return scheduler(solver, new TimeGrid.Uniform(first, new ResolutionShift(1)));
  }

  /** A sampler for models of this formulation over any grid. */
  public PathScheduler scheduler(Solver solver, TimeGrid grid) {
    return new PathScheduler(path, prediction, solver, grid, TRAIN_TIMESTEPS);
  }
}
