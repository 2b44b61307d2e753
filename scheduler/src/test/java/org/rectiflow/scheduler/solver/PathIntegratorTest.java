package org.rectiflow.scheduler.solver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.rectiflow.scheduler.path.Cosine;
import org.rectiflow.scheduler.path.Edm;
import org.rectiflow.scheduler.path.EdmCos;
import org.rectiflow.scheduler.path.EdmRf;
import org.rectiflow.scheduler.path.LinearPath;
import org.rectiflow.scheduler.path.NoisePath;
import org.rectiflow.scheduler.path.Prediction;
import org.rectiflow.scheduler.path.RectifiedFlow;

/**
 * The solvers on data x0 ~ N(0, 1/4), whose optimal prediction is known and whose exact flow is a
 * rescaling.
 */
class PathIntegratorTest {

  private static final double DATA_VARIANCE = 0.25;
  private static final Solver EULER = new Solver.Euler(Solver.Variable.TIME);
  private static final Solver DDIM = new Solver.Euler(Solver.Variable.NOISE_RATIO);
  private static final Solver HEUN = new Solver.Heun(Solver.Variable.TIME);
  private static final Solver HEUN_RATIO = new Solver.Heun(Solver.Variable.NOISE_RATIO);
  private static final Solver DPM = new Solver.DpmSolver2M(Solver.Clock.REFERENCE);
  private static final Solver DPM_LOG_SNR = new Solver.DpmSolver2M(Solver.Clock.HALF_LOG_SNR);

  /** The standard deviation of z_t; the exact flow keeps z_t / deviation(t). */
  private static double deviation(NoisePath path, double t) {
    double a = path.a(t);
    double b = path.b(t);
    return Math.sqrt(a * a * DATA_VARIANCE + b * b);
  }

  private static double[] optimalOutput(
      NoisePath path, Prediction prediction, double t, double[] z) {
    double variance = Math.pow(deviation(path, t), 2);
    double data = path.a(t) * DATA_VARIANCE / variance * z[0];
    double noise = path.b(t) / variance * z[0];
    return new double[] {prediction.target(path, t, data, noise)};
  }

  private static double run(
      NoisePath path, Prediction prediction, Solver solver, double[] times, double start) {
    PathIntegrator integrator = new PathIntegrator(path, prediction, solver, times);
    double[] z = {start};
    while (!integrator.done()) {
      z = integrator.step(optimalOutput(path, prediction, integrator.time(), z), z);
    }
    return z[0];
  }

  private static double[] uniform(double from, double to, int steps) {
    double[] times = new double[steps + 1];
    for (int i = 0; i <= steps; i++) {
      times[i] = from + (to - from) * i / steps;
    }
    times[steps] = to;
    return times;
  }

  @Test
  void eulerVectors() {
    int[] steps = {5, 10, 25, 50};
    double[] rf = {0.369231, 0.430783, 0.471201, 0.485397};
    double[] cosine = {0.480704, 0.487531, 0.494316, 0.497038};
    for (int i = 0; i < steps.length; i++) {
      double[] times = uniform(1, 0, steps[i]);
      assertThat(run(new RectifiedFlow(), Prediction.VELOCITY, EULER, times, 1))
          .isCloseTo(rf[i], within(5e-7));
      assertThat(run(new Cosine(), Prediction.VELOCITY, EULER, times, 1))
          .isCloseTo(cosine[i], within(5e-7));
      assertThat(run(new Cosine(), Prediction.V, EULER, times, 1))
          .isCloseTo(cosine[i], within(5e-7));
    }
  }

  record Case(NoisePath path, Solver solver, double from, double to, double order) {}

  static Stream<Case> orders() {
    return Stream.of(new RectifiedFlow(), new Cosine(), new EdmRf(), new EdmCos(), new Edm(-0.5, 1))
        .flatMap(path ->
            Stream.of(
                new Case(path, EULER, 0.9, 0.2, 1),
                new Case(path, DDIM, 0.9, 0.2, 1),
                new Case(path, HEUN, 0.9, 0.2, 2),
                new Case(path, HEUN_RATIO, 0.9, 0.2, 2),
                new Case(path, DPM_LOG_SNR, 0.9, 0.2, 2)));
  }

  /** Twice the steps must divide the error by 2 to the order. */
  @ParameterizedTest
  @MethodSource("orders")
  void solversHaveTheirOrder(Case c) {
    double start = deviation(c.path(), c.from());
    double exact = deviation(c.path(), c.to());
    double[] errors = new double[3];
    for (int i = 0; i < errors.length; i++) {
      double[] times = uniform(c.from(), c.to(), 400 << i);
      errors[i] = Math.abs(run(c.path(), Prediction.V, c.solver(), times, start) - exact);
    }
    double order = Math.log(errors[1] / errors[2]) / Math.log(2);
    System.out.printf(
        "%s %s: errors %.2e %.2e %.2e, order %.3f%n",
        c.path(), c.solver().name(), errors[0], errors[1], errors[2], order);
    assertThat(order).isBetween(c.order() - 0.15, c.order() + 0.3);
  }

