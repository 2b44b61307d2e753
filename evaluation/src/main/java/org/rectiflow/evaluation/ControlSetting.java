package org.rectiflow.evaluation;

import java.util.ArrayList;
import java.util.List;

/**
 * One of the settings over which Table 1 averages ranks (Section 5.1.1, Appendix B.3): a dataset, a
 * choice of weights and a sampler.
 *
 * @param dataset name of the training set, for instance ImageNet
 * @param ema whether the averaged weights are sampled
 * @param steps Euler steps, at least 1
 * @param guidance classifier-free guidance scale
 */
public record ControlSetting(String dataset, boolean ema, int steps, double guidance) {

  /** Refuses what no sampler can run. */
  public ControlSetting {
    if (steps < 1) {
      throw new IllegalArgumentException("steps must be at least 1, found " + steps);
    }
    if (!Double.isFinite(guidance)) {
      throw new IllegalArgumentException("guidance must be finite, found " + guidance);
    }
  }

  /** A sampler of the study: its number of Euler steps and its guidance scale. */
  public record Sampler(int steps, double guidance) {}

  /** The six samplers of Appendix B.3, all Euler. */
  public static final List<Sampler> PAPER_SAMPLERS =
      List.of(
          new Sampler(50, 1.0),
          new Sampler(50, 2.5),
          new Sampler(50, 5.0),
          new Sampler(5, 5.0),
          new Sampler(10, 5.0),
          new Sampler(25, 5.0));

  /** The 24 settings of the paper: six samplers, with and without EMA, two datasets. */
  public static List<ControlSetting> paper() {
    List<ControlSetting> settings = new ArrayList<>();
    for (String dataset : List.of("ImageNet", "CC12M")) {
      for (boolean ema : new boolean[] {true, false}) {
        for (Sampler sampler : PAPER_SAMPLERS) {
          settings.add(new ControlSetting(dataset, ema, sampler.steps(), sampler.guidance()));
        }
      }
    }
    return List.copyOf(settings);
  }
}
