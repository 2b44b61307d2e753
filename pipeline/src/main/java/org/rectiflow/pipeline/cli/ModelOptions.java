package org.rectiflow.pipeline.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.cpu.CpuBackend;
import org.rectiflow.engine.reference.ReferenceBackend;
import org.rectiflow.pipeline.checkpoint.Checkpoint;
import org.rectiflow.pipeline.checkpoint.OverriddenCheckpoint;
import org.rectiflow.pipeline.checkpoint.Part;
import org.rectiflow.pipeline.io.UserException;
import picocli.CommandLine.Option;

/** The options that say which model runs on what. */
final class ModelOptions {
  @Option(
      names = "--model",
      paramLabel = "PATH",
      description =
          "A model folder in diffusers' layout, or a single .safetensors file in the original one; default: the bundled shapes model.")
  private Path model;

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

  @Option(
      names = "--device",
      paramLabel = "NAME",
      defaultValue = "cpu",
      description = "cpu (default) or reference; `rectiflow devices` lists them.")
  private String device;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads that compute; default: all processors. Never changes a result.")
  private Integer threads;

  /** Opens the model. */
  Checkpoint open() {
    Path path = model == null ? bundled() : model;
    if (!Files.exists(path)) {
      throw new UserException(
          path
              + ": no such file or folder. --model takes the folder of a model, which has model_index.json, or a .safetensors file.");
    }
    Map<Part, Path> parts = new EnumMap<>(Part.class);
    put(parts, Part.CLIP_L, clipL);
    put(parts, Part.CLIP_G, clipG);
    put(parts, Part.T5, t5);
    put(parts, Part.VAE, vae);
    return OverriddenCheckpoint.of(Checkpoint.open(path), parts, Optional.ofNullable(tokenizers));
  }

  private static void put(Map<Part, Path> parts, Part part, Path path) {
    if (path != null) {
      parts.put(part, path);
    }
  }

  private static Path bundled() {
    String home = System.getProperty("rectiflow.home");
    if (home == null) {
      throw new UserException(
          "where the bundled model is only run.sh knows: start rectiflow through it, or name a model with --model");
    }
    return Path.of(home, "models", "shapes");
  }

  /** Starts the device. */
  Backend backend() {
    int n = threads == null ? Runtime.getRuntime().availableProcessors() : threads;
    if (n < 1) {
      throw new UserException("--threads must be at least 1, got " + n);
    }
    return switch (device) {
      case "cpu" -> new CpuBackend(n);
      case "reference" -> new ReferenceBackend();
      default ->
          throw new UserException(
              "there is no device named " + device + "; `rectiflow devices` lists what there is");
    };
  }
}
