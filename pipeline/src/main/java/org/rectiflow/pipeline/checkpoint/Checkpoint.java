package org.rectiflow.pipeline.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.rectiflow.encoders.ClipConfig;
import org.rectiflow.encoders.T5Config;
import org.rectiflow.engine.CheckpointException;
import org.rectiflow.engine.WeightSource;
import org.rectiflow.safetensors.TensorSource;
import org.rectiflow.scheduler.FlowMatchConfig;
import org.rectiflow.vae.VaeConfig;

/**
 * A whole model, wherever its parts are stored: tensors by diffusers' names, tokenizer files, and
 * the few settings that shapes cannot tell. Closing it unmaps the files.
 */
public sealed interface Checkpoint extends AutoCloseable
    permits DiffusersFolder, SingleFile, OverriddenCheckpoint {

  /**
   * Opens a model: a folder in diffusers' layout, or a single file in the original one.
   *
   * @throws CheckpointException if it is neither
   */
  static Checkpoint open(Path path) {
    return Files.isDirectory(path) ? DiffusersFolder.open(path) : SingleFile.open(path);
  }

  /** Opens a model to look at it: what is wrong with it is a {@link #problem}, where possible. */
  static Checkpoint openLenient(Path path) {
    return Files.isDirectory(path) ? DiffusersFolder.open(path) : SingleFile.openLenient(path);
  }

  /** What is wrong with it as a whole; empty unless it was {@linkplain #openLenient looked at}. */
  default Optional<String> problem() {
    return Optional.empty();
  }

  /** The file or folder it was opened from, for messages. */
  Path path();

  /** Which layout it is in, for people. */
  String layout();

  /** A part, if the checkpoint has it. */
  Optional<OpenPart> part(Part part);

  /**
   * A configuration by its name in diffusers' layout, such as {@code vae/config.json}, if the
   * checkpoint carries it.
   */
  Optional<ConfigJson> config(String name);

  /** The folder with an encoder's tokenizer files, if there is one. */
  Optional<Path> tokenizer(Part encoder);

  /** The settings of the scheduler the model was published with. */
  FlowMatchConfig schedulerConfig();

  /** What to generate with when nothing is asked for. */
  GenerationDefaults defaults();

  /**
   * Where a part was looked for, and what can be done: the end of a sentence that it is missing.
   */
  String howToSupply(Part part);

  /** The same for an encoder's tokenizer. */
  String howToSupplyTokenizer(Part encoder);

  @Override
  void close();

  /** The tensors of a part, if the checkpoint has it. */
  default Optional<WeightSource> weights(Part part) {
    return part(part).map(OpenPart::weights);
  }

  /** The safetensors files of a part, in order; empty if it is absent. */
  default List<Path> files(Part part) {
    return part(part).map(p -> p.stored().source().files()).orElse(List.of());
  }

  /** What a part's files hold, if the checkpoint has it. */
  default Optional<TensorSummary> summary(Part part, boolean listed) {
    return part(part).map(p -> p.stored().summary(listed));
  }

  /** The autoencoder's sizes and the latents' normalisation. */
  default VaeConfig vaeConfig() {
    return requirePart(Part.VAE).vaeConfig();
  }

  /** The sizes of CLIP-L or CLIP-G. */
  default ClipConfig clipConfig(Part clip) {
    return requirePart(clip).clipConfig();
  }

  default T5Config t5Config() {
    return requirePart(Part.T5).t5Config();
  }

  /**
   * The tensors of a part that is needed.
   *
   * @throws CheckpointException saying which part is missing and how to supply it
   */
  default WeightSource require(Part part) {
    return requirePart(part).weights();
  }

  private OpenPart requirePart(Part part) {
    return part(part)
        .orElseThrow(() ->
            new CheckpointException(
                "%s has no %s. %s%s"
                    .formatted(path(), part.title(), howToSupply(part), orWithout(part))));
  }

  /**
   * The tokenizer files of an encoder that is needed.
   *
   * @throws CheckpointException saying which are missing and where they are published
   */
  default Path requireTokenizer(Part encoder) {
    return tokenizer(encoder)
        .orElseThrow(() ->
            new CheckpointException(
                "%s has no tokenizer for %s. %s%s"
                    .formatted(
                        path(),
                        encoder.title(),
                        howToSupplyTokenizer(encoder),
                        orWithout(encoder))));
  }

  private static String orWithout(Part part) {
    return part.isEncoder()
        ? " Or add --no-%s to generate without it.".formatted(part.flag().substring(2))
        : "";
  }

  /**
   * Checks that no mapped file was changed by another program since it was opened.
   *
   * @throws org.rectiflow.safetensors.SafetensorsException naming the file that was
   */
  default void checkIntact() {
    openSources().forEach(TensorSource::checkIntact);
  }

  /**
   * Does work that reads the mapped files, and turns the {@link InternalError} that reading throws
   * when another program cut one short into an exception that names the file.
   *
   * @throws org.rectiflow.safetensors.SafetensorsException if a file was changed meanwhile
   */
  default <T> T guarded(Callable<T> work) throws Exception {
    try {
      return work.call();
    } catch (Exception | Error e) {
      // Threads that compute hand their errors on as causes.
      for (Throwable cause = e; cause != null; cause = cause.getCause()) {
        if (cause instanceof InternalError) {
          checkIntact();
        }
      }
      throw e;
    }
  }

  /** The files that are open by now: parts are opened when they are first asked for. */
  Stream<TensorSource> openSources();

  /**
   * Defaults a model folder may carry in {@code rectiflow.json}; absent ones come from the preset.
   *
   * @param steps inference steps
   * @param guidance classifier-free guidance scale
   * @param formulation what the transformer was trained as; empty means a rectified flow
   * @param zeroUnconditional whether guidance leads away from zeros, which training dropped
   *     encoders to, instead of the encodings of nothing
   * @param size side of the picture in pixels
   */
  record GenerationDefaults(
      Optional<Integer> steps,
      Optional<Double> guidance,
      Optional<String> formulation,
      boolean zeroUnconditional,
      int size) {

    /** Nothing but a size. */
    static GenerationDefaults of(int size) {
      return new GenerationDefaults(
          Optional.empty(), Optional.empty(), Optional.empty(), false, size);
    }

    /** What a {@code rectiflow.json} says. */
    static GenerationDefaults of(JsonNode json, int size) {
      return new GenerationDefaults(
          Optional.ofNullable(json.get("steps")).map(JsonNode::asInt),
          Optional.ofNullable(json.get("guidance")).map(JsonNode::asDouble),
          Optional.ofNullable(json.get("formulation")).map(JsonNode::asText),
          json.path("unconditional").asText().equals("zeros"),
          size);
    }
  }
}
