package org.rectiflow.trainer.config;

import java.util.Optional;

/**
 * A key of a run file.
 *
 * @param name with its table: {@code optimizer.learning_rate}
 * @param kind what may stand there
 * @param initial what holds where the file says nothing; empty if it must say something
 * @param mayChange whether a run may go on with another value
 * @param meaning one or two sentences for people
 */
public record Key<T>(
    String name, Kind<T> kind, Optional<T> initial, boolean mayChange, String meaning) {

  /** A key with a default. */
  public static <T> Key<T> of(String name, Kind<T> kind, T initial, String meaning) {
    return new Key<>(name, kind, Optional.of(initial), false, meaning);
  }

  /** A key that every file must have. */
  public static <T> Key<T> required(String name, Kind<T> kind, String meaning) {
    return new Key<>(name, kind, Optional.empty(), false, meaning);
  }

  /** The same; a run may go on with another value. */
  public Key<T> changeable() {
    return new Key<>(name, kind, initial, true, meaning);
  }

  /** The table it belongs to, empty for the top of the file. */
  public String table() {
    int dot = name.lastIndexOf('.');
    return dot < 0 ? "" : name.substring(0, dot);
  }

  /** The name within its table. */
  public String simpleName() {
    return name.substring(name.lastIndexOf('.') + 1);
  }
}
