package org.rectiflow.trainer.cli;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.jline.utils.Signals;

/**
 * Ctrl-C (and a request to terminate) while a run trains: the first asks the run to stop after its
 * step, the second ends the program at once.
 */
public final class Interrupt implements BooleanSupplier, AutoCloseable {
  private static final List<String> SIGNALS = List.of("INT", "TERM");

  /** What shells expect of a program that was interrupted: 128 plus the signal's number. */
  public static final int STATUS = 130;

  private final AtomicInteger signals = new AtomicInteger();
  private final List<Object> before = new ArrayList<>();
  private final PrintWriter err;

  public Interrupt(PrintWriter err) {
    this.err = err;
    SIGNALS.forEach(name -> before.add(Signals.register(name, this::heard)));
  }

  private void heard() {
    if (signals.incrementAndGet() > 1) {
      Runtime.getRuntime().halt(STATUS);
    }
    err.println();
    err.println(
        "rectiflow: stopping after this step, with a checkpoint; once more stops at once, without");
    err.flush();
  }

  /** Whether to stop. */
  @Override
  public boolean getAsBoolean() {
    return signals.get() > 0;
  }

  @Override
  public void close() {
    for (int i = 0; i < SIGNALS.size(); i++) {
      Signals.unregister(SIGNALS.get(i), before.get(i));
    }
  }
}
