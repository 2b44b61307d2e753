package org.rectiflow.evaluation.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.rectiflow.scheduler.PathScheduler;
import org.rectiflow.scheduler.Schedule;
import org.rectiflow.scheduler.ScheduleRequest;
import org.rectiflow.scheduler.Stepper;
import org.rectiflow.scheduler.TimeGrid;
import org.rectiflow.scheduler.density.CosMap;
import org.rectiflow.scheduler.density.LogitNormal;
import org.rectiflow.scheduler.density.Uniform;
import org.rectiflow.scheduler.path.Cosine;
import org.rectiflow.scheduler.path.Edm;
import org.rectiflow.scheduler.path.EdmRf;
import org.rectiflow.scheduler.path.LinearPath;
import org.rectiflow.scheduler.path.NoisePath;
import org.rectiflow.scheduler.path.Prediction;
import org.rectiflow.scheduler.path.RectifiedFlow;
import org.rectiflow.scheduler.solver.Solver;

class ExactSamplingTest {

  private static final GaussianMixture BROAD = GaussianMixture.single(new double[] {0}, 0.5);
  private static final Solver EULER = new Solver.Euler(Solver.Variable.TIME);
  private static final Solver DDIM = new Solver.Euler(Solver.Variable.NOISE_RATIO);
  private static final Solver HEUN = new Solver.Heun(Solver.Variable.TIME);

  /** x0 ~ N(0, 0.25), noise 1; the exact ODE ends at 0.5. */
  @ParameterizedTest
  @CsvSource({
    "5, 0.369231, 0.480704",
    "10, 0.430783, 0.487531",
    "25, 0.471201, 0.494316",
    "50, 0.485397, 0.497038"
  })
  void eulerOnABroadGaussian(int steps, double rectifiedFlow, double cosine) {
    assertThat(end(new RectifiedFlow(), EULER, steps)).isCloseTo(rectifiedFlow, within(5e-7));
    assertThat(end(new Cosine(), EULER, steps)).isCloseTo(cosine, within(5e-7));
  }

  /**
   * A step of Euler on rectified flow multiplies z by 1 + dt (t - s^2 (1-t)) / ((1-t)^2 s^2 + t^2).
   */
  @Test
  void eulerIsTheProductOfItsFactors() {
    int steps = 7;
    double product = 1;
    for (int i = 0; i < steps; i++) {
      double t = 1 - (double) i / steps;
      double variance = 0.25 * (1 - t) * (1 - t) + t * t;
      product *= 1 - (t - 0.25 * (1 - t)) / variance / steps;
    }
    assertThat(end(new RectifiedFlow(), EULER, steps)).isCloseTo(product, within(1e-14));
  }

  private static double end(NoisePath path, Solver solver, int steps) {
    ExactModel model = new ExactModel(BROAD, path, Prediction.VELOCITY);
    double[] times = ExactSampling.uniformTimes(path, steps);
    return ExactSampling.sample(model, solver, times, new double[] {1})[0];
  }

  /** Every prediction carries the same knowledge, so samples agree. */
  @Test
  void predictionsAgree() {
    double largest = 0;
    double[] noise = {0.8, -1.1};
    for (NoisePath path : List.of(LinearPath.ldm(), new Edm(-1.2, 1.2), new EdmRf())) {
      double[] times = ExactSampling.uniformTimes(path, 20);
      ExactModel velocity = new ExactModel(GaussianMixtureTest.PLANE, path, Prediction.VELOCITY);
      double[] expected = ExactSampling.sample(velocity, DDIM, times, noise);
      for (Prediction prediction : List.of(Prediction.EPSILON, Prediction.V, Prediction.F)) {
        ExactModel model = new ExactModel(GaussianMixtureTest.PLANE, path, prediction);
        double[] actual = ExactSampling.sample(model, DDIM, times, noise);
        for (int i = 0; i < 2; i++) {
          largest = Math.max(largest, Math.abs(actual[i] - expected[i]));
          assertThat(actual[i]).isCloseTo(expected[i], within(1e-9));
        }
      }
    }
    System.out.printf("predictions: largest difference %.3g%n", largest);
  }

  /** Euler's error halves with twice the steps, Heun's quarters. */
  @Test
  void errorsFallWithTheOrderOfTheMethod() {
    LineMixture line = new LineMixture(BROAD);
    RectifiedFlow path = new RectifiedFlow();
    assertThat(error(line, path, EULER, 200) / error(line, path, EULER, 400))
        .isCloseTo(2, within(0.02));
    assertThat(error(line, path, HEUN, 200) / error(line, path, HEUN, 400))
        .isCloseTo(4, within(0.1));
  }

  /** The error of a Gaussian is known: the product of factors against s, times the noise's rms. */
  @Test
  void errorOfABroadGaussian() {
    LineMixture line = new LineMixture(BROAD);
    double error = error(line, new RectifiedFlow(), EULER, 10);
    double perUnit = 0.5 - end(new RectifiedFlow(), EULER, 10);
    // 400 ranks hold all but the tails of the unit variance of the noise.
    assertThat(error / perUnit).isBetween(0.99, 1.0);
  }

