package org.rectiflow.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;

class StepperTest {

  private static final FlowMatchEulerDiscrete EULER =
      new FlowMatchEulerDiscrete(FlowMatchConfig.defaults());

  @Test
  void stochasticSamplingNoisesThePredictedDataAnew() {
    FlowMatchEulerDiscrete scheduler =
        new FlowMatchEulerDiscrete(FlowMatchConfig.builder().stochasticSampling(true).build());
    Schedule schedule = scheduler.schedule(ScheduleRequest.ofSigmas(List.of(1.0, 0.25)));
    assertThatThrownBy(() -> scheduler.stepper(schedule))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("needs a generator");
    Stepper stepper =
        scheduler.stepper(schedule, StepOptions.defaults().withGenerator(new TorchGenerator(3)));
    float[] noise = new TorchGenerator(3).randn(2);
    float[] out = stepper.step(new float[] {0.5f, -1f}, new float[] {2f, 4f});
    assertThat(out[0]).isEqualTo(0.75f * 1.5f + 0.25f * noise[0]);
    assertThat(out[1]).isEqualTo(0.75f * 5f + 0.25f * noise[1]);
    assertThat(stepper.step(new float[] {1f, 1f}, new float[] {1f, 2f}))
        .containsExactly(0.75f, 1.75f);
  }

  @Test
  void everyTokenMayHaveItsOwnTime() {
    Schedule schedule = EULER.schedule(ScheduleRequest.ofSigmas(List.of(1.0, 0.5, 0.25)));
    FlowMatchEulerStepper stepper = EULER.stepper(schedule, StepOptions.defaults());
    float[] out =
        stepper.step(
            new float[] {1, 1, 1, 1, 1, 1},
            new float[] {0, 10, 20, 30, 40, 50},
            new float[] {1000, 500, 200});
    // Next lower sigmas are 0.5, 0.25 and 0; the step is positive.
    assertThat(out).containsExactly(0.5f, 10.5f, 20.25f, 30.25f, 40.2f, 50.2f);
    assertThat(stepper.call()).isEqualTo(1);
    assertThatThrownBy(() -> stepper.step(new float[6], new float[6], new float[4]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("4 timesteps for 6 values");
  }

  @Test
  void churnIsIgnoredByEuler() {
    Schedule schedule = EULER.schedule(ScheduleRequest.ofSteps(2));
    float[] plain = EULER.stepper(schedule).step(new float[] {1}, new float[] {1});
    float[] churned =
        EULER
            .stepper(schedule, StepOptions.defaults().withChurn(5, 0, 10, 1))
            .step(new float[] {1}, new float[] {1});
    assertThat(churned).containsExactly(plain);
  }

  @Test
  void heunChurnsWithinItsRange() {
    FlowMatchHeunDiscrete heun = new FlowMatchHeunDiscrete(1000, 1);
    Schedule schedule = heun.schedule(ScheduleRequest.ofSteps(3));
    StepOptions options =
        StepOptions.defaults().withChurn(0.5, 0.6, 2, 1.25).withGenerator(new TorchGenerator(11));
    Stepper stepper = heun.stepper(schedule, options);
    TorchGenerator same = new TorchGenerator(11);
    float gammaPlusOne = (float) (0.5 / 5 + 1);
    float sigma = schedule.sigma(0);
    float next = schedule.sigma(1);
    float hat = sigma * gammaPlusOne;
    double root = Math.sqrt((double) hat * hat - (double) sigma * sigma);

    double start = 0.3 + same.randn(1)[0] * 1.25 * root;
    double slope = 2.0 * sigma / hat;
    float[] first = stepper.step(new float[] {2f}, new float[] {0.3f});
    assertThat((double) first[0]).isCloseTo(start + slope * (next - hat), within(1e-5));

    // The correction is churned too: fresh noise on the sample, none of which reaches the result
    // but by rounding.
    float[] second = stepper.step(new float[] {-1f}, first);
    assertThat((double) second[0])
        .isCloseTo(start + 0.5 * (slope - 1.0) * (next - hat), within(1e-5));

    // sigma 0.5 lies below s_tmin, so this step is plain.
    float[] third = stepper.step(new float[] {1f}, second);
    assertThat((double) third[0])
        .isCloseTo(second[0] + (schedule.sigma(3) - schedule.sigma(2)), within(1e-6));
  }

  @Test
  void heunNeedsAGeneratorForChurnAndBeginsAtAFirstCall() {
    FlowMatchHeunDiscrete heun = new FlowMatchHeunDiscrete(1000, 1);
    Schedule schedule = heun.schedule(ScheduleRequest.ofSteps(3));
    assertThatThrownBy(() -> heun.stepper(schedule, StepOptions.defaults().withChurn(1, 0, 1, 1)))
        .hasMessageContaining("s_churn draws noise");
    assertThatThrownBy(() -> heun.stepper(schedule, StepOptions.defaults().withBeginIndex(1)))
        .hasMessageContaining("an even index");
    Stepper later = heun.stepper(schedule, StepOptions.defaults().withBeginIndex(2));
    assertThat(later.remainingCalls()).isEqualTo(3);
    assertThat(later.sigma()).isEqualTo(schedule.sigma(2));
    assertThat(later.timestep()).isEqualTo(schedule.timestep(2));
  }

  @Test
  void aRunEnds() {
    Schedule schedule = EULER.schedule(ScheduleRequest.ofSteps(1));
    Stepper stepper = EULER.stepper(schedule);
    stepper.step(new float[1], new float[1]);
    assertThat(stepper.done()).isTrue();
    assertThatThrownBy(() -> stepper.step(new float[1], new float[1]))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("All 1 model calls");
  }

  @Test
  void whatDoesNotFitIsRefused() {
    Schedule schedule = EULER.schedule(ScheduleRequest.ofSteps(3));
    assertThatThrownBy(() -> EULER.stepper(schedule).step(new float[2], new float[3]))
        .hasMessageContaining("model output must have as many values as the sample, found 2 and 3");
    assertThatThrownBy(() -> EULER.stepper(schedule, StepOptions.defaults().withBeginIndex(4)))
        .hasMessageContaining("at most the number of model calls 3");
    assertThatThrownBy(() -> new FlowMatchHeunDiscrete(1000, 1).stepper(schedule))
        .hasMessageContaining("3 steps take 5 model calls here");
    assertThatThrownBy(() -> StepOptions.defaults().withBeginIndex(-1))
        .hasMessageContaining("begin index");
    assertThatThrownBy(() -> StepOptions.defaults().withChurn(-1, 0, 0, 0))
        .hasMessageContaining("s_churn");
  }
}
