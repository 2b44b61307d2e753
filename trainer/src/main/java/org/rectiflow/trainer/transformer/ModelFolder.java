package org.rectiflow.trainer.transformer;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.rectiflow.engine.Tensor;
import org.rectiflow.engine.Weight;
import org.rectiflow.engine.WeightSource;
import org.rectiflow.pipeline.checkpoint.Part;
import org.rectiflow.pipeline.convert.DiffusersConfigs;
import org.rectiflow.pipeline.io.Json;
import org.rectiflow.pipeline.io.TensorFiles;
import org.rectiflow.safetensors.SafetensorsWriter;

/**
 * Writes a model in diffusers' layout: some parts trained, the others those of a base. Files of the
 * base are linked where the file system can (writers here never change a file in place), and else
 * copied.
 */
public final class ModelFolder {
  private ModelFolder() {}

  /**
   * Links or copies what stands in {@code base}.
   *
   * @param without files and folders at its top that are left out
   */
  public static void copyParts(Path base, Path target, Set<String> without) throws IOException {
    try (Stream<Path> top = Files.list(base)) {
      for (Path part : top.sorted().toList()) {
        String name = part.getFileName().toString();
        if (without.contains(name) || name.startsWith(".")) {
          continue;
        }
        if (Files.isDirectory(part)) {
          Path folder = Files.createDirectory(target.resolve(name));
          try (Stream<Path> files = Files.list(part)) {
            for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
              link(file, folder.resolve(file.getFileName()));
            }
          }
        } else {
          link(part, target.resolve(name));
        }
      }
    }
  }

  private static void link(Path from, Path to) throws IOException {
    try {
      Files.createLink(to, from.toRealPath());
    } catch (FileSystemException | UnsupportedOperationException _) {
      Files.copy(from, to);
    }
  }

  /**
   * Writes a part of diffusers: its tensors in F32, {@code diffusion_pytorch_model.safetensors},
   * and its configuration.
   *
   * @param part its folder's name
   * @param config for {@code config.json}
   */
  public static void writePart(Path model, String part, WeightSource weights, Map<String, ?> config)
      throws IOException {
    writePart(model.resolve(part), weights, config, "diffusion_pytorch_model.safetensors");
  }

  /**
   * Writes a part of transformers, the same in {@code model.safetensors}.
   *
   * @param part its folder's name
   * @param config for {@code config.json}
   */
  public static void writeEncoder(
      Path model, String part, WeightSource weights, Map<String, ?> config) throws IOException {
    writePart(model.resolve(part), weights, config, "model.safetensors");
  }

  private static void writePart(
      Path folder, WeightSource weights, Map<String, ?> config, String file) throws IOException {
    Files.createDirectories(folder);
    SafetensorsWriter writer = new SafetensorsWriter().metadata("format", "pt");
    for (String name : new TreeSet<>(weights.names())) {
      Weight weight = weights.require(name);
      TensorFiles.add(writer, name, new Tensor(weight.shape(), weight.toFloats()));
    }
    writer.write(folder.resolve(file));
    writeJson(folder.resolve("config.json"), config);
  }

  /** Writes {@code model_index.json} of the parts that are there. */
  public static void writeIndex(Path model) throws IOException {
    List<Part> parts =
        Stream.of(Part.values()).filter(p -> Files.isDirectory(model.resolve(p.folder()))).toList();
    writeJson(model.resolve("model_index.json"), DiffusersConfigs.modelIndex(parts));
  }

  /** Writes a JSON file, missing folders included. */
  public static void writeJson(Path file, Map<String, ?> json) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(file, Json.pretty(new LinkedHashMap<>(json)) + "\n");
  }
}
