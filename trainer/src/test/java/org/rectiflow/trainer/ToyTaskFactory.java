package org.rectiflow.trainer;

import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.Executable.Feed;
import org.rectiflow.pipeline.Progress;
import org.rectiflow.trainer.config.Key;
import org.rectiflow.trainer.config.Kind;
import org.rectiflow.trainer.config.Settings;

/** Makes {@link ToyTask}s for other processes, slow enough to be caught in the middle. */
public final class ToyTaskFactory implements TaskFactory {
  private static final Key<Long> MILLIS =
      Key.of("toy.millis", Kind.whole(0), 0L, "What a step takes at least.");

  @Override
  public String name() {
    return "toy";
  }

  @Override
  public String description() {
    return "a line through points";
  }

  @Override
  public List<Key<?>> keys() {
    return List.of(MILLIS);
  }

  @Override
  public Task open(Settings settings, Backend backend, Progress progress) {
    long nanos = settings.get(MILLIS) * 1_000_000;
    return new ToyTask(settings) {
      @Override
      public java.util.Map<String, Feed> batch(long step, int part) {
        LockSupport.parkNanos(nanos);
        return super.batch(step, part);
      }
    };
  }
}
