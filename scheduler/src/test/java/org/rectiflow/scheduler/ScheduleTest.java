package org.rectiflow.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class ScheduleTest {

  private static final FlowMatchEulerDiscrete SHIFT_3 =
      new FlowMatchEulerDiscrete(FlowMatchConfig.builder().shift(3).build());

  @Test
  void trainingTableIsShiftedOnce() {
    TrainingTable table = SHIFT_3.trainingTable();
    assertThat(table.size()).isEqualTo(1000);
    assertThat(table.sigmaMax()).isEqualTo(1.0);
    assertThat(table.sigmaMin()).isEqualTo(0.002994012087583542);
    FlowMatchEulerDiscrete dynamic =
        new FlowMatchEulerDiscrete(
            FlowMatchConfig.builder().shift(3).useDynamicShifting(true).build());
    assertThat(dynamic.trainingTable().sigmaMin()).isEqualTo(0.001f);
  }

  @Test
  void setShiftLeavesTheRangeOfTheConstructor() {
    Schedule schedule =
        new FlowMatchEulerDiscrete(FlowMatchConfig.defaults())
            .withShift(7)
            .schedule(ScheduleRequest.ofSteps(20));
    assertThat(schedule.timestep(1)).isCloseTo(992.1342f, within(1e-4f));
    assertThat(schedule.timestep(18)).isCloseTo(283.8139f, within(1e-4f));
    assertThat(schedule.timestep(19)).isCloseTo(6.9583f, within(1e-4f));
  }

  @Test
  void conversionsAtFiveSteps() {
    assertSigmas(
        FlowMatchConfig.builder().shift(3).useKarrasSigmas(true),
        1.0,
        0.40032154,
        0.13959911,
        0.04037271,
        0.00892857,
        0);
    assertSigmas(
        FlowMatchConfig.builder().shift(3).useExponentialSigmas(true),
        1.0,
        0.30739409,
        0.09449112,
        0.02904601,
        0.00892857,
        0);
    assertSigmas(
        FlowMatchConfig.builder().shift(3).useBetaSigmas(true),
        1.0,
        0.82588822,
        0.50446427,
        0.18304038,
        0.00892857,
        0);
    assertSigmas(
        FlowMatchConfig.builder().shift(3).shiftTerminal(0.1),
        1.0,
        0.90951526,
        0.77399105,
        0.54865670,
        0.1,
        0);
    assertSigmas(
        FlowMatchConfig.builder().shift(3).shiftTerminal(0),
        1.0,
        0.90035909,
        0.75112110,
        0.50298506,
        0.00892857,
        0);
  }

  private static void assertSigmas(FlowMatchConfig.Builder config, double... expected) {
    float[] sigmas =
        new FlowMatchEulerDiscrete(config.build()).schedule(ScheduleRequest.ofSteps(5)).sigmas();
    assertThat(sigmas).hasSize(expected.length);
    for (int i = 0; i < expected.length; i++) {
      assertThat((double) sigmas[i]).isCloseTo(expected[i], within(5.1e-9 + 6e-8 * expected[i]));
    }
  }

  @Test
  void muIsALineThroughBaseAndMaximum() {
    FlowMatchConfig config = FlowMatchConfig.defaults();
    assertThat(config.mu(256)).isCloseTo(0.5, within(1e-15));
    assertThat(config.mu(1024)).isCloseTo(0.63, within(1e-15));
    assertThat(config.mu(4096)).isCloseTo(1.15, within(1e-15));
    assertThat(Math.exp(config.mu(4096))).isCloseTo(3.158193, within(5e-7));
  }

  @Test
  void sigmasDecideWhereTimestepsAreGivenToo() {
    ScheduleRequest both =
        new ScheduleRequest(
            OptionalInt.of(2),
            Optional.of(List.of(1.0, 0.5)),
            Optional.of(List.of(900.0, 100.0)),
            OptionalDouble.empty());
    assertThat(SHIFT_3.schedule(both).sigmas()).containsExactly(1f, 0.75f, 0f);
    assertThat(SHIFT_3.schedule(both).timesteps()).containsExactly(1000f, 750f);
  }

  @Test
  void repeatedTimestepsMeanTheSecond() {
    Schedule heun = new FlowMatchHeunDiscrete(1000, 3).schedule(ScheduleRequest.ofSteps(4));
    assertThat(heun.indexForTimestep(heun.timestep(0))).isEqualTo(0);
    assertThat(heun.indexForTimestep(heun.timestep(1))).isEqualTo(2);
    assertThatThrownBy(() -> heun.indexForTimestep(3))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("3.0 is not in the schedule")
        .hasMessageContaining("not its index");
  }

  @Test
  void scaleNoiseMixesEachImageAtItsSigma() {
    Schedule schedule = SHIFT_3.schedule(ScheduleRequest.ofSigmas(List.of(1.0, 0.5)));
    float[] sample = {1, 2, 3, 4};
    float[] noise = {-1, -2, -3, -4};
    assertThat(schedule.scaleNoise(sample, noise, 0, 1)).containsExactly(-1f, -2f, -1.5f, -2f);
    assertThat(schedule.scaleNoise(sample, noise, 1)).containsExactly(-0.5f, -1f, -1.5f, -2f);
    assertThat(SHIFT_3.trainingTable().scaleNoise(sample, noise, 0)).containsExactly(noise);
    assertThatThrownBy(() -> schedule.scaleNoise(sample, new float[3], 0))
        .hasMessageContaining("noise");
    assertThatThrownBy(() -> schedule.scaleNoise(sample, noise, 0, 1, 0))
        .hasMessageContaining("one index per image");
  }

  @Test
  void requestsThatDoNotFitAreRefused() {
    assertRefused(() -> ScheduleRequest.ofSteps(0), "at least 1, found 0");
    assertRefused(() -> ScheduleRequest.ofSigmas(List.of()), "sigmas is empty");
    assertRefused(() -> ScheduleRequest.ofTimesteps(List.of(1.0, Double.NaN)), "found NaN");
    assertRefused(
        () -> ScheduleRequest.ofSteps(3).withMu(Double.NaN), "mu must be a finite number");
    Optional<List<Double>> two = Optional.of(List.of(1.0, 0.5));
    Optional<List<Double>> three = Optional.of(List.of(900.0, 500.0, 100.0));
    assertRefused(
        () -> new ScheduleRequest(OptionalInt.empty(), two, three, OptionalDouble.empty()),
        "same length, found 2 and 3");
    assertRefused(
        () ->
            new ScheduleRequest(OptionalInt.of(2), Optional.empty(), three, OptionalDouble.empty()),
        "timesteps must have one value per inference step");
    assertRefused(
        () -> new ScheduleRequest(OptionalInt.of(3), two, Optional.empty(), OptionalDouble.empty()),
        "sigmas must have one value per inference step");
    assertRefused(
        () ->
            new ScheduleRequest(
                OptionalInt.empty(), Optional.empty(), Optional.empty(), OptionalDouble.empty()),
        "none is given");
    FlowMatchConfig dynamic = FlowMatchConfig.builder().useDynamicShifting(true).build();
    assertRefused(
        () -> new FlowMatchEulerDiscrete(dynamic).schedule(ScheduleRequest.ofSteps(4)),
        "the schedule needs mu");
    FlowMatchConfig terminal = FlowMatchConfig.builder().shiftTerminal(0.1).build();
    assertRefused(
        () -> new FlowMatchEulerDiscrete(terminal).schedule(ScheduleRequest.ofSteps(1)),
        "at least 2 steps");
    FlowMatchConfig exponential = FlowMatchConfig.builder().useExponentialSigmas(true).build();
    assertRefused(
        () ->
            new FlowMatchEulerDiscrete(exponential)
                .schedule(ScheduleRequest.ofSigmas(List.of(1.0, 0.0))),
        "above 0");
    assertRefused(
        () -> new FlowMatchHeunDiscrete(1000, 3).schedule(ScheduleRequest.ofSigmas(List.of(1.0))),
        "takes a number of steps only");
  }

  @Test
  void configurationsThatCannotWorkAreRefused() {
    assertRefused(
        () -> FlowMatchConfig.builder().shift(0).build(),
        "shift must be a positive number, found 0.0");
    assertRefused(
        () -> FlowMatchConfig.builder().numTrainTimesteps(0).build(), "num_train_timesteps");
    assertRefused(() -> FlowMatchConfig.builder().shiftTerminal(1).build(), "shift_terminal");
    assertRefused(() -> FlowMatchConfig.builder().maxImageSeqLen(256).build(), "max_image_seq_len");
    assertRefused(
        () -> FlowMatchConfig.builder().useKarrasSigmas(true).useBetaSigmas(true).build(),
        "Only one of use_beta_sigmas, use_exponential_sigmas and use_karras_sigmas can be true, found 2");
    assertRefused(
        () -> TimeShiftType.fromConfigName("cubic"), "exponential, linear, found 'cubic'");
    assertRefused(
        () -> FlowMatchHeunDiscrete.of(FlowMatchConfig.builder().useKarrasSigmas(true).build()),
        "no use_karras_sigmas");
    assertRefused(() -> SHIFT_3.withShift(-1), "shift must be a positive number");
  }

  @Test
  void builderKeepsEveryKey() {
    FlowMatchConfig config =
        new FlowMatchConfig(
            10,
            2,
            true,
            0.1,
            0.2,
            3,
            4,
            true,
            OptionalDouble.of(0.3),
            false,
            false,
            true,
            TimeShiftType.LINEAR,
            true);
    assertThat(config.toBuilder().build()).isEqualTo(config);
    assertThat(config.toBuilder().noShiftTerminal().build().shiftTerminal()).isEmpty();
  }

  private static void assertRefused(
      org.assertj.core.api.ThrowableAssert.ThrowingCallable call, String message) {
    assertThatThrownBy(call)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
  }
}
