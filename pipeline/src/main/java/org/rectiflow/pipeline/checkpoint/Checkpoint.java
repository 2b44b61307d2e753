package org.rectiflow.pipeline.checkpoint;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.rectiflow.encoders.ClipConfig;
import org.rectiflow.encoders.T5Config;
import org.rectiflow.engine.CheckpointException;
import org.rectiflow.engine.WeightSource;
import org.rectiflow.scheduler.FlowMatchConfig;
import org.rectiflow.vae.VaeConfig;

/**
 * A whole model, wherever its parts are stored: tensors by diffusers' names, tokenizer files, and
 * the few settings that shapes cannot tell. Closing it unmaps the files.
 */
public interface Checkpoint extends AutoCloseable {

  /** The file or folder it was opened from, for messages. */
  Path path();

  /** The tensors of a part, if the checkpoint has it. */
  Optional<WeightSource> weights(Part part);

  /** The safetensors files of a part, in order; empty if it is absent. */
  List<Path> files(Part part);

  /** What a part's files hold, if the checkpoint has it. */
  Optional<TensorSummary> summary(Part part, boolean listed);

  /** The folder with an encoder's tokenizer files, if there is one. */
  Optional<Path> tokenizer(Part encoder);

  /** The settings of the scheduler the model was published with. */
  FlowMatchConfig schedulerConfig();

  /** The autoencoder's sizes and the latents' normalisation. */
  VaeConfig vaeConfig();

  /** The sizes of CLIP-L or CLIP-G. */
  ClipConfig clipConfig(Part clip);

  T5Config t5Config();

  /** What to generate with when nothing is asked for. */
  GenerationDefaults defaults();

  @Override
  void close();

  /**
   * The tensors of a part that is needed.
   *
   * @throws CheckpointException saying which part is missing and how to supply it
   */
  default WeightSource require(Part part) {
    return weights(part).orElseThrow(() -> missing(part, part.folder()));
  }

  /**
   * The tokenizer files of an encoder that is needed.
   *
   * @throws CheckpointException saying which are missing
   */
  default Path requireTokenizer(Part encoder) {
    return tokenizer(encoder).orElseThrow(() -> missing(encoder, encoder.tokenizerFolder()));
  }

  private CheckpointException missing(Part part, String what) {
    String without =
        switch (part) {
          case CLIP_L -> " or add --no-clip-l to generate without it";
          case CLIP_G -> " or add --no-clip-g to generate without it";
          case T5 -> " or add --no-t5 to generate without it";
          default -> "";
        };
    return new CheckpointException(
        "%s has no %s for the %s. Download that folder of the model%s."
            .formatted(path(), what, part.title(), without));
  }

  /**
   * Defaults a model folder may carry in {@code rectiflow.json}; absent ones come from the preset.
   *
   * @param steps inference steps
   * @param guidance classifier-free guidance scale
   * @param size side of the picture in pixels
   */
  record GenerationDefaults(Optional<Integer> steps, Optional<Double> guidance, int size) {}
}
