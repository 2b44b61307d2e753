package org.rectiflow.spark;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.spark.SparkException;
import org.apache.spark.api.java.JavaFutureAction;
import org.apache.spark.api.java.JavaSparkContext;
import org.rectiflow.pipeline.Progress;
import org.rectiflow.study.measure.StoppedException;
import org.rectiflow.study.plan.Cell;
import org.rectiflow.study.plan.StudyPlan;
import org.rectiflow.study.run.Results;
import org.rectiflow.study.run.RunResult;
import org.rectiflow.study.run.StudyRun;

/**
 * Hands the runs of a study to Spark, one job of one task each. Spark decides where and when they
 * run, and does a task again that failed ({@code spark.task.maxFailures}); here results are only
 * written down as they come.
 */
public final class SparkStudy {
  private static final long LOOK_EVERY_MILLIS = 100;

  private SparkStudy() {}

  /**
   * Does what is left of a study.
   *
   * @param plan of a file that every machine has under the same name
   * @param folder on a file system that all machines share
   * @param runners makes what does a run
   * @param retry whether runs that failed are tried again
   */
  public static StudyRun.Outcome run(
      JavaSparkContext spark,
      StudyPlan plan,
      Path folder,
      RunnerFactory runners,
      boolean retry,
      StudyRun.Listener listener)
      throws IOException, InterruptedException {
    StudyRun study = new StudyRun(plan, folder, runners.make());
    List<Cell> left = study.left(retry);
    if (left.isEmpty()) {
      return study.outcome();
    }
    Map<String, String> folders;
    try {
      folders = study.prepare(Progress.NONE, () -> false);
    } catch (StoppedException e) {
      throw new IllegalStateException("nobody stopped the preparations", e);
    }
    Map<Cell, JavaFutureAction<List<String>>> jobs = new LinkedHashMap<>();
    for (Cell cell : left) {
      CellTask task =
          new CellTask(
              plan.study().file().toAbsolutePath().toString(),
              plan.budget(),
              folder.toAbsolutePath().toString(),
              new HashMap<>(folders),
              attempts(study, cell),
              runners);
      listener.begins(cell);
      jobs.put(cell, spark.parallelize(List.of(cell.id()), 1).map(task).collectAsync());
    }
    while (!jobs.isEmpty()) {
      for (Cell cell : List.copyOf(jobs.keySet())) {
        if (jobs.get(cell).isDone()) {
          RunResult result = result(spark, study, cell, jobs.remove(cell));
          study.results().put(result);
          listener.ends(result);
        }
      }
      Thread.sleep(LOOK_EVERY_MILLIS);
    }
    return study.outcome();
  }

  private static int attempts(StudyRun study, Cell cell) {
    return study.results().find(cell.id()).map(RunResult::attempts).orElse(0);
  }

  private static RunResult result(
      JavaSparkContext spark, StudyRun study, Cell cell, JavaFutureAction<List<String>> job)
      throws InterruptedException {
    try {
      return Results.parse(job.get().getFirst(), "Spark's answer for " + cell.id());
    } catch (ExecutionException e) {
      Throwable cause = e.getCause();
      if (!(cause instanceof SparkException failure)) {
        throw new IllegalStateException(cause);
      }
      int tried = spark.getConf().getInt("spark.task.maxFailures", 4);
      return RunResult.failed(
          cell.id(), cell.labels(), attempts(study, cell) + tried, rootCause(failure));
    }
  }

  /** What the task threw, if Spark says so; else Spark's own words in one line. */
  private static Exception rootCause(SparkException failure) {
    Throwable cause = failure;
    while (cause.getCause() != null && cause.getCause() != cause) {
      cause = cause.getCause();
    }
    String message = String.valueOf(cause.getMessage());
    return new IOException(message.lines().findFirst().orElse("Spark gave no reason"));
  }
}
