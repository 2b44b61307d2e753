package org.rectiflow.study.cli;

import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;
import org.rectiflow.study.plan.Cell;
import org.rectiflow.study.run.RunResult;
import org.rectiflow.study.run.StudyRun;

/** A line for people at the end of each run. */
public final class Lines implements StudyRun.Listener {
  private final int total;
  private final Printer printer;
  private final AtomicInteger ended = new AtomicInteger();

  /** Prints a line. */
  @FunctionalInterface
  public interface Printer {
    /** As {@link String#format}. */
    void print(String format, Object... arguments);
  }

  /**
   * @param total runs that will be done
   */
  public Lines(int total, Printer printer) {
    this.total = total;
    this.printer = printer;
  }

  @Override
  public void begins(Cell cell) {
    printer.print("begins %s", cell.labels());
  }

  @Override
  public void ends(RunResult result) {
    int number = ended.incrementAndGet();
    if (result.finished()) {
      printer.print(
          "%d/%d %s: validation loss %s, %s minutes",
          number,
          total,
          result.labels(),
          String.format(Locale.ROOT, "%.4f", result.training().bestLoss()),
          String.format(
              Locale.ROOT,
              "%.1f",
              (result.training().seconds() + result.training().measuringSeconds()) / 60));
    } else {
      printer.print("%d/%d %s failed: %s", number, total, result.labels(), result.error());
    }
  }
}
