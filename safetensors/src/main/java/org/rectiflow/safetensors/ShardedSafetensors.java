package org.rectiflow.safetensors;

import static org.rectiflow.safetensors.SafetensorsException.quote;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.rectiflow.safetensors.SafetensorsException.Kind;

/**
 * All shards of a {@code NAME.safetensors.index.json} as one source. The headers of all shards are
 * read when opening, since only together they show that no tensor is missing or there twice; data
 * is not touched.
 *
 * <p>A shard must lie in the folder of the index. Links are followed only as far as the folder in
 * which the index itself really lies, which is how the Hugging Face cache keeps files.
 */
public final class ShardedSafetensors implements TensorSource {

  private final Path path;
  private final Map<String, SafetensorsFile> shards;
  private final Map<String, SafetensorsFile> shardOf;
  private final Map<String, TensorInfo> tensors;
  private final Map<String, String> metadata;

  private ShardedSafetensors(
      Path path,
      Map<String, SafetensorsFile> shards,
      Map<String, SafetensorsFile> shardOf,
      Map<String, TensorInfo> tensors,
      Map<String, String> metadata) {
    this.path = path;
    this.shards = shards;
    this.shardOf = shardOf;
    this.tensors = tensors;
    this.metadata = metadata;
  }

  /**
   * Opens an index and all its shards.
   *
   * @throws SafetensorsException when the index or a shard is missing or malformed, a shard lies
   *     outside the index's folder, or the shards do not hold exactly what the index says
   */
  public static ShardedSafetensors open(Path path) {
    ShardIndex index = ShardIndex.read(path);
    Map<String, SafetensorsFile> shards = new TreeMap<>();
    try {
      for (String name : new TreeSet<>(index.shardOf().values())) {
        shards.put(name, SafetensorsFile.open(shardPath(path, name)));
      }
      return join(path, index, shards);
    } catch (RuntimeException | Error e) {
      shards.values().forEach(SafetensorsFile::close);
      throw e;
    }
  }

  private static Path shardPath(Path index, String name) {
    Path folder = index.toAbsolutePath().getParent();
    Path shard;
    try {
      shard = Path.of(name);
    } catch (InvalidPathException e) {
      throw outside(index, name, "is no file name", e);
    }
    if (name.isEmpty() || shard.isAbsolute() || name.startsWith("/") || name.contains("\\")) {
      throw outside(index, name, "is not relative to the index's folder", null);
    }
    for (Path part : shard) {
      if (part.toString().equals("..")) {
        throw outside(index, name, "climbs out of the index's folder", null);
      }
    }
    Path resolved = index.resolveSibling(shard);
    if (!Files.exists(resolved)) {
      throw new SafetensorsException(
          Kind.SHARD_MISSING,
          index,
          null,
          "the shard " + quote(name) + " is listed but is not in " + folder,
          "Download it into that folder");
    }
    try {
      Path real = resolved.toRealPath();
      boolean inside =
          real.startsWith(folder.toRealPath()) || real.startsWith(index.toRealPath().getParent());
      if (!inside) {
        throw outside(index, name, "is a link to " + real + ", outside the index's folder", null);
      }
    } catch (IOException e) {
      throw InputFiles.readFailed(resolved, e);
    }
    return resolved;
  }

  private static SafetensorsException outside(
      Path index, String name, String problem, Throwable cause) {
    return new SafetensorsException(
        Kind.SHARD_OUTSIDE,
        index,
        null,
        "the shard " + quote(name) + " " + problem,
        "Put all shards beside the index, and name them without a path",
        cause);
  }

  private static ShardedSafetensors join(
      Path path, ShardIndex index, Map<String, SafetensorsFile> shards) {
    Map<String, SafetensorsFile> shardOf = new LinkedHashMap<>();
    Map<String, TensorInfo> tensors = new LinkedHashMap<>();
    Map<String, String> metadata = new LinkedHashMap<>();
    long total = 0;
    for (SafetensorsFile shard : shards.values()) {
      for (TensorInfo info : shard.tensors().values()) {
        String name = info.name();
        SafetensorsFile before = shardOf.put(name, shard);
        if (before != null) {
          throw wrong(
              Kind.TENSOR_IN_TWO_SHARDS,
              path,
              name,
              "is in " + before.path().getFileName() + " and in " + shard.path().getFileName());
        }
        tensors.put(name, info);
        total += info.byteSize();
      }
      shard.metadata().forEach(metadata::putIfAbsent);
    }
    checkListing(path, index, shards, shardOf);
    long bytes = total;
    index
        .totalSize()
        .ifPresent(expected -> {
          if (expected != bytes) {
            throw wrong(
                Kind.TOTAL_SIZE_MISMATCH,
                path,
                null,
                "metadata.total_size: expected the "
                    + bytes
                    + " bytes all tensors take, found "
                    + expected);
          }
        });
    return new ShardedSafetensors(
        path,
        shards,
        shardOf,
        Collections.unmodifiableMap(tensors),
        Collections.unmodifiableMap(metadata));
  }

  private static void checkListing(
      Path path,
      ShardIndex index,
      Map<String, SafetensorsFile> shards,
      Map<String, SafetensorsFile> shardOf) {
    index
        .shardOf()
        .forEach((name, shard) -> {
          if (shardOf.get(name) != shards.get(shard)) {
            throw wrong(
                Kind.SHARD_LACKS_TENSOR,
                path,
                name,
                "the index says it is in "
                    + quote(shard)
                    + ", but "
                    + (shardOf.containsKey(name)
                        ? "it is in " + shardOf.get(name).path().getFileName()
                        : "it is not there"));
          }
        });
    for (Map.Entry<String, SafetensorsFile> found : shardOf.entrySet()) {
      if (!index.shardOf().containsKey(found.getKey())) {
        throw wrong(
            Kind.TENSOR_NOT_LISTED,
            path,
            found.getKey(),
            "it is in "
                + found.getValue().path().getFileName()
                + ", but the index does not list it");
      }
    }
  }

  private static SafetensorsException wrong(Kind kind, Path path, String tensor, String problem) {
    return new SafetensorsException(
        kind, path, tensor, problem, "Index and shards must be of one version: download all again");
  }

  @Override
  public Path path() {
    return path;
  }

  @Override
  public List<Path> files() {
    return shards.values().stream().map(SafetensorsFile::path).toList();
  }

  @Override
  public Map<String, TensorInfo> tensors() {
    shards.values().forEach(SafetensorsFile::tensors);
    return tensors;
  }

  @Override
  public Map<String, String> metadata() {
    shards.values().forEach(SafetensorsFile::metadata);
    return metadata;
  }

  @Override
  public MemorySegment data(String name) {
    return shardOf.get(info(name).name()).data(name);
  }

  @Override
  public Path fileOf(String name) {
    return shardOf.get(info(name).name()).path();
  }

  @Override
  public void checkIntact() {
    shards.values().forEach(SafetensorsFile::checkIntact);
  }

  @Override
  public void close() {
    shards.values().forEach(SafetensorsFile::close);
  }

  @Override
  public String toString() {
    return path + " (" + shards.size() + " shards, " + tensors.size() + " tensors)";
  }
}
