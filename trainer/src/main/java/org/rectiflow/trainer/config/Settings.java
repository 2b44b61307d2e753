package org.rectiflow.trainer.config;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.rectiflow.pipeline.io.UserException;

/**
 * The values of a run file, defaults included.
 *
 * @param origin the file's name, for messages
 * @param keys every key that the file may have
 * @param values of all keys, by name
 * @param places of what is not a default, by name: {@code run.toml, line 3}
 */
public record Settings(
    String origin, List<Key<?>> keys, Map<String, Object> values, Map<String, String> places) {

  /** The value of a key. */
  @SuppressWarnings("unchecked") // RunFile put there what the key's kind read
  public <T> T get(Key<T> key) {
    Object value = values.get(key.name());
    if (value == null) {
      throw new IllegalArgumentException(key.name() + " is no key of " + origin);
    }
    return (T) value;
  }

  /** A whole number as an int. */
  public int number(Key<Long> key) {
    return Math.toIntExact(get(key));
  }

  /** The same with another value, as flags of the command line have it. */
  public <T> Settings with(Key<T> key, T value) {
    Map<String, Object> changed = new LinkedHashMap<>(values);
    changed.put(key.name(), value);
    return new Settings(origin, keys, changed, places);
  }

  /** Whether the file says it, be it the default. */
  public boolean says(Key<?> key) {
    return places.containsKey(key.name());
  }

  /** Where the file says it, for messages; the file where it does not. */
  public String place(Key<?> key) {
    return places.getOrDefault(key.name(), origin);
  }

  /** That a value cannot be, for a reason that takes more than its kind to see. */
  public UserException problem(Key<?> key, String reason) {
    return new UserException("%s: %s: %s".formatted(place(key), key.name(), reason));
  }
}
