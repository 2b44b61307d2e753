package org.rectiflow.trainer;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.Recompute;
import org.rectiflow.engine.Tensor;
import org.rectiflow.training.Objective;

/**
 * What is trained: the only thing the loop knows of a model and its data. All of it is a pure
 * function of the run's settings: nothing may depend on the time, on the number of threads, or on
 * what was asked for before.
 *
 * <p>Trained tensors go by their names in the checkpoint; the values that the loop passes, weights
 * or their moving average, have the shapes of {@link Objective#parameters}.
 */
public interface Task extends AutoCloseable {

  /**
   * The loss of one batch with its gradients, and the trained tensors as they begin.
   *
   * @param recompute what the backward pass computes again instead of keeping it; the numbers are
   *     the same either way
   */
  Objective objective(Recompute recompute);

  /** The objective with everything kept. */
  default Objective objective() {
    return objective(Recompute.NONE);
  }

  /** Samples in one batch. */
  int batchSize();

  /**
   * The objective's inputs that are not trained.
   *
   * @param step from 1 on
   * @param part which of the batches whose gradients are added up in this step, from 0 on
   */
  Map<String, Feed> batch(long step, int part);

  /**
   * Notes numbers about one batch for the log, such as the losses of its timesteps.
   *
   * @param outputs the objective's outputs besides loss and gradients
   */
  default void observe(Map<String, Feed> batch, Map<String, Tensor> outputs, Meter meter) {}

  /**
   * Brings trained tensors back to where they are allowed to be, in place, after each step; most
   * may be anywhere.
   */
  default void constrain(Map<String, Tensor> parameters) {}

  /** The loss on data that is never trained on, always the same. */
  Validation validate(Map<String, Tensor> parameters);

  /**
   * A validation's result.
   *
   * @param loss by which checkpoints are compared; smaller is better
   * @param details further numbers, by name
   */
  record Validation(double loss, Map<String, Double> details) {}

  /**
   * What a task has to tell people when a run ends, such as the rest of a table that needs its
   * speed.
   *
   * @param samplesPerSecond trained on, without validation, samples and checkpoints
   */
  default Optional<String> conclusion(double samplesPerSecond) {
    return Optional.empty();
  }

  /** How attention behaves on data of the validation; empty for models without, or if not asked. */
  default Optional<AttentionStatistics> attention(Map<String, Tensor> parameters) {
    return Optional.empty();
  }

  /**
   * Writes sample pictures, always of the same prompts and seeds.
   *
   * @param folder exists and is empty
   * @return the files' names, in order
   */
  List<String> sample(Path folder, Map<String, Tensor> parameters) throws IOException;

  /**
   * Writes a model that the program's other commands open, with these values in it.
   *
   * @param folder exists and is empty; the name {@code training} in it is the loop's
   */
  void writeModel(Path folder, Map<String, Tensor> parameters) throws IOException;

  @Override
  void close();
}
