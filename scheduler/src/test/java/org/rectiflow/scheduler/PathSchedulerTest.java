package org.rectiflow.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.rectiflow.scheduler.formulation.Formulation;
import org.rectiflow.scheduler.path.Cosine;
import org.rectiflow.scheduler.path.Edm;
import org.rectiflow.scheduler.path.Prediction;
import org.rectiflow.scheduler.path.RectifiedFlow;
import org.rectiflow.scheduler.path.ResolutionShift;
import org.rectiflow.scheduler.solver.Solver;

class PathSchedulerTest {

  private static final FlowMatchConfig SHIFT_3 = FlowMatchConfig.builder().shift(3).build();
  private static final Solver EULER = new Solver.Euler(Solver.Variable.TIME);
  private static final Solver HEUN = new Solver.Heun(Solver.Variable.TIME);

  private static PathScheduler flow(Solver solver) {
    return new PathScheduler(
        new RectifiedFlow(),
        Prediction.VELOCITY,
        solver,
        new TimeGrid.FlowMatch(new FlowMatchEulerDiscrete(SHIFT_3)),
        1000);
  }

  private static float[] run(Scheduler scheduler, int steps, int begin, float... start) {
    Schedule schedule = scheduler.schedule(ScheduleRequest.ofSteps(steps));
    Stepper stepper = scheduler.stepper(schedule, StepOptions.defaults().withBeginIndex(begin));
    float[] sample = start;
    int calls = 0;
    while (!stepper.done()) {
      float[] input = stepper.modelInput(sample);
      float[] velocity = new float[input.length];
      for (int i = 0; i < input.length; i++) {
        velocity[i] = (float) Math.sin(1.7 * input[i] + 0.001 * stepper.timestep());
      }
      sample = stepper.step(velocity, sample);
      calls++;
    }
    assertThat(calls).isEqualTo(schedule.modelCalls() - begin);
    assertThat(stepper.remainingCalls()).isZero();
    return sample;
  }

  @Test
  void onRectifiedFlowEulerAndHeunAreTheFlowMatchSchedulers() {
    float[] start = {0.3f, -1.2f, 2.5f};
    assertClose(
        run(flow(EULER), 9, 0, start), run(new FlowMatchEulerDiscrete(SHIFT_3), 9, 0, start));
    assertClose(
        run(flow(EULER), 9, 4, start), run(new FlowMatchEulerDiscrete(SHIFT_3), 9, 4, start));
    assertClose(run(flow(HEUN), 9, 0, start), run(FlowMatchHeunDiscrete.of(SHIFT_3), 9, 0, start));
    assertClose(run(flow(HEUN), 9, 6, start), run(FlowMatchHeunDiscrete.of(SHIFT_3), 9, 6, start));
    Schedule own = flow(HEUN).schedule(ScheduleRequest.ofSteps(9));
    Schedule diffusers = FlowMatchHeunDiscrete.of(SHIFT_3).schedule(ScheduleRequest.ofSteps(9));
    assertThat(own.timesteps()).containsExactly(diffusers.timesteps());
    assertThat(own.sigmas()).containsExactly(diffusers.sigmas());
  }

  private static void assertClose(float[] actual, float[] expected) {
    double difference = Golden.largestDifference(actual, expected);
    System.out.printf("largest difference %.1e%n", difference);
    assertThat(difference).isLessThan(2e-6);
  }

  /**
   * Data N(0, 1/4): the exact flow halves the noise, and the optimal velocity is known. Steps equal
   * in ln(sigma) suit the extrapolation; the default schedule, whose last step before 0 is long in
   * it, does not.
   */
  @Test
  void dpmSolverIsCloserThanEulerWithAsManyCalls() {
    FlowMatchConfig config = FlowMatchConfig.builder().shift(3).useExponentialSigmas(true).build();
    double euler = Math.abs(halved(new FlowMatchEulerDiscrete(config)) - 0.5);
    double dpm = Math.abs(halved(PathScheduler.dpmSolver2M(config)) - 0.5);
    System.out.printf("error at 28 steps: euler %.1e, dpmpp_2m %.1e%n", euler, dpm);
    assertThat(dpm).isLessThan(0.2 * euler);
  }

  private static double halved(Scheduler scheduler) {
    Schedule schedule = scheduler.schedule(ScheduleRequest.ofSteps(28));
    Stepper stepper = scheduler.stepper(schedule);
    float[] sample = {1};
    while (!stepper.done()) {
      double t = stepper.sigma();
      double data = (1 - t) * 0.25 / ((1 - t) * (1 - t) * 0.25 + t * t) * sample[0];
      sample = stepper.step(new float[] {(float) ((sample[0] - data) / t)}, sample);
    }
    return sample[0];
  }

  @Test
  void referenceGridIsThatOfDiffusersUpToRounding() {
    for (int steps : new int[] {1, 4, 28, 50}) {
      float[] reference =
          PathScheduler.reference(EULER, 3).schedule(ScheduleRequest.ofSteps(steps)).sigmas();
      float[] diffusers =
          new FlowMatchEulerDiscrete(SHIFT_3).schedule(ScheduleRequest.ofSteps(steps)).sigmas();
      double difference = Golden.largestDifference(reference, diffusers);
      System.out.printf("%d steps: largest difference of the sigmas %.1e%n", steps, difference);
      assertThat(difference).isLessThan(2e-7);
    }
  }

  @Test
  void paperGridIsShiftedOnce() {
    Schedule schedule = PathScheduler.paper(3).schedule(ScheduleRequest.ofSteps(4));
    assertThat(schedule.sigmas()).containsExactly(1f, 0.9f, 0.75f, 0.5f, 0f);
    assertThat(schedule.timesteps()).containsExactly(1000f, 900f, 750f, 500f);
    Schedule own = PathScheduler.paper(3).schedule(ScheduleRequest.ofSigmas(List.of(0.5, 0.25)));
    assertThat(own.sigmas()).containsExactly(0.75f, 0.5f, 0f);
  }

