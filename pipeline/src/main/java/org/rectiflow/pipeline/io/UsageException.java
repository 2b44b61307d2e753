package org.rectiflow.pipeline.io;

import java.util.function.Supplier;

/**
 * The command line asks for what cannot be, whatever the files hold: a value out of range, or
 * options that contradict each other. The exit status is 2, as for an unknown option.
 */
public final class UsageException extends UserException {
  private static final long serialVersionUID = 1L;

  public UsageException(String message) {
    super(message);
  }

  private UsageException(IllegalArgumentException cause) {
    super(cause.getMessage(), cause);
  }

  /** Makes something of values of the command line; those that it refuses were a mistake there. */
  public static <T> T checked(Supplier<T> made) {
    try {
      return made.get();
    } catch (IllegalArgumentException e) {
      throw new UsageException(e);
    }
  }

  /**
   * Checks a number.
   *
   * @param flag the option that it is the value of
   * @param value null if the option was not given
   */
  public static void requireAtLeast(String flag, long least, Number value) {
    if (value != null && value.longValue() < least) {
      throw new UsageException("%s must be at least %d, got %s".formatted(flag, least, value));
    }
  }

  /** As {@link #requireAtLeast}, for a number that also has a largest value. */
  public static void requireWithin(String flag, long least, long most, Number value) {
    if (value != null && (value.longValue() < least || value.longValue() > most)) {
      throw new UsageException("%s must be %d to %d, got %s".formatted(flag, least, most, value));
    }
  }
}
