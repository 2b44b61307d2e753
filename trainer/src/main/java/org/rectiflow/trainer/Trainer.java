package org.rectiflow.trainer;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.NonFiniteException;
import org.rectiflow.pipeline.Progress;
import org.rectiflow.pipeline.io.AtomicFolder;
import org.rectiflow.pipeline.io.UserException;
import org.rectiflow.pipeline.memory.MachineMemory;
import org.rectiflow.safetensors.SafetensorsException;
import org.rectiflow.trainer.config.Settings;

/**
 * The training loop. Steps are counted from 1; what belongs to a step (its line of the log,
 * validation, samples, checkpoint) is done after it, in this order, so that a checkpoint stands
 * after everything that came before it.
 */
public final class Trainer implements AutoCloseable {
  private final Task task;
  private final Settings settings;
  private final RunFolder folder;
  private final StepPlan plan;
  private final LearningRate learningRate;
  private final Meter meter = new Meter();
  private final TrainingStep training;

  private long step;
  private long bestStep = -1;
  private double bestLoss = Double.POSITIVE_INFINITY;

  /**
   * How a call of {@link #run} ended.
   *
   * @param step steps taken
   * @param finished whether these are all
   * @param checkpoint the checkpoint of this step
   * @param bestStep the step with the smallest validation loss, if there were validations
   */
  public record Outcome(long step, boolean finished, Path checkpoint, Optional<Long> bestStep) {}

  /**
   * Makes a run ready, and goes to where its latest checkpoint stands if it has one.
   *
   * @param backend what computes; closed by the caller, as are the task and the folder
   */
  public Trainer(Task task, Settings settings, RunFolder folder, Backend backend)
      throws IOException {
    this.task = task;
    this.settings = settings;
    this.folder = folder;
    plan = StepPlan.of(settings, task, backend, MachineMemory.now());
    learningRate = LearningRate.of(settings);
    training = new TrainingStep(task, settings, plan.objective(), folder.latest(), meter, backend);
    training
        .restored()
        .ifPresent(state -> {
          step = state.step();
          bestStep = state.bestStep();
          bestLoss = state.bestLoss();
          meter.restore(state.meter());
        });
  }

  /** Steps taken so far. */
  public long step() {
    return step;
  }

  /**
   * Trains until all steps are taken, or until told to stop; then a checkpoint is there.
   *
   * @param name of the run, for its log
   * @param progress hears of each step
   * @param stop asked after each step
   * @throws UserException if the loss is not finite or the disk fails; it names the last good
   *     checkpoint
   */
  public Outcome run(String name, Progress progress, BooleanSupplier stop) throws IOException {
    long steps = settings.get(LoopKeys.STEPS);
    boolean resumed = folder.latest().isPresent();
    try (RunLog log = RunLog.open(folder.log(), resumed ? step : -1)) {
      Clock clock = new Clock(log.secondsBefore());
      if (resumed) {
        log.write(checkpointEvent());
        prune();
      } else {
        log.write(
            new LogEvent.Run(
                0, name, settings.values(), training.parameters().size(), training.weights()));
      }
      log.write(plan.event(step, training.arenaBytes()));
      plan.note().ifPresent(progress::note);
      Progress.Phase phase = progress.begin("training", Math.toIntExact(Math.max(0, steps - step)));
      while (step < steps && !stop.getAsBoolean()) {
        try {
          training.take(step + 1, learningRate.at(step + 1));
        } catch (NonFiniteException e) {
          throw notFinite(step + 1, e);
        }
        step++;
        clock.trained((long) task.batchSize() * settings.get(LoopKeys.ACCUMULATION));
        try {
          afterStep(log, clock, steps);
        } catch (NonFiniteException e) {
          throw notFinite(step, e);
        }
        phase.step();
      }
      if (folder.latest().map(RunFolder::step).orElse(-1L) != step) {
        checkpoint(log);
      }
      if (step >= steps) {
        log.write(new LogEvent.End(step));
      }
      if (clock.samplesPerSecond() > 0) {
        task.conclusion(clock.samplesPerSecond()).ifPresent(progress::note);
      }
    }
    return new Outcome(
        step,
        step >= steps,
        folder.checkpoint(step),
        bestStep < 0 ? Optional.empty() : Optional.of(bestStep));
  }

