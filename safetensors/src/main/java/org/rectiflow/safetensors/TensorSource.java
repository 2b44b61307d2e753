package org.rectiflow.safetensors;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.rectiflow.safetensors.SafetensorsException.Kind;

/**
 * Named tensors in memory-mapped files: one safetensors file ({@link SafetensorsFile}) or all
 * shards of one index ({@link ShardedSafetensors}). Safe for use by many threads.
 *
 * <p>All methods but {@link #close}, {@link #path} and {@link #files} throw {@link
 * SafetensorsException} of kind {@code CLOSED} after closing.
 */
public interface TensorSource extends AutoCloseable {

  /**
   * Opens a safetensors file, or all shards of an index when the name ends in {@code .json}.
   * Headers are read and checked in full; data is not touched.
   *
   * @throws SafetensorsException when a file is missing, malformed or of another kind
   */
  static TensorSource open(Path path) {
    return String.valueOf(path.getFileName()).endsWith(".json")
        ? ShardedSafetensors.open(path)
        : SafetensorsFile.open(path);
  }

  /** The file that was opened: the safetensors file, or the index. */
  Path path();

  /** The safetensors files behind this source, in the order of their names. */
  List<Path> files();

  /** The tensors by name, in the order of their data; shard after shard. */
  Map<String, TensorInfo> tensors();

  /**
   * The free-form {@code __metadata__} of the file. For shards the union; where they disagree, the
   * first shard in the order of names wins.
   */
  Map<String, String> metadata();

  /**
   * A tensor's bytes: a read-only view of the mapping in the stored type, which may start at any
   * address (use the layouts of {@link Layouts}, which are unaligned and little-endian).
   *
   * <p>The view dies with this source: reading it after {@link #close} throws {@link
   * IllegalStateException}. When another program has cut the file short, reading the missing part
   * throws {@link InternalError}; see {@link #guarded}. Compiled code that meets the cut goes on
   * for a while with garbage in place of what it loaded, so a value loaded from here must never
   * index a table; and HotSpot kills the JVM where a compiled method loads from here with the
   * Vector API but has no plain access (such as {@code data.get}) to off-heap memory. {@code
   * MemorySegment.copy} to the heap is always safe, and is what {@link Floats} does.
   *
   * @throws SafetensorsException when there is no such tensor, or the file was cut short since
   *     opening
   */
  MemorySegment data(String name);

  /**
   * The file that holds a tensor, for messages.
   *
   * @throws SafetensorsException when there is no such tensor
   */
  Path fileOf(String name);

  /**
   * Checks that every mapped file still has the length it had when it was opened.
   *
   * @throws SafetensorsException of kind {@code FILE_CHANGED} when one has not
   */
  void checkIntact();

  /** Unmaps the files. Views become invalid: using them throws, it does not crash. */
  @Override
  void close();

  /**
   * Describes one tensor.
   *
   * @throws SafetensorsException when there is no such tensor
   */
  default TensorInfo info(String name) {
    TensorInfo info = tensors().get(name);
    if (info == null) {
      throw new SafetensorsException(
          Kind.NO_SUCH_TENSOR,
          path(),
          name,
          "no tensor has this name (" + tensors().size() + " tensors are there)",
          "List the names with `inspect --tensors`");
    }
    return info;
  }

  /**
   * A whole floating-point tensor widened (or, for F64, rounded) to float.
   *
   * @throws SafetensorsException when there is no such tensor, or it holds no floats
   */
  default float[] floats(String name) {
    TensorInfo info = info(name);
    if (!info.dtype().isWidenable()) {
      throw unsupported(info, "floats");
    }
    MemorySegment data = data(name);
    return guarded(() -> Floats.read(data, info.dtype()));
  }

  /**
   * A whole integer tensor widened to long; BOOL gives 0 and 1.
   *
   * @throws SafetensorsException when there is no such tensor, or it holds no integers
   */
  default long[] integers(String name) {
    TensorInfo info = info(name);
    if (!info.dtype().isInteger()) {
      throw unsupported(info, "integers");
    }
    MemorySegment data = data(name);
    return guarded(() -> Integers.read(data, info.dtype()));
  }

  /**
   * Runs code that reads mapped data, and turns the {@link InternalError} the JVM throws when a
   * mapped file was cut short into a {@link SafetensorsException} of kind {@code FILE_CHANGED}.
   */
  default <T> T guarded(Supplier<T> reading) {
    try {
      return reading.get();
    } catch (InternalError fault) {
      try {
        checkIntact();
      } catch (SafetensorsException changed) {
        changed.addSuppressed(fault);
        throw changed;
      }
      throw fault;
    }
  }

  private SafetensorsException unsupported(TensorInfo info, String wanted) {
    return new SafetensorsException(
        Kind.UNSUPPORTED_DTYPE,
        fileOf(info.name()),
        info.name(),
        "expected " + wanted + ", found " + info.describe(),
        "Read the bytes with data(), or convert the file to a supported dtype");
  }
}