  @ParameterizedTest
  @MethodSource("org.rectiflow.scheduler.path.NoisePathTest#paths")
  void thePredictionDoesNotMatter(NoisePath path) {
    double[] times = uniform(0.95, 0, 12);
    double start = deviation(path, 0.95);
    for (Solver solver : new Solver[] {EULER, DDIM, HEUN, HEUN_RATIO, DPM, DPM_LOG_SNR}) {
      double reference = run(path, Prediction.V, solver, times, start);
      for (Prediction prediction : Prediction.values()) {
        double result = run(path, prediction, solver, times, start);
        assertThat(result)
            .as(solver.name() + " " + prediction)
            .isCloseTo(reference, within(1e-9 * Math.abs(reference)));
      }
    }
  }

  @Test
  void eulerInTimeAndInRatioAreTheSameOnRectifiedFlow() {
    double[] times = uniform(1, 0, 7);
    double euler = run(new RectifiedFlow(), Prediction.VELOCITY, EULER, times, 1);
    double ddim = run(new RectifiedFlow(), Prediction.VELOCITY, DDIM, times, 1);
    assertThat(ddim).isCloseTo(euler, within(1e-14));
  }

  @Test
  void eulerInRatioIsTheSamplerOfKarras() {
    Edm edm = new Edm(-1.2, 1.2);
    double[] times = {edm.startTime(), 0.9, 0.4, 0};
    double z = 80;
    for (int i = 0; i < 3; i++) {
      double sigma = edm.b(times[i]);
      double next = edm.b(times[i + 1]);
      double denoised = DATA_VARIANCE / (DATA_VARIANCE + sigma * sigma) * z;
      z += (next - sigma) * (z - denoised) / sigma;
    }
    assertThat(run(edm, Prediction.F, DDIM, times, 80)).isCloseTo(z, within(1e-9));
  }

  /** The update as the SD3 reference code writes it, with sigma = t. */
  @Test
  void dpmSolverIsTheReferenceCodesOnRectifiedFlow() {
    double[] sigmas = {1, 0.8, 0.55, 0.2, 0};
    RectifiedFlow rf = new RectifiedFlow();
    double x = 0.7;
    double oldDenoised = Double.NaN;
    PathIntegrator integrator = new PathIntegrator(rf, Prediction.VELOCITY, DPM, sigmas);
    double[] z = {x};
    for (int i = 0; i < 4; i++) {
      double sigma = sigmas[i];
      double next = sigmas[i + 1];
      double velocity = Math.sin(1.7 * x) * 0.9 - 0.3 * x;
      double denoised = x - sigma * velocity;
      double h = Math.log(sigma) - Math.log(next);
      double used = denoised;
      if (i > 0 && next > 0) {
        double r = (Math.log(sigmas[i - 1]) - Math.log(sigma)) / h;
        used = (1 + 1 / (2 * r)) * denoised - 1 / (2 * r) * oldDenoised;
      }
      x = next / sigma * x - Math.expm1(-h) * used;
      oldDenoised = denoised;
      z = integrator.step(new double[] {Math.sin(1.7 * z[0]) * 0.9 - 0.3 * z[0]}, z);
      assertThat(z[0]).isCloseTo(x, within(1e-14));
    }
    assertThat(integrator.done()).isTrue();
  }

  @Test
  void linearPathsEndInData() {
    LinearPath path = LinearPath.ldm();
    double start = deviation(path, 1);
    double exact = 0.5;
    double coarse = run(path, Prediction.EPSILON, DDIM, uniform(1, 0, 100), start);
    double fine = run(path, Prediction.EPSILON, DDIM, uniform(1, 0, 1000), start);
    System.out.printf(
        "eps/linear ddim: error %.2e at 100 steps, %.2e at 1000%n", coarse - exact, fine - exact);
    assertThat(Math.abs(fine - exact)).isLessThan(0.2 * Math.abs(coarse - exact));
  }

  @Test
  void whatCannotRunIsRefused() {
    RectifiedFlow rf = new RectifiedFlow();
    assertThatThrownBy(() -> new PathIntegrator(rf, Prediction.V, EULER, new double[] {1}))
        .hasMessageContaining("at least 2 times");
    assertThatThrownBy(() -> new PathIntegrator(rf, Prediction.V, EULER, new double[] {1, 1}))
        .hasMessageContaining("decrease strictly within [0, 1], found t = 1.0 at position 1");
    assertThatThrownBy(() -> new PathIntegrator(rf, Prediction.V, EULER, new double[] {2, 1}))
        .hasMessageContaining("found t = 2.0 at position 0");
    assertThatThrownBy(
            () -> new PathIntegrator(rf, Prediction.VELOCITY, HEUN_RATIO, new double[] {1, 0}))
        .hasMessageContaining("where the ratio is infinite");
    PathIntegrator blind =
        new PathIntegrator(new Cosine(), Prediction.EPSILON, EULER, new double[] {1, 0});
    assertThatThrownBy(() -> blind.step(new double[1], new double[1]))
        .hasMessageContaining("determines nothing");
    PathIntegrator one = new PathIntegrator(rf, Prediction.VELOCITY, EULER, new double[] {1, 0});
    assertThatThrownBy(() -> one.step(new double[2], new double[1]))
        .hasMessageContaining("found 2 and 1");
    one.step(new double[1], new double[1]);
    assertThatThrownBy(() -> one.step(new double[1], new double[1]))
        .isInstanceOf(IllegalStateException.class);
  }
}
