package org.rectiflow.study.run;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.BooleanSupplier;
import org.rectiflow.datasets.Fingerprint;
import org.rectiflow.pipeline.Progress;
import org.rectiflow.study.measure.StoppedException;
import org.rectiflow.study.plan.Cell;
import org.rectiflow.study.plan.Evaluation;
import org.rectiflow.study.plan.Placeholders;
import org.rectiflow.study.plan.StudyPlan;

/**
 * Does what is left of a study: preparations one after another, then the runs, several at a time.
 * Results are there after each run; a study that was killed goes on where it was.
 *
 * <pre>
 * results.jsonl      see {@link Results}
 * prepare/ID         folders of preparations
 * runs/ID            folders of runs
 * </pre>
 */
public final class StudyRun {
  private final StudyPlan plan;
  private final Path folder;
  private final CellRunner runner;
  private final Results results;

  /** Hears what becomes of the runs; called from several threads. */
  public interface Listener {
    /** A run begins or goes on. */
    void begins(Cell cell);

    /** A run ended, well or not. */
    void ends(RunResult result);
  }

  /**
   * How a study stands.
   *
   * @param finished runs with measurements
   * @param failed runs that an error stopped
   * @param left runs that were not done
   */
  public record Outcome(int finished, int failed, int left) {}

  /** A study in a folder. */
  public StudyRun(StudyPlan plan, Path folder, CellRunner runner) throws IOException {
    this.plan = plan;
    this.folder = folder;
    this.runner = runner;
    this.results = Results.open(resultsFile(folder));
  }

  /** The results file in a study's folder. */
  public static Path resultsFile(Path folder) {
    return folder.resolve("results.jsonl");
  }

  /** Where a run lies in a study's folder. */
  public static Path runFolder(Path folder, Cell cell) {
    return folder.resolve("runs").resolve(cell.id());
  }

  /** Where a preparation lies in a study's folder. */
  public static Path preparationFolder(Path folder, Cell cell) {
    return folder.resolve("prepare").resolve(cell.id());
  }

  public Results results() {
    return results;
  }

  /** The runs that have no measurements yet; failed ones only if they are tried again. */
  public List<Cell> left(boolean retry) {
    String measured = measured(plan.evaluation());
    return plan.cells().stream()
        .filter(cell ->
            results
                .find(cell.id())
                .map(r -> r.finished() ? !r.measured().equals(measured) : retry)
                .orElse(true))
        .toList();
  }

  /** What decides the measurements, in few letters. */
  public static String measured(Evaluation evaluation) {
    Fingerprint fingerprint = new Fingerprint();
    evaluation.values().entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .forEach(e -> fingerprint.add(e.getKey()).add(e.getValue().toString()));
    return fingerprint.hex().substring(0, 10);
  }

  /**
   * Does the runs that are left.
   *
   * @param jobs runs at a time
   * @param retry whether runs that failed are tried again
   * @param stop asked now and then
   */
  public Outcome run(
      int jobs, boolean retry, Listener listener, Progress progress, BooleanSupplier stop)
      throws IOException, InterruptedException {
    List<Cell> left = left(retry);
    if (!left.isEmpty()) {
      Map<String, String> folders;
      try {
        folders = prepare(progress, stop);
      } catch (StoppedException _) {
        return outcome();
      }
      Progress heard = jobs == 1 ? progress : Progress.NONE;
      try (ExecutorService pool = Executors.newFixedThreadPool(jobs)) {
        List<Future<?>> pending = new ArrayList<>();
        for (Cell cell : left) {
          pending.add(
              pool.submit(() -> {
                runOne(cell.resolved(folders), folders, listener, heard, stop);
                return null;
              }));
        }
        for (Future<?> future : pending) {
          await(future, pool);
        }
      }
    }
    return outcome();
  }

  /**
   * Does the preparations, or finds them done.
   *
   * @return the folders of their checkpoints, by name
   * @throws StoppedException if they were stopped
   */
  public Map<String, String> prepare(Progress progress, BooleanSupplier stop)
      throws IOException, StoppedException {
    Map<String, String> folders = new LinkedHashMap<>();
    for (Map.Entry<String, Cell> one : plan.preparations().entrySet()) {
      Cell cell = one.getValue().resolved(folders);
      Path place = preparationFolder(folder, cell);
      Path checkpoint = runner.train(cell, place, progress, stop);
      folders.put(one.getKey(), checkpoint.toString());
    }
    return folders;
  }

  private void runOne(
      Cell cell,
      Map<String, String> folders,
      Listener listener,
      Progress progress,
      BooleanSupplier stop)
      throws IOException {
    if (stop.getAsBoolean()) {
      return;
    }
    listener.begins(cell);
    int attempts = results.find(cell.id()).map(RunResult::attempts).orElse(0) + 1;
    RunResult result;
    try {
      Evaluation evaluation = plan.evaluation();
      Evaluation filled =
          evaluation.withTowers(
              Placeholders.fill(evaluation.towers(), folders, "evaluation.towers"));
      RunResult run = runner.run(cell, runFolder(folder, cell), filled, attempts, progress, stop);
      result = run.withMeasured(measured(evaluation));
    } catch (StoppedException _) {
      return;
    } catch (IOException | RuntimeException e) {
      result = RunResult.failed(cell.id(), cell.labels(), attempts, e);
    }
    results.put(result);
    listener.ends(result);
  }

  private static void await(Future<?> future, ExecutorService pool)
      throws IOException, InterruptedException {
    try {
      future.get();
    } catch (ExecutionException e) {
      pool.shutdownNow();
      switch (e.getCause()) {
        case IOException io -> throw io;
        case RuntimeException unchecked -> throw unchecked;
        case Error error -> throw error;
        default -> throw new IllegalStateException(e.getCause());
      }
    }
  }

  /** How the study stands. */
  public Outcome outcome() {
    String measured = measured(plan.evaluation());
    int finished = 0;
    int failed = 0;
    for (Cell cell : plan.cells()) {
      var result = results.find(cell.id());
      finished +=
          result.filter(r -> r.finished() && r.measured().equals(measured)).isPresent() ? 1 : 0;
      failed += result.filter(r -> !r.finished()).isPresent() ? 1 : 0;
    }
    return new Outcome(finished, failed, plan.cells().size() - finished - failed);
  }
}
