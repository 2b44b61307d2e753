package org.rectiflow.trainer.page;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Keeps the page of a run under way up to date, from a thread of its own that only reads what the
 * run wrote. A page that cannot be written is reported and does not end the run.
 */
public final class PageKeeper implements AutoCloseable {
  private static final Duration BETWEEN = Duration.ofSeconds(20);

  private final Path folder;
  private final Consumer<String> complaints;
  private final ScheduledExecutorService thread =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("page").factory());

  private long drawn = -1;
  private String complaint = "";

  private PageKeeper(Path folder, Consumer<String> complaints) {
    this.folder = folder;
    this.complaints = complaints;
  }

  /**
   * Writes the page now and then until closed, and once more then.
   *
   * @param folder the run's
   * @param complaints hears why the page could not be written, once for each reason
   */
  public static PageKeeper start(Path folder, Consumer<String> complaints) {
    PageKeeper keeper = new PageKeeper(folder, complaints);
    // Its result never comes: update reports its own trouble.
    var _ =
        keeper.thread.scheduleWithFixedDelay(
            keeper::update, 1, BETWEEN.toSeconds(), TimeUnit.SECONDS);
    return keeper;
  }

  private synchronized void update() {
    Path log = folder.resolve("log.jsonl");
    try {
      long size = Files.exists(log) ? Files.size(log) : -1;
      if (size > 0 && size != drawn) {
        RunPage.write(folder);
        drawn = size;
      }
    } catch (IOException | RuntimeException e) {
      // An exception would end the schedule; the run matters more than its page.
      String text = "the page %s is not up to date: %s".formatted(folder.resolve(RunPage.NAME), e);
      if (!text.equals(complaint)) {
        complaint = text;
        complaints.accept(text);
      }
    }
  }

  /** Writes the page a last time. */
  @Override
  public void close() {
    thread.shutdown();
    update();
  }
}
