package org.rectiflow.pipeline.checkpoint;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.rectiflow.engine.CheckpointException;
import org.rectiflow.pipeline.checkpoint.StoredPart.Layout;
import org.rectiflow.safetensors.TensorSource;

/** One part's folder in a diffusers model: a file of tensors, or shards and their index. */
final class PartFolder {
  private PartFolder() {}

  /** The file names' stem: {@code diffusion_pytorch_model} or {@code model}. */
  static String stem(Part part) {
    return part.isEncoder() ? "model" : "diffusion_pytorch_model";
  }

  /**
   * Opens a part.
   *
   * @return null if there is no such folder
   * @throws CheckpointException if the folder has no tensors
   */
  static OpenPart open(Part part, Path folder, Supplier<Optional<ConfigJson>> config) {
    if (!Files.isDirectory(folder)) {
      return null;
    }
    TensorSource source = TensorSource.open(weightFile(part, folder));
    return new OpenPart(StoredPart.whole(part, source, Layout.DIFFUSERS), config);
  }

  /** One file, else the index of the shards; the full precision before the variant in fp16. */
  private static Path weightFile(Part part, Path folder) {
    String stem = stem(part);
    List<String> names =
        List.of(
            stem + ".safetensors",
            stem + ".safetensors.index.json",
            stem + ".fp16.safetensors",
            stem + ".safetensors.index.fp16.json");
    return names.stream()
        .map(folder::resolve)
        .filter(Files::exists)
        .findFirst()
        .orElseThrow(() ->
            new CheckpointException(
                "%s has neither %s nor %s: the download is incomplete, or its files have other names."
                    .formatted(folder, names.get(0), names.get(1))));
  }
}
