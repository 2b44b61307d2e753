package org.rectiflow.pipeline.cli;

import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import org.rectiflow.pipeline.checkpoint.Checkpoint;
import org.rectiflow.pipeline.checkpoint.OverriddenCheckpoint;
import org.rectiflow.pipeline.checkpoint.Part;
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

  /** Opens a model with the parts that the options name in place of its own. */
  Checkpoint open(Path model) {
    Map<Part, Path> parts = new EnumMap<>(Part.class);
    put(parts, Part.CLIP_L, clipL);
    put(parts, Part.CLIP_G, clipG);
    put(parts, Part.T5, t5);
    put(parts, Part.VAE, vae);
    return OverriddenCheckpoint.of(Checkpoint.open(model), parts, Optional.ofNullable(tokenizers));
  }

  private static void put(Map<Part, Path> parts, Part part, Path path) {
    if (path != null) {
      parts.put(part, path);
    }
  }
}