  /** On rectified flow Euler in time and DDIM are one method. */
  @Test
  void eulerIsDdimOnRectifiedFlow() {
    LineMixture line = new LineMixture(GaussianMixtureTest.LINE);
    assertThat(error(line, new RectifiedFlow(), DDIM, 13))
        .isCloseTo(error(line, new RectifiedFlow(), EULER, 13), within(1e-12));
  }

  private static double error(LineMixture line, NoisePath path, Solver solver, int steps) {
    return ExactSampling.error(line, path, solver, ExactSampling.uniformTimes(path, steps), 400);
  }

  @Test
  void gridsFollowTheirDensity() {
    RectifiedFlow path = new RectifiedFlow();
    assertThat(ExactSampling.densityTimes(path, new Uniform(), 4))
        .containsExactly(new double[] {1, 0.75, 0.5, 0.25, 0}, within(1e-15));
    double[] times = ExactSampling.densityTimes(path, new LogitNormal(0, 1), 4);
    assertThat(times[1]).isCloseTo(0.662508, within(5e-7));
    assertThat(times[3]).isCloseTo(0.337492, within(5e-7));
    // CosMap on rectified flow visits the log-SNRs of the cosine path.
    double[] mapped = ExactSampling.densityTimes(path, new CosMap(), 10);
    for (int i = 1; i < 10; i++) {
      assertThat(path.logSnr(mapped[i]))
          .isCloseTo(new Cosine().logSnr(1 - i / 10.0), within(1e-12));
    }
    double[] linear = ExactSampling.uniformTimes(new Edm(-1.2, 1.2), 3);
    assertThat(new Edm(-1.2, 1.2).b(linear[0])).isCloseTo(80, within(1e-6));
    assertThat(linear[3]).isZero();
  }

  /** The model runs on the pipeline's float samplers too. */
  @Test
  void floatSamplersRunOnTheModel() {
    PathScheduler scheduler =
        new PathScheduler(
            new RectifiedFlow(),
            Prediction.VELOCITY,
            EULER,
            TimeGrid.Uniform.of(new RectifiedFlow()),
            1000);
    Schedule schedule = scheduler.schedule(ScheduleRequest.ofSteps(25));
    Stepper stepper = scheduler.stepper(schedule);
    ExactModel model = new ExactModel(BROAD, new RectifiedFlow(), Prediction.VELOCITY);
    float[] sample = {1};
    while (!stepper.done()) {
      sample = stepper.step(model.output(stepper.modelInput(sample), stepper.sigma()), sample);
    }
    assertThat((double) sample[0]).isCloseTo(0.471201, within(1e-6));
  }

  /** Guidance 1 is the condition; guidance 0 the data; more pushes away from other classes. */
  @Test
  void guidance() {
    GaussianMixture data = GaussianMixture.uniform(new double[][] {{-1, 0}, {1, 0}}, 0.3);
    ExactModel model = new ExactModel(data, new RectifiedFlow(), Prediction.VELOCITY);
    double[] z = {0.2, 0.1};
    double[] unconditional = model.output(z, 0.6);
    double[] conditional =
        new ExactModel(data.component(1), new RectifiedFlow(), Prediction.VELOCITY).output(z, 0.6);
    assertThat(model.guided(data.component(1), 1).output(z, 0.6)).containsExactly(conditional);
    assertThat(model.guided(data.component(1), 0).output(z, 0.6)).containsExactly(unconditional);
    double[] times = ExactSampling.uniformTimes(new RectifiedFlow(), 50);
    double[] noise = {-0.4, 0.2};
    double plain = ExactSampling.sample(model.guided(data.component(1), 1), EULER, times, noise)[0];
    double guided =
        ExactSampling.sample(model.guided(data.component(1), 5), EULER, times, noise)[0];
    assertThat(guided).isGreaterThan(plain + 0.1);
  }

  @Test
  void trajectoriesHoldAllStates() {
    ExactModel model = new ExactModel(BROAD, new EdmRf(), Prediction.F);
    List<double[]> states =
        ExactSampling.trajectory(
            model, DDIM, ExactSampling.uniformTimes(new EdmRf(), 6), new double[] {0.5});
    assertThat(states).hasSize(7);
    assertThat(states.getFirst()[0]).isCloseTo(40, within(1e-9));
  }

  @Test
  void refusesWrongRequests() {
    RectifiedFlow path = new RectifiedFlow();
    ExactModel model = new ExactModel(BROAD, path, Prediction.VELOCITY);
    double[] times = ExactSampling.uniformTimes(path, 2);
    assertThatThrownBy(() -> ExactSampling.sample(model, EULER, times, new double[2]))
        .hasMessageContaining("the noise has 2 values, the data 1");
    assertThatThrownBy(() -> ExactSampling.densityTimes(path, new Uniform(), 0))
        .hasMessageContaining("steps must be at least 1, found 0");
    assertThatThrownBy(() -> ExactSampling.error(new LineMixture(BROAD), path, EULER, times, 0))
        .hasMessageContaining("points must be at least 1");
    assertThatThrownBy(() -> model.guided(GaussianMixtureTest.PLANE, 2))
        .hasMessageContaining("the condition has 2 dimensions, the data 1");
    assertThatThrownBy(() -> model.guided(BROAD, Double.NaN))
        .hasMessageContaining("guidance must be finite");
  }
}
