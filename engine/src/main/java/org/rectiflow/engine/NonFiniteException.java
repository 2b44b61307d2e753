package org.rectiflow.engine;

/** A graph produced a NaN or an infinity. The message names the first op that made one. */
public final class NonFiniteException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public NonFiniteException(String message) {
    super(message);
  }
}
