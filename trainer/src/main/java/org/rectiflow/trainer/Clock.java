package org.rectiflow.trainer;

/** Measures a run's time and speed. */
final class Clock {
  private static final double NANO = 1e-9;

  private final long start = System.nanoTime();
  private final double before;
  private long since = start;
  private long training;
  private long samples;
  private long allTraining;
  private long allSamples;

  /**
   * @param before seconds the run took before
   */
  Clock(double before) {
    this.before = before;
  }

  /** Samples were trained on. */
  void trained(long number) {
    samples += number;
    allSamples += number;
  }

  /** What follows is not training. */
  void pause() {
    long spent = System.nanoTime() - since;
    training += spent;
    allTraining += spent;
  }

  /** Training goes on. */
  void resume() {
    since = System.nanoTime();
  }

  /** Samples trained on per second up to the last pause; NaN if there were none. */
  double samplesPerSecond() {
    return allSamples == 0 ? Double.NaN : allSamples / (allTraining * NANO);
  }

  /** The speed since the last event. */
  LogEvent.Speed event(long step, long arenaBytes) {
    long now = System.nanoTime();
    long open = now - since;
    allTraining += open;
    double spent = (training + open) * NANO;
    Runtime runtime = Runtime.getRuntime();
    LogEvent.Speed event =
        new LogEvent.Speed(
            step,
            before + (now - start) * NANO,
            samples / spent,
            (runtime.totalMemory() - runtime.freeMemory()) >> 20,
            arenaBytes >> 20);
    samples = 0;
    training = 0;
    since = now;
    return event;
  }
}
