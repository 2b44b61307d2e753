package org.rectiflow.study.run;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.rectiflow.study.measure.Sampled;

/**
 * A line of a study's results: what came of one run.
 *
 * @param id of the run
 * @param labels its value on each axis
 * @param status how it ended
 * @param error why it failed; empty if it did not
 * @param attempts how often it was begun or gone on with
 * @param measured what decided the measurements, so that they are taken anew if that changes
 * @param training what training gave; null if it failed
 * @param samples one measurement for each sampler and kind of weights; empty if it failed
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record RunResult(
    String id,
    Map<String, String> labels,
    Status status,
    String error,
    int attempts,
    String measured,
    Training training,
    List<Sampled> samples) {

  /** How a run ended. */
  public enum Status {
    /** Trained and measured. */
    FINISHED,
    /** Stopped by an error; tried again with {@code --retry}. */
    FAILED
  }

  /**
   * What training gave.
   *
   * @param steps taken
   * @param bestStep the checkpoint that was measured: that with the smallest validation loss
   * @param parameters numbers that are trained
   * @param depth blocks
   * @param stepFlops floating-point operations of a training step
   * @param seconds it took, interruptions left out; measuring is not in it
   * @param measuringSeconds what measuring took
   * @param validation losses over steps
   * @param attention Figure 5's quantities over steps
   */
  public record Training(
      long steps,
      long bestStep,
      long parameters,
      int depth,
      double stepFlops,
      double seconds,
      double measuringSeconds,
      List<Loss> validation,
      List<Attention> attention) {

    /** The smallest validation loss. */
    public double bestLoss() {
      return validation.stream().mapToDouble(Loss::loss).min().orElse(Double.NaN);
    }
  }

  /** A validation loss, stratified over eight timesteps, under EMA where there is one. */
  public record Loss(long step, double loss) {}

  /** Of each attention in order: the largest logit, and the mean entropy in nats. */
  public record Attention(long step, List<Double> maxLogit, List<Double> entropy) {}

  /** A run that an error stopped. */
  public static RunResult failed(String id, Map<String, String> labels, int attempts, Exception e) {
    String message = Optional.ofNullable(e.getMessage()).orElse(e.getClass().getSimpleName());
    return new RunResult(id, labels, Status.FAILED, message, attempts, "", null, List.of());
  }

  /** The same with a note of what decided the measurements. */
  public RunResult withMeasured(String by) {
    return new RunResult(id, labels, status, error, attempts, by, training, samples);
  }

  /** Whether the run ended well. */
  public boolean finished() {
    return status == Status.FINISHED;
  }
}
