package org.rectiflow.benchmarks.model;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.rectiflow.pipeline.Progress;
import org.rectiflow.pipeline.checkpoint.Part;
import org.rectiflow.pipeline.convert.RandomModel;
import org.rectiflow.pipeline.convert.Release;
import org.rectiflow.pipeline.convert.TargetLayout;
import org.rectiflow.pipeline.io.OutputPlace;
import org.rectiflow.pipeline.io.UserException;
import org.rectiflow.safetensors.DType;

/** The model that is measured: one of the released sizes with random weights, made when missing. */
public final class ModelFile {
  private ModelFile() {}

  /** Where models for measuring are kept unless the user says otherwise. */
  public static Path cacheFolder() {
    Path home = Path.of(System.getProperty("user.home"));
    Path cache =
        Optional.ofNullable(System.getenv("XDG_CACHE_HOME"))
            .filter(text -> !text.isBlank())
            .map(Path::of)
            .orElse(home.resolve(".cache"));
    return cache.resolve("rectiflow");
  }

  /** The default place of a model of that size and type. */
  public static Path cached(Release release, DType dtype) {
    String name = release.name().toLowerCase(Locale.ROOT).replace('_', '-');
    return cacheFolder().resolve(name + "-random-" + dtype.name().toLowerCase(Locale.ROOT));
  }

  /**
   * Writes a transformer of that size with random weights unless there is something at {@code
   * path}. The folder appears under its name when it is complete; an interrupted run leaves nothing
   * and begins anew.
   *
   * @param path {@link #cached}, or for tests another
   * @param say is told the size before anything is written
   * @throws UserException if the disk has too little room
   */
  public static void ensure(
      Path path, Release release, DType dtype, Consumer<String> say, Progress progress)
      throws IOException {
    if (Files.exists(path)) {
      return;
    }
    RandomModel model =
        new RandomModel(release, release.blocks(), Map.of(Part.TRANSFORMER, dtype), false, 0);
    long bytes = model.bytes();
    OutputPlace.requireRoom(
        path,
        bytes,
        "Name the cache's folder on another disk in the environment as XDG_CACHE_HOME, or measure a model you have with --model.");
    say.accept(
        "writing a transformer of the sizes of %s with random weights to %s: %.1f GB, once"
            .formatted(release, path, bytes * 1e-9));
    model.write(path, TargetLayout.DIFFUSERS, progress);
  }
}
