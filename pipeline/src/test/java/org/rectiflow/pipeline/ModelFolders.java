package org.rectiflow.pipeline;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.function.BiConsumer;
import org.rectiflow.safetensors.SafetensorsWriter;
import org.rectiflow.safetensors.TensorSource;

/** The small models that tests use, and damaged copies of them. */
public final class ModelFolders {
  public static final Path TINY_SD3 = Path.of("../testdata/models/tiny-sd3");
  public static final Path TINY_SD35M = Path.of("../testdata/models/tiny-sd35m");
  public static final Path SHAPES = Path.of("../testdata/models/shapes");
  public static final Path GOLDEN = Path.of("../testdata/golden");

  private ModelFolders() {}

  /** A copy of a model folder that may be changed. */
  public static Path copy(Path model, Path target) {
    try {
      Files.walkFileTree(
          model,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes a)
                throws IOException {
              Files.createDirectories(target.resolve(model.relativize(folder).toString()));
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes a) throws IOException {
              Files.copy(file, target.resolve(model.relativize(file).toString()));
              return FileVisitResult.CONTINUE;
            }
          });
      return target;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Writes a safetensors file anew, {@code change} deciding what becomes of each tensor. */
  public static void rewrite(Path file, BiConsumer<SafetensorsWriter, TensorSource> change) {
    Path old = file.resolveSibling("old.safetensors");
    try {
      Files.move(file, old);
      try (TensorSource source = TensorSource.open(old)) {
        SafetensorsWriter writer = new SafetensorsWriter();
        change.accept(writer, source);
        writer.write(file);
      }
      Files.delete(old);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
