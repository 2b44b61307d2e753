package org.rectiflow.safetensors;

import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.rectiflow.safetensors.PlannedFile.Pending;
import org.rectiflow.safetensors.SafetensorsException.Kind;

/**
 * Writes a safetensors file tensor by tensor, never holding more than one piece of one tensor.
 *
 * <p>The file is canonical, whatever the order of adding: tensors by descending dtype (in the order
 * of {@link DType}) and then by name, metadata by key, the header padded with spaces to eight
 * bytes. So the same content always gives the same bytes, and they are those of the reference
 * implementation.
 *
 * <p>Bytes go to a temporary file in the same folder, are forced to the disk, and only then get the
 * final name by renaming. Whoever has an older file of that name open or mapped keeps reading the
 * old one, because renaming replaces the name and not the bytes; overwriting in place would crash
 * or corrupt him. A failure leaves the old file as it was and no new one. Files the data comes from
 * are nevertheless refused as targets: the user would lose the source.
 */
public final class SafetensorsWriter {

  private final Map<String, Pending> tensors = new TreeMap<>();
  private final Map<String, String> metadata = new TreeMap<>();
  private final Set<TensorSource> sources = new LinkedHashSet<>();

  /** The order of the reference writer: names compare by their UTF-8 bytes. */
  private static final Comparator<Pending> CANONICAL =
      Comparator.comparing((Pending p) -> p.info().dtype())
          .reversed()
          .thenComparing(
              p -> p.info().name().getBytes(StandardCharsets.UTF_8), Arrays::compareUnsigned);

  /**
   * Sets an entry of {@code __metadata__}.
   *
   * @throws IllegalArgumentException when key or value holds half a surrogate pair
   */
  public SafetensorsWriter metadata(String key, String value) {
    if (!StrictJson.isWellFormed(key) || !StrictJson.isWellFormed(value)) {
      throw new IllegalArgumentException(
          "metadata " + SafetensorsException.quote(key) + " holds half a surrogate pair");
    }
    metadata.put(key, value);
    return this;
  }

  /** Sets entries of {@code __metadata__}, see {@link #metadata(String, String)}. */
  public SafetensorsWriter metadata(Map<String, String> entries) {
    entries.forEach(this::metadata);
    return this;
  }

  /**
   * Names sources the data will be read from, so that their files are refused as targets. Those
   * given to {@link #copy} and {@link #convert} are known already.
   */
  public SafetensorsWriter readingFrom(TensorSource... from) {
    sources.addAll(List.of(from));
    return this;
  }

  /**
   * Adds a tensor whose bytes are produced when it is written.
   *
   * @throws IllegalArgumentException when the name, the shape, or the number of bytes is
   *     impossible, or the name was added before
   */
  public SafetensorsWriter add(String name, DType dtype, List<Long> shape, TensorData data) {
    put(name, dtype, shape, data);
    return this;
  }

  /**
   * Adds a tensor whose bytes lie in memory and must stay as they are until written.
   *
   * @throws IllegalArgumentException as the other {@code add}, and when there are more or fewer
   *     bytes than the shape asks for
   */
  public SafetensorsWriter add(String name, DType dtype, List<Long> shape, MemorySegment data) {
    Pending pending = put(name, dtype, shape, sink -> sink.write(data));
    if (data.byteSize() != pending.info().byteSize()) {
      tensors.remove(name);
      throw new IllegalArgumentException(
          SafetensorsException.quote(name)
              + ": expected "
              + pending.info().byteSize()
              + " bytes for "
              + pending.info().describe()
              + ", found "
              + data.byteSize());
    }
    return this;
  }

  /** Adds a tensor of zeros, which takes no space on the disk where the file system has holes. */
  public SafetensorsWriter addZeros(String name, DType dtype, List<Long> shape) {
    put(name, dtype, shape, null);
    return this;
  }

  /** Adds a tensor of a source as it is stored, under another name if need be. */
  public SafetensorsWriter copy(String name, TensorSource source, String sourceName) {
    TensorInfo info = source.info(sourceName);
    sources.add(source);
    return add(name, info.dtype(), info.shape(), sink -> sink.write(source.data(sourceName)));
  }

  /**
   * Adds a floating-point tensor of a source in another dtype, converted as {@link Floats} does.
   *
   * @throws SafetensorsException when the source has no such tensor, or it holds no floats
   * @throws IllegalArgumentException when the new dtype holds no floats
   */
  public SafetensorsWriter convert(
      String name, TensorSource source, String sourceName, DType dtype) {
    TensorInfo info = source.info(sourceName);
    if (info.dtype() == dtype) {
      return copy(name, source, sourceName);
    }
    if (!info.dtype().isWidenable()) {
      throw new SafetensorsException(
          Kind.UNSUPPORTED_DTYPE,
          source.fileOf(sourceName),
          sourceName,
          "expected floats to convert to " + dtype + ", found " + info.describe(),
          "Copy it as it is");
    }
    if (!dtype.isWidenable()) {
      throw new IllegalArgumentException(
          "expected a dtype of floats to convert to, found " + dtype);
    }
    sources.add(source);
    return add(name, dtype, info.shape(), sink -> converted(source, info, sink));
  }

