package org.rectiflow.pipeline.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.rectiflow.engine.Backend;
import org.rectiflow.engine.BackendProvider;
import org.rectiflow.engine.Backends;
import org.rectiflow.pipeline.checkpoint.Checkpoint;
import org.rectiflow.pipeline.checkpoint.Part;
import org.rectiflow.pipeline.io.Installation;
import org.rectiflow.pipeline.io.UsageException;
import org.rectiflow.pipeline.io.UserException;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options that say which model runs on what. */
final class ModelOptions {
  @Option(
      names = "--model",
      paramLabel = "PATH",
      description =
          "A model folder in diffusers' layout, or a single .safetensors file in the original one; default: the bundled shapes model.")
  private Path model;

  @Mixin private PartOptions parts;

  @Option(
      names = "--device",
      paramLabel = "NAME",
      defaultValue = "cpu",
      description =
          "cpu (default), reference, tornado or tornado:0:1; `rectiflow devices` lists them. To TornadoVM's, +stream adds weights larger than the device's memory, +cublas and +cuda-graphs what NVIDIA's have.")
  private String device;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads that compute; default: all processors. Never changes a result.")
  private Integer threads;

  /** Whether there is a model on the command line. */
  boolean isNamed() {
    return model != null;
  }

  /** As {@link PartOptions#checkNotDropped}. */
  void checkNotDropped(Set<Part> dropped) {
    parts.checkNotDropped(dropped);
  }

  /** Opens the model. */
  Checkpoint open() {
    Path path = model == null ? bundled() : model;
    if (!Files.exists(path)) {
      throw new UserException(
          path
              + ": no such file or folder. --model takes the folder of a model, which has model_index.json, or a .safetensors file.");
    }
    return parts.open(path);
  }

  private static Path bundled() {
    return Installation.folder("models/shapes")
        .orElseThrow(() ->
            new UserException(
                "where the bundled model is only run.sh knows: start rectiflow through it, or name a model with --model"));
  }

  /** Starts the device. */
  Backend backend() {
    return backend(device, Optional.empty());
  }

  /** The names in {@code --device cpu,tornado}. */
  List<String> devices() {
    return List.of(device.split(","));
  }

  /**
   * Starts one device.
   *
   * @param kernels folder for the source of generated kernels
   */
  Backend backend(String name, Optional<Path> kernels) {
    int n = threads == null ? Runtime.getRuntime().availableProcessors() : threads;
    UsageException.requireAtLeast("--threads", 1, n);
    return UsageException.checked(
        () -> Backends.open(name, new BackendProvider.Options(n, kernels)));
  }
}
