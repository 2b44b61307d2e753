package org.rectiflow.engine;

/** A checkpoint lacks a tensor, has one too many, or one of the wrong shape or type. */
public final class CheckpointException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public CheckpointException(String message) {
    super(message);
  }
}
