package org.rectiflow.datasets;

import java.io.IOException;

/**
 * Captioned pictures in a fixed order. Example {@code i} is the same whenever and from whichever
 * thread it is asked for, so that a run resumed in the middle sees what it would have seen.
 */
public interface Dataset {

  /** Number of examples; a world that can be drawn for ever states how many it is to count. */
  int size();

  /**
   * One example. Safe to call from several threads.
   *
   * @param index 0 up to {@link #size()} - 1
   * @throws IndexOutOfBoundsException for another index
   * @throws IOException if a picture cannot be read; the message names the file
   */
  Example get(int index) throws IOException;

  /**
   * A SHA-256 in hexadecimal of everything that decides what the examples are: two data sets with
   * the same fingerprint have the same examples in the same order.
   *
   * @throws IOException if files that belong to it cannot be read
   */
  String fingerprint() throws IOException;
}