  @Test
  void shiftOnOtherPathsMovesTheLogSnr() {
    Cosine cosine = new Cosine();
    TimeGrid grid = new TimeGrid.Uniform(1, new ResolutionShift(3));
    double[] times = grid.times(cosine, ScheduleRequest.ofSteps(4));
    assertThat(times[0]).isEqualTo(1);
    assertThat(cosine.logSnr(times[2]))
        .isCloseTo(cosine.logSnr(0.5) - 2 * Math.log(3), within(1e-14));
    assertThat(times[4]).isEqualTo(0);
  }

  @Test
  void karrasGridOnEdm() {
    Edm edm = new Edm(-1.2, 1.2);
    double[] times = TimeGrid.Karras.defaults().times(edm, ScheduleRequest.ofSteps(18));
    assertThat(edm.b(times[0])).isCloseTo(80, within(1e-7));
    assertThat(edm.b(times[17])).isCloseTo(0.002, within(1e-12));
    double third =
        Math.pow(
            Math.pow(80, 1 / 7.0) + 2 / 17.0 * (Math.pow(0.002, 1 / 7.0) - Math.pow(80, 1 / 7.0)),
            7);
    assertThat(edm.b(times[2])).isCloseTo(third, within(1e-8));
    assertThat(times[18]).isEqualTo(0);
  }

  @Test
  void edmScalesTheInputOfItsNetwork() {
    Formulation formulation = Formulation.parse("edm(-1.20,1.20)");
    PathScheduler scheduler =
        formulation.scheduler(
            new Solver.Euler(Solver.Variable.NOISE_RATIO), TimeGrid.Karras.defaults());
    Schedule schedule = scheduler.schedule(ScheduleRequest.ofSteps(3));
    Stepper stepper = scheduler.stepper(schedule);
    assertThat(stepper.modelInput(new float[] {80})[0])
        .isCloseTo((float) (80 / Math.hypot(80, 0.5)), within(1e-6f));
    // The time keeps its digits next to 1, where a float has none left.
    assertThat(((Edm) formulation.path()).b(schedule.time(0))).isCloseTo(80, within(1e-7));
    assertThat(stepper.timestep()).isCloseTo(1000f, within(0.01f));
  }

  @Test
  void everyFormulationOfTheStudySamples() {
    for (Formulation formulation : Formulation.study()) {
      PathScheduler scheduler =
          formulation.scheduler(new Solver.Euler(Solver.Variable.NOISE_RATIO));
      Schedule schedule = scheduler.schedule(ScheduleRequest.ofSteps(6));
      Stepper stepper = scheduler.stepper(schedule);
      // Data of one point, 0.25, predicted perfectly: every method must end there.
      float[] sample = {
        (float)
            (0.25 * formulation.path().a(schedule.time(0)) + formulation.path().startScale() * 0.7)
      };
      while (!stepper.done()) {
        double t = schedule.time(stepper.call());
        double noise = (sample[0] - formulation.path().a(t) * 0.25) / formulation.path().b(t);
        sample = stepper.step(new float[] {(float) formulation.target(t, 0.25, noise)}, sample);
      }
      assertThat(sample[0]).as(formulation.name()).isCloseTo(0.25f, within(1e-4f));
    }
  }

  @Test
  void whatDoesNotFitIsRefused() {
    FlowMatchConfig inverted = FlowMatchConfig.builder().invertSigmas(true).build();
    assertThatThrownBy(() -> PathScheduler.dpmSolver2M(inverted))
        .hasMessageContaining("invert_sigmas");
    assertThatThrownBy(() -> flow(EULER).schedule(ScheduleRequest.ofSigmas(List.of(0.5, 0.7))))
        .hasMessageContaining("decrease strictly");
    assertThatThrownBy(() ->
            PathScheduler.reference(EULER, 3).schedule(ScheduleRequest.ofSigmas(List.of(0.5))))
        .hasMessageContaining("takes a number of steps only");
    assertThatThrownBy(() -> PathScheduler.reference(EULER, -3))
        .hasMessageContaining("alpha must be positive");
    assertThatThrownBy(() -> new TimeGrid.Karras(1, 1, 7))
        .hasMessageContaining("sigma_min < sigma_max");
    assertThatThrownBy(
            () -> TimeGrid.Karras.defaults().times(new Edm(-1.2, 0.6), ScheduleRequest.ofSteps(5)))
        .hasMessageContaining("lower sigma_max");
    assertThatThrownBy(() -> new TimeGrid.Uniform(0, new ResolutionShift(1)))
        .hasMessageContaining("(0, 1]");
    Schedule schedule = flow(HEUN).schedule(ScheduleRequest.ofSteps(3));
    assertThatThrownBy(() -> flow(HEUN).stepper(schedule, StepOptions.defaults().withBeginIndex(1)))
        .hasMessageContaining("an even index");
    StepOptions churn =
        StepOptions.defaults().withChurn(1, 0, 1, 1).withGenerator(new TorchGenerator(0));
    assertThatThrownBy(() -> flow(HEUN).stepper(schedule, churn)).hasMessageContaining("s_churn");
    Stepper over = flow(HEUN).stepper(schedule, StepOptions.defaults().withBeginIndex(4));
    over.step(new float[1], new float[1]);
    assertThatThrownBy(() -> over.step(new float[1], new float[1]))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> over.modelInput(new float[1]))
        .isInstanceOf(IllegalStateException.class);
  }
}
