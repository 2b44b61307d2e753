package org.rectiflow.scheduler;

import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * What a schedule is asked for: the arguments of diffusers' {@code set_timesteps}. At least one of
 * steps, sigmas and timesteps is given.
 *
 * @param steps number of inference steps; with sigmas or timesteps it must be their length
 * @param sigmas own sigmas in [0, 1] without the final 0. As in diffusers the scheduler still
 *     shifts them
 * @param timesteps own timesteps in [0, numTrainTimesteps], shifted like sigmas = timesteps /
 *     numTrainTimesteps; where sigmas are given too, the sigmas decide
 * @param mu the shift of dynamic shifting; ignored, as in diffusers, by a scheduler with static
 *     shift
 */
public record ScheduleRequest(
    OptionalInt steps,
    Optional<List<Double>> sigmas,
    Optional<List<Double>> timesteps,
    OptionalDouble mu) {

  /**
   * Checks lengths and finiteness.
   *
   * @throws IllegalArgumentException if nothing is asked for, a list is empty or holds a value that
   *     is no finite non-negative number, or lengths differ
   */
  public ScheduleRequest {
    sigmas = sigmas.map(values -> checked("sigmas", values));
    timesteps = timesteps.map(values -> checked("timesteps", values));
    if (steps.isEmpty() && sigmas.isEmpty() && timesteps.isEmpty()) {
      throw new IllegalArgumentException(
          "A schedule needs a number of steps, sigmas or timesteps; none is given.");
    }
    if (steps.isPresent() && steps.getAsInt() < 1) {
      throw new IllegalArgumentException(
          "The number of inference steps must be at least 1, found " + steps.getAsInt() + ".");
    }
    if (sigmas.isPresent()
        && timesteps.isPresent()
        && sigmas.get().size() != timesteps.get().size()) {
      throw new IllegalArgumentException(
          "sigmas and timesteps must have the same length, found "
              + sigmas.get().size()
              + " and "
              + timesteps.get().size()
              + ".");
    }
    if (steps.isPresent()) {
      requireLength("sigmas", sigmas, steps.getAsInt());
      requireLength("timesteps", timesteps, steps.getAsInt());
    }
    if (mu.isPresent() && !Double.isFinite(mu.getAsDouble())) {
      throw new IllegalArgumentException(
          "mu must be a finite number, found " + mu.getAsDouble() + ".");
    }
  }

  /** A number of steps; the scheduler chooses the sigmas. */
  public static ScheduleRequest ofSteps(int steps) {
    return new ScheduleRequest(
        OptionalInt.of(steps), Optional.empty(), Optional.empty(), OptionalDouble.empty());
  }

  /** Own sigmas, before the scheduler's shift and without the final 0. */
  public static ScheduleRequest ofSigmas(List<Double> sigmas) {
    return new ScheduleRequest(
        OptionalInt.empty(), Optional.of(sigmas), Optional.empty(), OptionalDouble.empty());
  }

  /** Own timesteps, before the scheduler's shift. */
  public static ScheduleRequest ofTimesteps(List<Double> timesteps) {
    return new ScheduleRequest(
        OptionalInt.empty(), Optional.empty(), Optional.of(timesteps), OptionalDouble.empty());
  }

  /** The same with the shift of dynamic shifting. */
  public ScheduleRequest withMu(double value) {
    return new ScheduleRequest(steps, sigmas, timesteps, OptionalDouble.of(value));
  }

  /** The number of steps that comes out. */
  public int length() {
    return steps.orElseGet(() -> sigmas.or(() -> timesteps).orElseThrow().size());
  }

  private static List<Double> checked(String name, List<Double> values) {
    List<Double> copy = List.copyOf(values);
    if (copy.isEmpty()) {
      throw new IllegalArgumentException(
          "The list of " + name + " is empty; give at least one value.");
    }
    for (double value : copy) {
      if (!(value >= 0) || Double.isInfinite(value)) {
        throw new IllegalArgumentException(
            "Each of the " + name + " must be a finite number >= 0, found " + value + ".");
      }
    }
    return copy;
  }

  private static void requireLength(String name, Optional<List<Double>> values, int steps) {
    if (values.isPresent() && values.get().size() != steps) {
      throw new IllegalArgumentException(
          name
              + " must have one value per inference step where both are given, found "
              + values.get().size()
              + " values and "
              + steps
              + " steps.");
    }
  }
}
