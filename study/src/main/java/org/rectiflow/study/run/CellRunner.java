package org.rectiflow.study.run;

import java.io.IOException;
import java.nio.file.Path;
import java.util.function.BooleanSupplier;
import org.rectiflow.pipeline.Progress;
import org.rectiflow.study.measure.StoppedException;
import org.rectiflow.study.plan.Cell;
import org.rectiflow.study.plan.Evaluation;

/** Trains and measures single runs. */
public interface CellRunner {

  /**
   * Trains a run to its end, going on where it was stopped if it was.
   *
   * @param cell with the folders of preparations filled in
   * @param folder of the run
   * @param stop asked now and then; a run that is stopped can go on later
   * @return the folder of the checkpoint that others may use
   * @throws StoppedException if it was stopped
   */
  Path train(Cell cell, Path folder, Progress progress, BooleanSupplier stop)
      throws IOException, StoppedException;

  /**
   * The same, and measures its best checkpoint.
   *
   * @param attempts for the result
   */
  RunResult run(
      Cell cell,
      Path folder,
      Evaluation evaluation,
      int attempts,
      Progress progress,
      BooleanSupplier stop)
      throws IOException, StoppedException;
}
