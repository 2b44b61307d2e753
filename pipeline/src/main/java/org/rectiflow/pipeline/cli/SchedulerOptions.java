package org.rectiflow.pipeline.cli;

import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import org.rectiflow.pipeline.SamplerChoice;
import org.rectiflow.pipeline.io.UsageException;
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
      description = "Noise added at each step (heun only; Karras et al. 2022); default: 0.")
  Double churn;

  @Option(
      names = "--s-tmin",
      paramLabel = "X",
      description = "Churn above this sigma only; default: 0.")
  Double tmin;

  @Option(
      names = "--s-tmax",
      paramLabel = "X",
      description = "Churn below this sigma only; default: no limit.")
  Double tmax;

  @Option(
      names = "--s-noise",
      paramLabel = "X",
      description = "Scale of the churn's noise; default: 1.")
  Double noise;

  /** More would be a slip: a thousand is what the network was trained with. */
  private static final int MOST_STEPS = 10_000;

  /** Ways to respace sigmas. */
  enum Spacing {
    karras,
    exponential,
    beta
  }

  /**
   * Looks at the options alone, before anything is opened.
   *
   * @throws UsageException if a value cannot be, or two options contradict each other
   */
  void check() {
    UsageException.requireWithin("--steps", 1, MOST_STEPS, steps);
    require(
        shift == null || shift > 0 && Double.isFinite(shift),
        "--shift must be a number above 0, got %s",
        shift);
    require(
        shiftTerminal == null || shiftTerminal >= 0 && shiftTerminal < 1,
        "--shift-terminal must be a number from 0 to below 1, got %s",
        shiftTerminal);
    require(mu == null || Double.isFinite(mu), "--mu must be a number, got %s", mu);
    require(
        shift == null || !dynamicShifting,
        "--shift and --dynamic-shifting are two ways to shift; leave one out");
    require(
        sigmas == null || timesteps == null,
        "--sigmas and --timesteps say the same in two ways; leave one out");
    requireFalling("--sigmas", sigmas, 1);
    requireFalling("--timesteps", timesteps, Double.POSITIVE_INFINITY);
    requireNotNegative("--s-churn", churn);
    requireNotNegative("--s-tmin", tmin);
    requireNotNegative("--s-noise", noise);
    require(
        tmax == null || tmax >= orElse(tmin, 0),
        "--s-tmax must be a number of at least --s-tmin (" + orElse(tmin, 0) + "), got %s",
        tmax);
  }

  /**
   * Looks at the options beside what is sampled with.
   *
   * @throws UsageException if one of them would change nothing
   */
  void check(FlowMatchConfig chosen, SamplerChoice sampler) {
    boolean shifts = mu != null || timeShiftType != null;
    require(
        !shifts || chosen.useDynamicShifting(),
        "%s is of dynamic shifting; add --dynamic-shifting",
        mu != null ? "--mu" : "--time-shift-type");
    boolean churns = churn != null || tmin != null || tmax != null || noise != null;
    require(
        !churns || sampler == SamplerChoice.HEUN,
        "--s-churn, --s-tmin, --s-tmax and --s-noise are of the scheduler heun, found %s; add --scheduler heun",
        sampler);
  }

  private static void require(boolean holds, String message, Object... arguments) {
    if (!holds) {
      throw new UsageException(message.formatted(arguments));
    }
  }

  private static void requireNotNegative(String flag, Double value) {
    require(
        value == null || value >= 0 && Double.isFinite(value),
        "%s must be a number of at least 0, got %s",
        flag,
        value);
  }

  private static void requireFalling(String flag, List<Double> values, double most) {
    double last = Double.POSITIVE_INFINITY;
    for (double value : values == null ? List.<Double>of() : values) {
      require(
          value > 0 && value <= most && value < last && Double.isFinite(value),
          "%s must fall from value to value and stay above 0%s, got %s",
          flag,
          Double.isFinite(most) ? " and at most %.0f".formatted(most) : "",
          values);
      last = value;
    }
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
    return StepOptions.defaults()
        .withChurn(
            orElse(churn, 0),
            orElse(tmin, 0),
            orElse(tmax, Double.POSITIVE_INFINITY),
            orElse(noise, 1));
  }

  private static double orElse(Double given, double initial) {
    return given == null ? initial : given;
  }
}