  private static void converted(TensorSource source, TensorInfo info, TensorData.Sink sink)
      throws IOException {
    MemorySegment data = source.data(info.name());
    long count = info.elementCount();
    float[] piece = new float[(int) Math.min(count, 1 << 20)];
    for (long at = 0; at < count; at += piece.length) {
      long first = at;
      int now = (int) Math.min(piece.length, count - at);
      source.guarded(() -> {
        Floats.read(data, info.dtype(), first, piece, 0, now);
        return null;
      });
      sink.write(piece, 0, now);
    }
  }

  private Pending put(String name, DType dtype, List<Long> shape, TensorData data) {
    TensorNames.problem(name)
        .ifPresent(problem -> {
          throw new IllegalArgumentException(SafetensorsException.quote(name) + ": " + problem);
        });
    if (name.equals(TensorNames.METADATA)) {
      throw new IllegalArgumentException("the format keeps the name " + name + " for itself");
    }
    long bytes;
    try {
      bytes = dtype.byteSize(TensorInfo.elementCount(shape));
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException(SafetensorsException.quote(name) + ": " + shape, e);
    }
    Pending pending = new Pending(new TensorInfo(name, dtype, shape, 0, bytes), data);
    if (tensors.putIfAbsent(name, pending) != null) {
      throw new IllegalArgumentException(SafetensorsException.quote(name) + " was added before");
    }
    return pending;
  }

  /**
   * Writes one file. May be called again for another target.
   *
   * @throws SafetensorsException when the target is one of the sources, the folder is missing or
   *     read-only, the disk is full or fails, a source was cut short, the header exceeds the
   *     format's limit, or a tensor produced more or fewer bytes than its shape says
   */
  public void write(Path target) {
    write(List.of(PlannedFile.of(target, metadata, canonicalOrder())));
  }

  /**
   * Writes shards {@code STEM-00001-of-0000N.safetensors} and {@code STEM.safetensors.index.json},
   * as diffusers and transformers name them; or only {@code STEM.safetensors} when everything fits
   * one. No file gets its final name before all are complete, and the index gets it last.
   *
   * @param maxShardBytes the most bytes of data in one shard; a larger tensor gets one for itself
   * @return the file to open: the index, or the only file
   * @throws SafetensorsException as {@link #write(Path)}
   */
  public Path writeShards(Path folder, String stem, long maxShardBytes) {
    List<List<Pending>> shards = new ArrayList<>();
    long bytes = 0;
    for (Pending pending : canonicalOrder()) {
      bytes += pending.info().byteSize();
      if (shards.isEmpty() || bytes > maxShardBytes) {
        shards.add(new ArrayList<>());
        bytes = pending.info().byteSize();
      }
      shards.getLast().add(pending);
    }
    if (shards.size() < 2) {
      Path only = folder.resolve(stem + ".safetensors");
      write(only);
      return only;
    }
    List<PlannedFile> files = new ArrayList<>();
    Map<String, String> shardOf = new TreeMap<>();
    long total = 0;
    for (List<Pending> shard : shards) {
      String name =
          String.format(
              Locale.ROOT, "%s-%05d-of-%05d.safetensors", stem, files.size() + 1, shards.size());
      files.add(PlannedFile.of(folder.resolve(name), metadata, shard));
      for (Pending pending : shard) {
        shardOf.put(pending.info().name(), name);
        total += pending.info().byteSize();
      }
    }
    Path index = folder.resolve(stem + ".safetensors.index.json");
    files.add(PlannedFile.of(index, JsonText.index(shardOf, total)));
    write(files);
    return index;
  }

  private List<Pending> canonicalOrder() {
    return tensors.values().stream().sorted(CANONICAL).toList();
  }

  private void write(List<PlannedFile> files) {
    for (PlannedFile file : files) {
      sources.forEach(source -> refuseSource(file.target(), source));
    }
    long left = files.stream().mapToLong(PlannedFile::bytes).sum();
    files.forEach(file -> OutputFolder.check(file.target(), 0));
    OutputFolder.check(files.getLast().target(), left);
    List<PartFile> parts = new ArrayList<>();
    PlannedFile now = files.getFirst();
    try (Closeable _ = () -> closeAll(parts)) {
      for (PlannedFile file : files) {
        now = file;
        PartFile part = new PartFile(file.target());
        parts.add(part);
        file.writeTo(part);
        left -= file.bytes();
      }
      for (PartFile part : parts) {
        part.commit();
      }
    } catch (IOException e) {
      // Bytes of a source cut short cannot be written either; then that is the message.
      sources.forEach(TensorSource::checkIntact);
      throw OutputFolder.failed(now.target(), left, e);
    }
  }

  private static void closeAll(List<PartFile> parts) throws IOException {
    IOException failed = null;
    for (PartFile part : parts) {
      try {
        part.close();
      } catch (IOException e) {
        failed = e;
      }
    }
    if (failed != null) {
      throw failed;
    }
  }

  private static void refuseSource(Path target, TensorSource source) {
    List<Path> files = new ArrayList<>(source.files());
    files.add(source.path());
    for (Path file : files) {
      boolean same;
      try {
        same = Files.exists(target) && Files.exists(file) && Files.isSameFile(target, file);
      } catch (IOException e) {
        throw InputFiles.readFailed(file, e);
      }
      if (same) {
        throw new SafetensorsException(
            Kind.TARGET_IN_USE,
            target,
            null,
            "this is a file the data is read from, expected another",
            "Write to another name, and rename it afterwards if you want to replace the source");
      }
    }
  }
}
