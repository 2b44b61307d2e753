package org.rectiflow.trainer.cache;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.rectiflow.datasets.Fingerprint;
import org.rectiflow.engine.Tensor;
import org.rectiflow.pipeline.io.TensorFiles;
import org.rectiflow.pipeline.io.UserException;
import org.rectiflow.safetensors.SafetensorsException;
import org.rectiflow.safetensors.SafetensorsFile;

/**
 * Tensors by key in a folder of safetensors files ("shards"). A shard appears whole or not at all,
 * and is never changed: what a killed process had finished is there for the next one, and several
 * processes may fill one folder. Tensors are read from the mapped files.
 */
final class TensorCache implements AutoCloseable {
  private static final String SUFFIX = ".safetensors";

  private final Path folder;
  private final List<SafetensorsFile> shards = new ArrayList<>();
  private final Map<String, SafetensorsFile> places = new HashMap<>();

  private TensorCache(Path folder) {
    this.folder = folder;
  }

  /**
   * Opens a folder, which is made if it is missing.
   *
   * @throws UserException if it cannot be made, or a shard is damaged
   */
  static TensorCache open(Path folder) {
    TensorCache cache = new TensorCache(folder);
    try {
      Files.createDirectories(folder);
      try (Stream<Path> files = Files.list(folder)) {
        for (Path file : files.filter(TensorCache::isShard).sorted().toList()) {
          cache.add(file);
        }
      }
      return cache;
    } catch (IOException e) {
      cache.close();
      throw new UserException(
          "the cache %s cannot be used: %s; choose another folder".formatted(folder, e), e);
    } catch (SafetensorsException e) {
      cache.close();
      throw new UserException(
          "%s Remove the file from the cache; what was in it is computed again."
              .formatted(e.getMessage()),
          e);
    }
  }

  private static boolean isShard(Path file) {
    String name = file.getFileName().toString();
    return name.endsWith(SUFFIX) && !name.startsWith(".");
  }

  private void add(Path file) {
    SafetensorsFile shard = SafetensorsFile.open(file);
    shards.add(shard);
    shard.tensors().keySet().forEach(key -> places.put(key, shard));
  }

  boolean contains(String key) {
    return places.containsKey(key);
  }

  /** A copy of a tensor that is there. */
  Tensor read(String key) {
    SafetensorsFile shard = places.get(key);
    if (shard == null) {
      throw new IllegalArgumentException("the cache has no tensor " + key);
    }
    return TensorFiles.read(shard, key);
  }

  /** Adds a shard with these tensors. Its name follows from their keys. */
  void write(Map<String, Tensor> tensors) {
    Fingerprint print = new Fingerprint();
    new TreeMap<>(tensors).keySet().forEach(print::add);
    Path file = folder.resolve(print.hex().substring(0, 32) + SUFFIX);
    TensorFiles.write(file, tensors, Map.of("format", "rectiflow-cache-1"));
    add(file);
  }

  @Override
  public void close() {
    shards.forEach(SafetensorsFile::close);
    shards.clear();
    places.clear();
  }
}
