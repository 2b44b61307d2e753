package org.rectiflow.safetensors;

import java.util.Optional;

/** What a tensor may be called, when reading and when writing. */
final class TensorNames {

  /** The header's key for free-form text, which no tensor may have. */
  static final String METADATA = "__metadata__";

  private TensorNames() {}

  /** What is wrong with a name; empty when nothing is. */
  static Optional<String> problem(String name) {
    if (name.isEmpty()) {
      return Optional.of("a tensor's name must not be empty");
    }
    if (name.chars().anyMatch(Character::isISOControl)) {
      return Optional.of(
          "a tensor's name must not hold control characters such as NUL or a line break");
    }
    if (!StrictJson.isWellFormed(name)) {
      return Optional.of("half a surrogate pair in a tensor's name is no text");
    }
    return Optional.empty();
  }
}
