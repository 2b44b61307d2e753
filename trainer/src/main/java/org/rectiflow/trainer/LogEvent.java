package org.rectiflow.trainer;

import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A line of a run's log, {@code log.jsonl}: one JSON object, whose {@code event} is the record's
 * name in small letters and whose other fields are the record's components. This is where the
 * fields are defined. All but {@link Speed} and {@link Memory} is the same for every run of the
 * same file.
 */
public sealed interface LogEvent {

  /** The step after which it was written; 0 before the first. */
  long step();

  /** What {@code event} says. */
  default String event() {
    return getClass().getSimpleName().toLowerCase(Locale.ROOT);
  }

  /**
   * The first line.
   *
   * @param name the run's
   * @param config every key of the run file with its value
   * @param tensors how many are trained
   * @param parameters how many numbers they have together
   */
  record Run(long step, String name, Map<String, Object> config, int tensors, long parameters)
      implements LogEvent {}

  /**
   * How a step fits into memory, written whenever a run begins or goes on.
   *
   * @param recompute {@code none}, or {@code blocks} where the backward pass computes blocks again
   * @param arenaMegabytes that a step's activations take
   * @param freeMegabytes that the machine had before
   */
  record Memory(long step, String recompute, long arenaMegabytes, long freeMegabytes)
      implements LogEvent {}

  /**
   * Means since the last such line.
   *
   * @param loss the training loss
   * @param gradientNorm before clipping
   * @param learningRate of this step
   * @param means the task's own numbers by name; the transformer's are {@code t0} to {@code t7},
   *     the loss of samples whose timestep lies in that eighth, before weights
   */
  record Train(
      long step, double loss, double gradientNorm, double learningRate, Map<String, Double> means)
      implements LogEvent {}

  /**
   * How fast it goes.
   *
   * @param seconds the run's so far, with all that belongs to it, without the times it did not run
   * @param samplesPerSecond trained on, since the last such line, without validation and samples
   * @param heapMegabytes of the Java heap in use
   * @param arenaMegabytes of the training graph's activations
   */
  record Speed(
      long step, double seconds, double samplesPerSecond, long heapMegabytes, long arenaMegabytes)
      implements LogEvent {}

  /**
   * A validation.
   *
   * @param weights {@code raw} or {@code ema}
   * @param loss the mean
   * @param details the task's own numbers by name; the transformer's are the loss at each timestep
   */
  record Validation(long step, String weights, double loss, Map<String, Double> details)
      implements LogEvent {}

  /**
   * Figure 5's quantities, of the weights as they are trained.
   *
   * @param maxLogit of each attention in order
   * @param entropy of each attention in order, in nats
   */
  record Attention(long step, List<Double> maxLogit, List<Double> entropy) implements LogEvent {}

  /**
   * Sample pictures.
   *
   * @param files relative to the run's folder
   */
  record Samples(long step, List<String> files) implements LogEvent {}

  /**
   * A checkpoint.
   *
   * @param folder relative to the run's folder; it may be removed later
   * @param best whether its validation loss is the smallest so far
   */
  record Checkpoint(long step, String folder, boolean best) implements LogEvent {}

  /** The run has all its steps. */
  record End(long step) implements LogEvent {}
}
