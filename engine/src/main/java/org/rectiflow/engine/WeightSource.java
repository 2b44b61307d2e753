package org.rectiflow.engine;

import java.util.Optional;
import java.util.Set;

/**
 * Tensors by name: what a model takes its parameters from. Implementations adapt a checkpoint
 * layout to the names that the models use, which are those of diffusers and transformers.
 */
public interface WeightSource {

  /** The tensor of that name, if there is one. */
  Optional<Weight> find(String name);

  /** The names of all tensors. */
  Set<String> names();

  /** The file or folder, for messages. */
  String origin();

  /** Whether there is a tensor of that name. */
  default boolean has(String name) {
    return names().contains(name);
  }

  /**
   * The tensor of that name.
   *
   * @throws CheckpointException if it is missing
   */
  default Weight require(String name) {
    return find(name)
        .orElseThrow(() ->
            new CheckpointException(
                "%s has no tensor %s. The file is incomplete or holds another model; `rectiflow inspect --tensors %s` lists what it has."
                    .formatted(origin(), name, origin())));
  }

  /**
   * The tensor of that name and shape.
   *
   * @throws CheckpointException if it is missing or of another shape
   */
  default Weight require(String name, int... dims) {
    Weight weight = require(name);
    if (!weight.shape().equals(Shape.of(dims))) {
      throw new CheckpointException(
          "%s: tensor %s has shape %s, this model needs %s. The parts come from different models, or the file is damaged."
              .formatted(origin(), name, weight.shape(), Shape.of(dims)));
    }
    return weight;
  }
}
