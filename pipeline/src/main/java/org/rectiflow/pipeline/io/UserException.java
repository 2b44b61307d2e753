package org.rectiflow.pipeline.io;

/** Something the caller asked for cannot be had; the message says why and what to do instead. */
public sealed class UserException extends RuntimeException permits UsageException {
  private static final long serialVersionUID = 1L;

  public UserException(String message) {
    super(message);
  }

  public UserException(String message, Throwable cause) {
    super(message, cause);
  }
}
