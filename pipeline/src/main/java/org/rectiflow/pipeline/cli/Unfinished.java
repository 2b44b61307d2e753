package org.rectiflow.pipeline.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Says, when the program is interrupted (Ctrl-C) while a batch is drawn, what is finished: every
 * picture is written when it is done, so these are whole and stay.
 */
final class Unfinished implements AutoCloseable {
  private final int batch;
  private final PrintWriter err;
  private final AtomicInteger done = new AtomicInteger();
  private final Thread hook = new Thread(this::report, "interrupted");
  private volatile Path last;

  Unfinished(int batch, PrintWriter err) {
    this.batch = batch;
    this.err = err;
    Runtime.getRuntime().addShutdownHook(hook);
  }

  /** One more picture is written. */
  void finished(Path picture) {
    last = picture;
    done.incrementAndGet();
  }

  private void report() {
    err.printf(
        "%nrectiflow: interrupted; %s%n",
        done.get() == 0
            ? "no picture was finished"
            : "%d of %d pictures are finished, the last is %s".formatted(done.get(), batch, last));
    err.flush();
  }

  @Override
  public void close() {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException _) {
      // The program is ending and the hook is telling so.
    }
  }
}
