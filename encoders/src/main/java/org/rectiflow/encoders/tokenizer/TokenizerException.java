package org.rectiflow.encoders.tokenizer;

/** A tokenizer's files are missing or not what they should be. The message says what to do. */
public final class TokenizerException extends RuntimeException {
  public TokenizerException(String message) {
    super(message);
  }

  public TokenizerException(String message, Throwable cause) {
    super(message, cause);
  }
}
