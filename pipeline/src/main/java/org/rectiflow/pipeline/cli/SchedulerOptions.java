package org.rectiflow.pipeline.cli;

import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import org.rectiflow.pipeline.SamplerChoice;
import org.rectiflow.pipeline.io.UserException;
import org.rectiflow.scheduler.FlowMatchConfig;
import org.rectiflow.scheduler.ScheduleRequest;
import org.rectiflow.scheduler.StepOptions;
import org.rectiflow.scheduler.TimeShiftType;
import picocli.CommandLine.Option;

/** The options of {@code generate} and {@code schedule} that choose times and the way to step. */
final class SchedulerOptions {
  @Option(
      names = "--scheduler",
      paramLabel = "NAME",
      description = "${COMPLETION-CANDIDATES}; default: the preset's (euler).")
  Optional<SamplerChoice> scheduler;

  @Option(
      names = "--steps",
      paramLabel = "N",
      description = "Inference steps; default: the model's or the preset's.")
  Integer steps;

  @Option(
      names = "--shift",
      paramLabel = "A",
      description = "Static timestep shift alpha (paper, equation 23); default: the model's, 3.")
  Double shift;

  @Option(
      names = "--dynamic-shifting",
      description = "Shift by --mu, or by the picture's size, instead of --shift.")
  boolean dynamicShifting;

  @Option(
      names = "--mu",
      paramLabel = "M",
      description = "Shift of --dynamic-shifting; default: from the picture's size.")
  Double mu;

  @Option(
      names = "--time-shift-type",
      paramLabel = "TYPE",
      description = "How mu shifts: ${COMPLETION-CANDIDATES}.")
  TimeShiftType timeShiftType;

  @Option(
      names = "--spacing",
      paramLabel = "NAME",
      description =
          "Respaces the sigmas: ${COMPLETION-CANDIDATES}; default: evenly in time, then shifted.")
  Spacing spacing;

  @Option(
      names = "--shift-terminal",
      paramLabel = "S",
      description = "Stretch the schedule so that its last sigma is S.")
  Double shiftTerminal;

  @Option(names = "--invert-sigmas", description = "Run from sigma 0 to 1 (Mochi's convention).")
  boolean invertSigmas;

  @Option(
      names = "--stochastic",
      description = "Predict the data and noise it anew at each step (euler only).")
  boolean stochastic;

  @Option(
      names = "--sigmas",
      split = ",",
      paramLabel = "S",
      description = "Own sigmas, largest first, without the final 0; they are shifted as well.")
  List<Double> sigmas;

  @Option(
      names = "--timesteps",
      split = ",",
      paramLabel = "T",
      description = "Own timesteps (1000 sigma), largest first; they are shifted as well.")
  List<Double> timesteps;

  @Option(
      names = "--s-churn",
      paramLabel = "X",
      defaultValue = "0",
      description = "Noise added at each step (heun only; Karras et al. 2022).")
  double churn;

  @Option(
      names = "--s-tmin",
      paramLabel = "X",
      defaultValue = "0",
      description = "Churn above this sigma only.")
  double tmin;

  @Option(
      names = "--s-tmax",
      paramLabel = "X",
      defaultValue = "Infinity",
      description = "Churn below this sigma only.")
  double tmax;

  @Option(
      names = "--s-noise",
      paramLabel = "X",
      defaultValue = "1",
      description = "Scale of the churn's noise.")
  double noise;

  /** Ways to respace sigmas. */
  enum Spacing {
    karras,
    exponential,
    beta
  }

  /** {@code base}, changed as the options say. */
  FlowMatchConfig config(FlowMatchConfig base) {
    FlowMatchConfig.Builder b = base.toBuilder();
    if (shift != null) {
      b.shift(shift).useDynamicShifting(false);
    }
    if (dynamicShifting) {
      b.useDynamicShifting(true);
    }
    if (timeShiftType != null) {
      b.timeShiftType(timeShiftType);
    }
    if (spacing != null) {
      b.useKarrasSigmas(spacing == Spacing.karras)
          .useExponentialSigmas(spacing == Spacing.exponential)
          .useBetaSigmas(spacing == Spacing.beta);
    }
    if (shiftTerminal != null) {
      b.shiftTerminal(shiftTerminal);
    }
    if (invertSigmas) {
      b.invertSigmas(true);
    }
    if (stochastic) {
      b.stochasticSampling(true);
    }
    return b.build();
  }

  /** What is asked of the schedule; {@code defaultSteps} if neither steps nor lists are given. */
  ScheduleRequest request(int defaultSteps) {
    if (steps != null && steps < 1) {
      throw new UserException("--steps must be at least 1, got " + steps);
    }
    boolean own = sigmas != null || timesteps != null;
    OptionalInt n =
        steps != null
            ? OptionalInt.of(steps)
            : own ? OptionalInt.empty() : OptionalInt.of(defaultSteps);
    return new ScheduleRequest(
        n,
        Optional.ofNullable(sigmas),
        Optional.ofNullable(timesteps),
        mu == null ? OptionalDouble.empty() : OptionalDouble.of(mu));
  }

  StepOptions stepOptions() {
    return StepOptions.defaults().withChurn(churn, tmin, tmax, noise);
  }
}
