package org.rectiflow.pipeline.checkpoint;

import java.nio.file.Path;
import java.util.Optional;
import org.rectiflow.pipeline.io.Installation;

/** CLIP's own vocabulary, which comes with the program, for encoders that were made with it. */
final class BundledTokenizers {
  private static final String CLIP_TOKENS = "text_model.embeddings.token_embedding.weight";
  private static final int CLIP_VOCABULARY = 49408;

  private BundledTokenizers() {}

  /** The tokenizer for a CLIP of the checkpoint's, if it is there and of that vocabulary. */
  static Optional<Path> find(Part encoder, Checkpoint checkpoint) {
    if (encoder != Part.CLIP_L && encoder != Part.CLIP_G) {
      return Optional.empty();
    }
    return checkpoint
        .weights(encoder)
        .filter(w -> w.require(CLIP_TOKENS).shape().dim(0) == CLIP_VOCABULARY)
        .flatMap(_ -> Installation.folder("models/clip-tokenizers"))
        .map(folder -> folder.resolve(encoder.tokenizerFolder()));
  }
}
