package org.rectiflow.benchmarks.measure;

/** Something that is run again and again while its time is taken. */
public interface Contender {
  /** What tables call it. */
  String name();

  /** Runs once and returns the seconds it took: only what counts, without copies in and out. */
  double seconds();
}
