package org.rectiflow.pipeline;

import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.rectiflow.pipeline.picture.Picture.Rounding;
import org.rectiflow.scheduler.ScheduleRequest;

/**
 * The three parents' choices where they disagree. Each is an explicit setting; a preset names a
 * bundle of them, and flags override single ones.
 *
 * <p>Sources: diffusers 0.40 ({@code StableDiffusion3Pipeline}); Stability's sd3.5 and sd3-ref
 * repositories; the paper's Sections 3 to 5 and Appendix B.
 */
public enum Preset {
  /** What diffusers draws by default. */
  DIFFUSERS(256, SamplerChoice.EULER, 28, 7.0, Rounding.NEAREST, false),
  /**
   * Stability's reference code: T5 at 77 tokens, 50 steps of DPM-Solver++(2M), guidance 5, levels
   * rounded down. The shift stays the model's own, 3; the sd3.5 repository has 1 for SD3-medium,
   * its predecessor sd3-ref had 3.
   */
  REFERENCE(77, SamplerChoice.DPMPP_2M, 50, 5.0, Rounding.DOWN, false),
  /**
   * The paper: T5 at 77 tokens, 50 Euler steps whose times are shifted once (equation 23), guidance
   * 5; the unconditional prompt is the zeros that training dropped encoders to.
   */
  PAPER(77, SamplerChoice.EULER, 50, 5.0, Rounding.NEAREST, true);

  private final int t5Tokens;
  private final SamplerChoice sampler;
  private final int steps;
  private final double guidance;
  private final Rounding rounding;
  private final boolean zeroUnconditional;

  Preset(
      int t5Tokens,
      SamplerChoice sampler,
      int steps,
      double guidance,
      Rounding rounding,
      boolean zeroUnconditional) {
    this.t5Tokens = t5Tokens;
    this.sampler = sampler;
    this.steps = steps;
    this.guidance = guidance;
    this.rounding = rounding;
    this.zeroUnconditional = zeroUnconditional;
  }

  /** Length of T5's sequence, if the tokenizer allows as many. */
  public int t5Tokens() {
    return t5Tokens;
  }

  public int steps() {
    return steps;
  }

  public double guidance() {
    return guidance;
  }

  public Rounding rounding() {
    return rounding;
  }

  /** Whether an empty negative prompt means zeros instead of the encodings of "". */
  public boolean zeroUnconditional() {
    return zeroUnconditional;
  }

  /** The scheduler. */
  public SamplerChoice sampler() {
    return sampler;
  }

  /**
   * What to ask of the schedule. diffusers and the reference code shift the smallest sigma twice;
   * the paper's preset gives its own evenly spaced sigmas, so that all are shifted once.
   */
  public ScheduleRequest request(ScheduleRequest asked) {
    boolean own = asked.sigmas().isPresent() || asked.timesteps().isPresent();
    if (this != PAPER || own) {
      return asked;
    }
    int n = asked.length();
    List<Double> even = IntStream.range(0, n).mapToObj(i -> (double) (n - i) / n).toList();
    return new ScheduleRequest(asked.steps(), Optional.of(even), Optional.empty(), asked.mu());
  }

  /** As typed on the command line. */
  public String flag() {
    return name().toLowerCase(java.util.Locale.ROOT);
  }
}
