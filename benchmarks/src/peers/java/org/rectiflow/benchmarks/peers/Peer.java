package org.rectiflow.benchmarks.peers;

import org.rectiflow.benchmarks.measure.Contender;

/** A kernel of another program with its operands. */
interface Peer extends Contender, AutoCloseable {
  /** The result of the last run, in the engine's layout, widened. */
  float[] result();

  @Override
  void close();
}
