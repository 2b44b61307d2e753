package org.rectiflow.study.run;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Cost;
import org.rectiflow.engine.Graph;
import org.rectiflow.engine.Node;
import org.rectiflow.pipeline.Progress;
import org.rectiflow.pipeline.checkpoint.Checkpoint;
import org.rectiflow.scheduler.formulation.Formulation;
import org.rectiflow.study.measure.Measurer;
import org.rectiflow.study.measure.Sampled;
import org.rectiflow.study.measure.StoppedException;
import org.rectiflow.study.plan.Cell;
import org.rectiflow.study.plan.Evaluation;
import org.rectiflow.trainer.LoopKeys;
import org.rectiflow.trainer.RunFolder;
import org.rectiflow.trainer.RunLog;
import org.rectiflow.trainer.Task;
import org.rectiflow.trainer.TaskFactory;
import org.rectiflow.trainer.Trainer;
import org.rectiflow.trainer.config.Settings;
import org.rectiflow.trainer.data.DataKeys;
import org.rectiflow.trainer.transformer.TransformerKeys;

/** Trains runs with the trainer and measures them with the {@link Measurer}. */
public final class TrainedCells implements CellRunner {
  private final Supplier<Backend> backends;

  /**
   * @param backends opens what computes, anew for each run
   */
  public TrainedCells(Supplier<Backend> backends) {
    this.backends = backends;
  }

  /** What training left behind. */
  private record Trained(Trainer.Outcome outcome, double stepFlops) {
    Path best(RunFolder folder) {
      return outcome.bestStep().map(folder::checkpoint).orElse(outcome.checkpoint());
    }
  }

  @Override
  public Path train(Cell cell, Path folder, Progress progress, BooleanSupplier stop)
      throws IOException, StoppedException {
    try (Backend backend = backends.get();
        RunFolder held = RunFolder.open(folder, cell.settings(), true)) {
      return train(cell, held, backend, progress, stop).best(held);
    }
  }

  private static Trained train(
      Cell cell, RunFolder folder, Backend backend, Progress progress, BooleanSupplier stop)
      throws IOException, StoppedException {
    Settings settings = cell.settings();
    try (Task task = task(settings, backend, progress);
        Trainer trainer = new Trainer(task, settings, folder, backend)) {
      double flops = flops(task.objective().graph()) * settings.get(LoopKeys.ACCUMULATION);
      Trainer.Outcome outcome = trainer.run(cell.id(), progress, stop);
      if (!outcome.finished()) {
        throw new StoppedException(
            "%s was stopped after step %d".formatted(cell.id(), outcome.step()));
      }
      return new Trained(outcome, flops);
    }
  }

  private static Task task(Settings settings, Backend backend, Progress progress) {
    return TaskFactory.named(settings.get(LoopKeys.TASK), settings.origin())
        .open(settings, backend, progress);
  }

  private static double flops(Graph graph) {
    double sum = 0;
    for (Node node : graph.nodes()) {
      sum += Cost.of(graph, node).flops();
    }
    return sum;
  }

  @Override
  public RunResult run(
      Cell cell,
      Path folder,
      Evaluation evaluation,
      int attempts,
      Progress progress,
      BooleanSupplier stop)
      throws IOException, StoppedException {
    Settings settings = cell.settings();
    try (Backend backend = backends.get();
        RunFolder held = RunFolder.open(folder, settings, true)) {
      Trained trained = train(cell, held, backend, progress, stop);
      long begin = System.nanoTime();
      List<Sampled> samples;
      try (Checkpoint base = Bases.of(settings);
          Measurer measurer =
              new Measurer(
                  base,
                  settings.number(TransformerKeys.T5_TOKENS),
                  settings.number(DataKeys.SIZE),
                  evaluation,
                  backend)) {
        samples =
            measurer.measure(
                trained.best(held),
                Formulation.parse(settings.get(TransformerKeys.FORMULATION)),
                progress,
                stop);
      }
      double measuring = (System.nanoTime() - begin) * 1e-9;
      RunResult.Training training = training(trained, RunLog.read(held.log()), settings, measuring);
      return new RunResult(
          cell.id(), cell.labels(), RunResult.Status.FINISHED, "", attempts, "", training, samples);
    }
  }

  private static RunResult.Training training(
      Trained trained, List<JsonNode> log, Settings settings, double measuringSeconds) {
    List<RunResult.Loss> losses = new ArrayList<>();
    List<RunResult.Attention> attention = new ArrayList<>();
    long parameters = 0;
    double seconds = 0;
    String weights = settings.get(LoopKeys.EMA_EVERY) > 0 ? "ema" : "raw";
    for (JsonNode line : log) {
      long step = line.path("step").asLong();
      switch (line.path("event").asText()) {
        case "run" -> parameters = line.path("parameters").asLong();
        case "speed" -> seconds = line.path("seconds").asDouble();
        case "validation" -> losses.add(new RunResult.Loss(step, line.path("loss").asDouble()));
        case "attention" ->
            attention.add(
                new RunResult.Attention(
                    step, numbers(line.path("maxLogit")), numbers(line.path("entropy"))));
        default -> {
          // Other lines are for people.
        }
      }
    }
    return new RunResult.Training(
        trained.outcome().step(),
        trained.outcome().bestStep().orElse(trained.outcome().step()),
        parameters,
        settings.number(TransformerKeys.DEPTH),
        trained.stepFlops(),
        seconds,
        measuringSeconds,
        losses,
        attention);
  }

  private static List<Double> numbers(JsonNode array) {
    List<Double> all = new ArrayList<>();
    array.forEach(n -> all.add(n.asDouble()));
    return all;
  }
}
