package org.rectiflow.pipeline.io;

import java.nio.file.Path;
import org.rectiflow.engine.Shape;
import org.rectiflow.engine.Tensor;
import org.rectiflow.safetensors.TensorSource;

/** Noise and latents in safetensors files. */
public final class LatentsFile {
  private LatentsFile() {}

  /** Writes {@code noise} and {@code latents}, F32. */
  public static void write(Path file, Tensor noise, Tensor latents) {
    TensorFiles.write(
        file, java.util.Map.of("noise", noise, "latents", latents), java.util.Map.of());
  }

  /**
   * The tensor {@code noise} of a file.
   *
   * @throws UserException if it is missing or of another shape
   */
  public static Tensor readNoise(Path file, Shape shape) {
    try (TensorSource source = TensorSource.open(file)) {
      Tensor noise = TensorFiles.read(source, "noise");
      if (!noise.shape().equals(shape)) {
        throw new UserException(
            "%s: the noise has shape %s, a picture of this size needs %s; change --size"
                .formatted(file, noise.shape(), shape));
      }
      return noise;
    }
  }
}
