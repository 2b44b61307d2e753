package org.rectiflow.spark;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.Function;
import org.rectiflow.pipeline.Progress;
import org.rectiflow.pipeline.io.UserException;
import org.rectiflow.study.measure.StoppedException;
import org.rectiflow.study.plan.Cell;
import org.rectiflow.study.plan.Evaluation;
import org.rectiflow.study.plan.Placeholders;
import org.rectiflow.study.plan.StudyFile;
import org.rectiflow.study.plan.StudyPlan;
import org.rectiflow.study.run.Results;
import org.rectiflow.study.run.RunResult;
import org.rectiflow.study.run.StudyRun;

/**
 * One run as a task: reads the study's file, does the run and answers its line of the results. The
 * run's folder is the same for every attempt, so that an attempt goes on where the one before it
 * failed.
 *
 * @param file of the study, under this name on every machine
 * @param budget its name
 * @param folder of the study, on a file system that all machines share
 * @param folders of preparations, by name
 * @param before attempts before this job
 * @param runners what does the run
 */
record CellTask(
    String file,
    String budget,
    String folder,
    Map<String, String> folders,
    int before,
    RunnerFactory runners)
    implements Function<String, String> {

  @Override
  public String call(String id) throws IOException, StoppedException {
    StudyPlan plan = StudyPlan.of(StudyFile.read(Path.of(file)), budget);
    Cell cell =
        plan.cells().stream()
            .filter(c -> c.id().equals(id))
            .findFirst()
            .orElseThrow(() ->
                new UserException(
                    "%s has no run %s here: the file must be the same on all machines"
                        .formatted(file, id)));
    Evaluation evaluation = plan.evaluation();
    Evaluation filled =
        evaluation.withTowers(Placeholders.fill(evaluation.towers(), folders, "evaluation.towers"));
    int attempt = before + TaskContext.get().attemptNumber() + 1;
    RunResult result =
        runners
            .make()
            .run(
                cell.resolved(folders),
                StudyRun.runFolder(Path.of(folder), cell),
                filled,
                attempt,
                Progress.NONE,
                () -> TaskContext.get().isInterrupted());
    return Results.print(result.withMeasured(StudyRun.measured(evaluation)));
  }
}
