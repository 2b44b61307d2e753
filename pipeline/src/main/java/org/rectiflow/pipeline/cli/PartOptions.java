package org.rectiflow.pipeline.cli;

import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.rectiflow.pipeline.checkpoint.Checkpoint;
import org.rectiflow.pipeline.checkpoint.OverriddenCheckpoint;
import org.rectiflow.pipeline.checkpoint.Part;
import org.rectiflow.pipeline.io.UsageException;
import picocli.CommandLine.Option;

/** The options that name parts of a model which are stored elsewhere. */
final class PartOptions {
  @Option(
      names = "--clip-l",
      paramLabel = "PATH",
      description = "A file with CLIP-L, or its folder; default: in the model, or beside its file.")
  private Path clipL;

  @Option(names = "--clip-g", paramLabel = "PATH", description = "The same for CLIP-G.")
  private Path clipG;

  @Option(names = "--t5", paramLabel = "PATH", description = "The same for T5.")
  private Path t5;

  @Option(names = "--vae", paramLabel = "PATH", description = "The same for the autoencoder.")
  private Path vae;

  @Option(
      names = "--tokenizers",
      paramLabel = "DIR",
      description =
          "A folder with the folders tokenizer, tokenizer_2 and tokenizer_3, which single files lack; any model in diffusers' layout will do.")
  private Path tokenizers;

  /**
   * Checks that no encoder is both given and left out.
   *
   * @throws UsageException if one is
   */
  void checkNotDropped(Set<Part> dropped) {
    for (Part part : given().keySet()) {
      if (dropped.contains(part)) {
        throw new UsageException(
            "%s gives the %s that --no-%s leaves out; give one of them"
                .formatted(part.flag(), part.title(), part.flag().substring(2)));
      }
    }
  }

  /** Opens a model with the parts that the options name in place of its own. */
  Checkpoint open(Path model) {
    return OverriddenCheckpoint.of(
        Checkpoint.open(model), given(), Optional.ofNullable(tokenizers));
  }

  private Map<Part, Path> given() {
    Map<Part, Path> parts = new EnumMap<>(Part.class);
    put(parts, Part.CLIP_L, clipL);
    put(parts, Part.CLIP_G, clipG);
    put(parts, Part.T5, t5);
    put(parts, Part.VAE, vae);
    return parts;
  }

  private static void put(Map<Part, Path> parts, Part part, Path path) {
    if (path != null) {
      parts.put(part, path);
    }
  }
}