  private UserException notFinite(long at, NonFiniteException cause) throws IOException {
    return new UserException(
        "step %d: the training is no longer finite (%s). %s Lower optimizer.learning_rate, lengthen optimizer.warmup, clip gradients with optimizer.clip or turn on model.qk_norm, and begin another run with --out."
            .formatted(at, cause.getMessage(), lastGood()),
        cause);
  }

  private String lastGood() throws IOException {
    return folder
        .latest()
        .map(c -> "The last good checkpoint is %s.".formatted(c))
        .orElse("There is no checkpoint yet.");
  }

  private void afterStep(RunLog log, Clock clock, long steps) throws IOException {
    boolean last = step == steps;
    if (step % settings.get(LoopKeys.LOG_EVERY) == 0 || last) {
      Map<String, Double> means = new LinkedHashMap<>(meter.means());
      means.remove(TrainingStep.LOSS);
      means.remove(TrainingStep.NORM);
      log.write(
          new LogEvent.Train(
              step,
              meter.mean(TrainingStep.LOSS),
              meter.mean(TrainingStep.NORM),
              learningRate.at(step),
              means));
      meter.clear();
      log.write(clock.event(step, training.arenaBytes()));
    }
    clock.pause();
    boolean improved = false;
    if (due(LoopKeys.VALIDATION_EVERY, last)) {
      improved = validate(log);
    }
    if (due(LoopKeys.SAMPLES_EVERY, last)) {
      sample(log);
    }
    boolean keepBest = improved && settings.get(LoopKeys.CHECKPOINT_BEST);
    long every = settings.get(LoopKeys.CHECKPOINT_EVERY);
    if (keepBest || (every > 0 && step % every == 0)) {
      checkpoint(log);
    }
    clock.resume();
  }

  /** Whether something is done after this step; the last step is one of those, unless it is 0. */
  private boolean due(org.rectiflow.trainer.config.Key<Long> key, boolean last) {
    long every = settings.get(key);
    return every > 0 && (last || step % every == 0);
  }

  private boolean validate(RunLog log) throws IOException {
    Task.Validation raw = task.validate(training.parameters());
    log.write(new LogEvent.Validation(step, "raw", raw.loss(), raw.details()));
    Task.Validation judged = raw;
    if (training.averages()) {
      judged = task.validate(training.published());
      log.write(new LogEvent.Validation(step, "ema", judged.loss(), judged.details()));
    }
    Optional<AttentionStatistics> attention = task.attention(training.parameters());
    if (attention.isPresent()) {
      log.write(
          new LogEvent.Attention(step, attention.get().maxLogit(), attention.get().entropy()));
    }
    boolean improved = judged.loss() < bestLoss;
    if (improved) {
      bestLoss = judged.loss();
      bestStep = step;
    }
    return improved;
  }

  private void sample(RunLog log) throws IOException {
    Path target = folder.samples(step);
    if (Files.exists(target)) {
      folder.remove(target);
    }
    List<String> names = new java.util.ArrayList<>();
    AtomicFolder.write(
        target, temporary -> names.addAll(task.sample(temporary, training.published())));
    log.write(
        new LogEvent.Samples(step, names.stream().map(n -> relative(target) + "/" + n).toList()));
  }

  private String relative(Path path) {
    return folder.path().relativize(path).toString().replace('\\', '/');
  }

  private void checkpoint(RunLog log) throws IOException {
    try {
      training.requireFinite();
    } catch (NonFiniteException e) {
      throw notFinite(step, e);
    }
    Path target = folder.checkpoint(step);
    TrainingState state = new TrainingState(step, bestStep, bestLoss, meter.sums());
    try {
      AtomicFolder.write(
          target,
          temporary -> {
            task.writeModel(temporary, training.published());
            training.write(state, temporary);
          });
    } catch (IOException | UncheckedIOException | SafetensorsException e) {
      throw new UserException(
          "the checkpoint of step %d could not be written: %s. %s Make room, or write elsewhere; `--resume` goes on from there."
              .formatted(step, e.getMessage(), lastGood()),
          e);
    }
    log.write(checkpointEvent());
    prune();
  }

  private LogEvent.Checkpoint checkpointEvent() {
    return new LogEvent.Checkpoint(step, relative(folder.checkpoint(step)), bestStep == step);
  }

  private void prune() throws IOException {
    boolean best = settings.get(LoopKeys.CHECKPOINT_BEST);
    folder.prune(settings.number(LoopKeys.CHECKPOINT_KEEP), best ? bestStep : -1);
  }

  @Override
  public void close() {
    training.close();
  }
}
