package org.rectiflow.pipeline.convert;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.rectiflow.pipeline.checkpoint.Part;

/**
 * A model about to be written.
 *
 * @param parts its parts, with tensors under the names of the target's layout
 * @param metadata of every file
 * @param configs texts by their names in diffusers' layout, such as {@code vae/config.json}
 * @param tokenizers folders to copy, by their names in diffusers' layout
 */
record ModelPlan(
    Map<Part, List<TensorPlan>> parts,
    Map<String, String> metadata,
    Map<String, String> configs,
    Map<String, Path> tokenizers) {

  /** Bytes of all tensors. */
  long bytes() {
    return parts.values().stream().flatMap(List::stream).mapToLong(TensorPlan::bytes).sum();
  }
}
