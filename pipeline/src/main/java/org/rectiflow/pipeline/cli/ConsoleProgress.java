package org.rectiflow.pipeline.cli;

import java.io.PrintStream;
import java.time.Duration;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.rectiflow.pipeline.Progress;

/**
 * Progress for people: a bar with the time left on a terminal, a plain line now and then elsewhere.
 * Goes to standard error, so that standard output stays clean for scripts.
 */
public final class ConsoleProgress implements Progress, AutoCloseable {
  private static final Duration BETWEEN_LINES = Duration.ofSeconds(5);

  private final PrintStream err;
  private final boolean terminal;
  private ProgressBar bar;

  /**
   * @param terminal whether {@code err} is a terminal
   */
  ConsoleProgress(PrintStream err, boolean terminal) {
    this.err = err;
    this.terminal = terminal;
  }

  /** Progress on standard error. */
  public static ConsoleProgress onStandardError() {
    return new ConsoleProgress(System.err, onTerminal());
  }

  /** Whether standard error is a terminal: run.sh looks, because Java cannot. */
  static boolean onTerminal() {
    return Boolean.getBoolean("rectiflow.terminal");
  }

  @Override
  public Phase begin(String phase, int total) {
    close();
    return terminal ? bar(phase, total) : lines(phase, total);
  }

  @Override
  public void note(String text) {
    close();
    err.println(text.stripTrailing());
  }

  private Phase bar(String phase, int total) {
    bar =
        new ProgressBarBuilder()
            .setTaskName(phase + " | " + memory())
            .setInitialMax(total)
            .setStyle(ProgressBarStyle.ASCII)
            .setUpdateIntervalMillis(200)
            .build();
    ProgressBar own = bar;
    return own::step;
  }

  private static String memory() {
    Runtime runtime = Runtime.getRuntime();
    return "heap %d MB".formatted((runtime.totalMemory() - runtime.freeMemory()) >> 20);
  }

  private Phase lines(String phase, int total) {
    long start = System.nanoTime();
    return new Phase() {
      private int done;
      private long lastLine = start;

      @Override
      public void step() {
        done++;
        long now = System.nanoTime();
        if (done < total && now - lastLine < BETWEEN_LINES.toNanos()) {
          return;
        }
        lastLine = now;
        double spent = (now - start) * 1e-9;
        double left = spent / done * (total - done);
        err.printf("%s %d/%d, %.1f s, %.1f s left%n", phase, done, total, spent, left);
      }
    };
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
      bar = null;
    }
  }
}
