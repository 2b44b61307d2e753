package org.rectiflow.pipeline;

import org.rectiflow.scheduler.FlowMatchConfig;
import org.rectiflow.scheduler.FlowMatchEulerDiscrete;
import org.rectiflow.scheduler.FlowMatchHeunDiscrete;
import org.rectiflow.scheduler.PathScheduler;
import org.rectiflow.scheduler.Scheduler;

/** The schedulers by the names the command line knows them by. */
public enum SamplerChoice {
  /** FlowMatchEulerDiscrete, diffusers' default. */
  EULER,
  /** FlowMatchHeunDiscrete. */
  HEUN,
  /** DPM-Solver++(2M), the reference code's default. */
  DPMPP_2M;

  /**
   * The scheduler.
   *
   * @throws IllegalArgumentException if it does not have an option that {@code config} sets
   */
  public Scheduler create(FlowMatchConfig config) {
    return switch (this) {
      case EULER -> new FlowMatchEulerDiscrete(config);
      case HEUN -> FlowMatchHeunDiscrete.of(config);
      case DPMPP_2M -> PathScheduler.dpmSolver2M(config);
    };
  }

  @Override
  public String toString() {
    return name().toLowerCase(java.util.Locale.ROOT);
  }
}
