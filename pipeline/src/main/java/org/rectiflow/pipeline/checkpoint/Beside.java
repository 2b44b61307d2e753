package org.rectiflow.pipeline.checkpoint;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.rectiflow.engine.CheckpointException;
import org.rectiflow.safetensors.SafetensorsException;
import org.rectiflow.safetensors.TensorSource;

/**
 * The parts that lie beside a single file: in its folder, or in {@code text_encoders} there. Files
 * are recognised by their tensors. A file with a transformer is another checkpoint, not a part of
 * this one.
 */
final class Beside {
  private final List<Path> folders;
  private final Map<Part, List<Path>> found = new EnumMap<>(Part.class);
  private final List<String> unusable = new ArrayList<>();

  private Beside(List<Path> folders) {
    this.folders = folders;
  }

  /** Looks at the headers of the files beside {@code file}. */
  static Beside of(Path file) {
    Path folder = file.toAbsolutePath().normalize().getParent();
    Beside beside = new Beside(List.of(folder, folder.resolve("text_encoders")));
    for (Path where : beside.folders) {
      for (Path candidate : safetensorsIn(where)) {
        if (!isSame(candidate, file)) {
          beside.look(candidate);
        }
      }
    }
    return beside;
  }

  /** The {@code .safetensors} files of a folder by name; none if there is no such folder. */
  static List<Path> safetensorsIn(Path folder) {
    return filesIn(folder, ".safetensors");
  }

  /** The files of a folder whose names end so, by name; hidden ones are not meant. */
  static List<Path> filesIn(Path folder, String end) {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .filter(f -> f.getFileName().toString().endsWith(end))
          .filter(f -> !f.getFileName().toString().startsWith("."))
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static boolean isSame(Path a, Path b) {
    try {
      return Files.isSameFile(a, b);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void look(Path file) {
    try (TensorSource source = TensorSource.open(file)) {
      FileContents contents = FileContents.of(source);
      if (!contents.parts().containsKey(Part.TRANSFORMER)) {
        contents
            .parts()
            .keySet()
            .forEach(part -> found.computeIfAbsent(part, _ -> new ArrayList<>()).add(file));
      }
    } catch (SafetensorsException | CheckpointException e) {
      // Not the file that was asked for; the reason is told if a part turns out to be missing.
      unusable.add(e.getMessage());
    }
  }

  /**
   * Opens a part.
   *
   * @throws CheckpointException if several files have it
   */
  Optional<FileContents> open(Part part) {
    List<Path> files = found.getOrDefault(part, List.of());
    if (files.size() > 1) {
      throw new CheckpointException(
          "several files here hold the %s: %s. Say which one with %s."
              .formatted(
                  part.title(),
                  String.join(", ", files.stream().map(Path::toString).toList()),
                  part.flag()));
    }
    return files.stream().findFirst().map(file -> FileContents.of(TensorSource.open(file)));
  }

  /** Where it looked, and which files were of no use, for the message that a part is missing. */
  String where() {
    String looked =
        "No file in %s or its folder %s holds it."
            .formatted(folders.get(0), folders.get(1).getFileName());
    return unusable.isEmpty()
        ? looked
        : looked + " Some files there cannot be used: " + String.join("; ", unusable);
  }
}
