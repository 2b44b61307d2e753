package org.rectiflow.trainer.data;

/** Examples as the transformer sees them, in a fixed order. */
public interface EncodedData extends AutoCloseable {

  /** How many there are. */
  int size();

  /** Example {@code index}; not to be changed. Safe to call from several threads. */
  Encoded get(int index);

  /** Lets go of files, if there are any. */
  @Override
  default void close() {}
}
