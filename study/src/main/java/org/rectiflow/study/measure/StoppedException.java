package org.rectiflow.study.measure;

/** A run was told to stop before its end; it can go on later. */
public final class StoppedException extends Exception {
  private static final long serialVersionUID = 1;

  public StoppedException(String message) {
    super(message);
  }
}
