package org.rectiflow.pipeline.convert;

import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.rectiflow.pipeline.Progress;
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

  /** The same, reporting each tensor that is written. */
  ModelPlan with(Progress progress) {
    int tensors =
        (int) parts.values().stream().flatMap(List::stream).filter(t -> t.data() != null).count();
    Progress.Phase phase = progress.begin("writing", tensors);
    Map<Part, List<TensorPlan>> reporting = new EnumMap<>(parts);
    reporting.replaceAll((_, plans) -> plans.stream().map(t -> t.with(phase::step)).toList());
    return new ModelPlan(reporting, metadata, configs, tokenizers);
  }

  /** Bytes that all tensors take on the disk, where zeros are holes. */
  long bytes() {
    return parts.values().stream()
        .flatMap(List::stream)
        .filter(t -> t.data() != null)
        .mapToLong(TensorPlan::bytes)
        .sum();
  }
}
