package org.rectiflow.trainer;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Executable;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.engine.NonFiniteException;
import org.rectiflow.engine.Tensor;
import org.rectiflow.trainer.config.Settings;
import org.rectiflow.training.AdamW;
import org.rectiflow.training.GradientNorm;
import org.rectiflow.training.Objective;

/**
 * What one step of training does to the weights: the gradients of its batches, clipped, AdamW, and
 * the moving average. It holds the weights and everything a step changes but their number.
 */
final class TrainingStep implements AutoCloseable {
  /** Of the meter: the loss of each batch. */
  static final String LOSS = "loss";

  /** Of the meter: the gradients' norm before it is clipped. */
  static final String NORM = "gradient norm";

  private final Task task;
  private final Settings settings;
  private final Meter meter;
  private final Map<String, Tensor> parameters;
  private final AdamW optimizer;
  private final Optional<MovingAverage> average;
  private final Optional<TrainingState> restored;
  private final Executable executable;

  /**
   * Makes steps ready.
   *
   * @param latest the checkpoint they go on from, if there is one
   * @param meter notes loss and gradient norm of each batch
   */
  TrainingStep(
      Task task,
      Settings settings,
      Objective objective,
      Optional<Path> latest,
      Meter meter,
      Backend backend)
      throws IOException {
    this.task = task;
    this.settings = settings;
    this.meter = meter;
    parameters = objective.parameters();
    optimizer =
        new AdamW(
            new AdamW.Settings(
                settings.get(LoopKeys.BETA1),
                settings.get(LoopKeys.BETA2),
                settings.get(LoopKeys.EPSILON),
                settings.get(LoopKeys.WEIGHT_DECAY)));
    average =
        settings.get(LoopKeys.EMA_EVERY) == 0
            ? Optional.empty()
            : Optional.of(new MovingAverage(settings.get(LoopKeys.EMA_DECAY), parameters));
    restored =
        latest.isPresent()
            ? Optional.of(TrainingState.read(latest.get(), parameters, optimizer, average))
            : Optional.empty();
    executable = backend.compile("train", objective.graph());
  }

  /** What the checkpoint says beside the weights. */
  Optional<TrainingState> restored() {
    return restored;
  }

  /** The weights as they are trained. */
  Map<String, Tensor> parameters() {
    return parameters;
  }

  /** How many numbers the weights are. */
  long weights() {
    long count = 0;
    for (Tensor tensor : parameters.values()) {
      count += tensor.data().length;
    }
    return count;
  }

  /** The weights that are used: their moving average, or if there is none themselves. */
  Map<String, Tensor> published() {
    return average.map(MovingAverage::values).orElse(parameters);
  }

  /** Whether there is a moving average. */
  boolean averages() {
    return average.isPresent();
  }

  /** Bytes of the activations. */
  long arenaBytes() {
    return executable.arenaBytes();
  }

  /**
   * Takes a step.
   *
   * @param step its number, from 1
   * @throws NonFiniteException if loss or gradients are not finite; the weights are as before
   */
  void take(long step, double learningRate) {
    int parts = settings.number(LoopKeys.ACCUMULATION);
    Map<String, Tensor> gradients = new LinkedHashMap<>();
    for (int part = 0; part < parts; part++) {
      add(gradients, compute(step, part), 1f / parts);
    }
    double clip = settings.get(LoopKeys.CLIP);
    double norm = clip > 0 ? GradientNorm.clip(gradients, clip) : GradientNorm.of(gradients);
    if (!Double.isFinite(norm)) {
      throw new NonFiniteException("the gradients' norm is " + norm);
    }
    meter.add(NORM, norm);
    optimizer.step(parameters, gradients, learningRate);
    task.constrain(parameters);
    long every = settings.get(LoopKeys.EMA_EVERY);
    if (every > 0 && step % every == 0) {
      average.orElseThrow().update(parameters);
    }
  }

  /** One batch's gradients; its loss is noted. */
  private Map<String, Tensor> compute(long step, int part) {
    Map<String, Feed> batch = task.batch(step, part);
    Map<String, Feed> feeds = new HashMap<>(batch);
    parameters.forEach((name, tensor) -> feeds.put(name, Feed.of(tensor)));
    Map<String, Tensor> outputs = new LinkedHashMap<>(executable.run(feeds));
    Map<String, Tensor> gradients = new LinkedHashMap<>();
    for (String name : parameters.keySet()) {
      gradients.put(name, outputs.remove(Objective.GRADIENT + name));
    }
    meter.add(LOSS, outputs.remove(Objective.LOSS).data()[0]);
    task.observe(batch, outputs, meter);
    return gradients;
  }

  /** sum += factor * part; the first part is kept as it is when it is the only one. */
  private static void add(Map<String, Tensor> sum, Map<String, Tensor> part, float factor) {
    boolean first = sum.isEmpty();
    if (first && factor == 1) {
      sum.putAll(part);
      return;
    }
    if (first) {
      part.forEach((name, tensor) -> sum.put(name, Tensor.zeros(tensor.shape())));
    }
    part.entrySet().parallelStream()
        .forEach(entry -> {
          float[] from = entry.getValue().data();
          float[] to = sum.get(entry.getKey()).data();
          for (int i = 0; i < to.length; i++) {
            to[i] += factor * from[i];
          }
        });
  }

  /**
   * A step of finite gradients can still end in weights that are none, as with epsilon = 0.
   *
   * @throws NonFiniteException if it did
   */
  void requireFinite() {
    for (Map.Entry<String, Tensor> entry : parameters.entrySet()) {
      for (float value : entry.getValue().data()) {
        if (!Float.isFinite(value)) {
          throw new NonFiniteException("%s has a weight of %s".formatted(entry.getKey(), value));
        }
      }
    }
  }

  /** Writes all that a run needs to go on into a checkpoint's folder. */
  void write(TrainingState state, Path folder) throws IOException {
    state.write(folder, parameters, optimizer, average);
  }

  @Override
  public void close() {
    executable.close();
  }
}
