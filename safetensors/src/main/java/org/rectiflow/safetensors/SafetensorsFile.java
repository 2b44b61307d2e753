package org.rectiflow.safetensors;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.rectiflow.safetensors.SafetensorsException.Kind;

/**
 * One safetensors file, validated in full and mapped into memory.
 *
 * <p>Opening reads the header only; data is paged in by the operating system when it is read, costs
 * page cache and no heap, and may be larger than 2 GB. Every rule of the format is checked, and
 * beyond the reference implementation duplicate names, duplicate and unknown fields, and control
 * characters in names are refused.
 *
 * <p>The mapping survives that the file is deleted or replaced by renaming another one over it,
 * which is how {@link SafetensorsWriter} writes. It does not survive that another program cuts the
 * file short: reading the missing part throws {@link InternalError}, see {@link #guarded}.
 */
public final class SafetensorsFile implements TensorSource {

  private final Path path;
  // Kept open to ask for the length of this very file, whatever its name now stands for.
  private final RandomAccessFile file;
  private final Arena arena;
  private final MemorySegment mapping;
  private final long dataStart;
  private final Map<String, TensorInfo> tensors;
  private final Map<String, String> metadata;

  /** Takes over the open file. */
  private SafetensorsFile(Path path, RandomAccessFile file) throws IOException {
    HeaderReader.Measured header = HeaderReader.read(path, file);
    long length = file.length();
    this.path = path;
    this.file = file;
    this.tensors = HeaderValidator.validate(path, header.header(), header.length(), length);
    this.metadata = Collections.unmodifiableMap(header.header().metadata());
    this.dataStart = Header.LENGTH_BYTES + header.length();
    this.arena = Arena.ofShared();
    try {
      this.mapping = file.getChannel().map(FileChannel.MapMode.READ_ONLY, 0, length, arena);
    } catch (IOException | RuntimeException e) {
      arena.close();
      throw e;
    }
  }

  /**
   * Opens, validates and maps a file.
   *
   * @throws SafetensorsException when it is missing, unreadable, malformed, or of another kind
   */
  public static SafetensorsFile open(Path path) {
    RandomAccessFile file = InputFiles.open(path, "a safetensors file");
    try {
      return new SafetensorsFile(path, file);
    } catch (IOException e) {
      SafetensorsException failed = InputFiles.readFailed(path, e);
      close(file, failed);
      throw failed;
    } catch (RuntimeException | Error e) {
      close(file, e);
      throw e;
    }
  }

  private static void close(RandomAccessFile file, Throwable because) {
    try {
      file.close();
    } catch (IOException e) {
      because.addSuppressed(e);
    }
  }

  @Override
  public Path path() {
    return path;
  }

  @Override
  public List<Path> files() {
    return List.of(path);
  }

  @Override
  public Map<String, TensorInfo> tensors() {
    requireOpen();
    return tensors;
  }

  @Override
  public Map<String, String> metadata() {
    requireOpen();
    return metadata;
  }

  /** Bytes of the file. */
  public long length() {
    return mapping.byteSize();
  }

  /** The byte of the file at which the data starts. */
  public long dataStart() {
    return dataStart;
  }

  @Override
  public MemorySegment data(String name) {
    TensorInfo info = info(name);
    checkIntact();
    return mapping.asSlice(dataStart + info.begin(), info.byteSize());
  }

  @Override
  public Path fileOf(String name) {
    info(name);
    return path;
  }

  @Override
  public void checkIntact() {
    requireOpen();
    long now;
    try {
      now = file.length();
    } catch (IOException e) {
      throw InputFiles.readFailed(path, e);
    }
    if (now != mapping.byteSize()) {
      throw new SafetensorsException(
          Kind.FILE_CHANGED,
          path,
          null,
          "the file had "
              + mapping.byteSize()
              + " bytes when it was opened and has "
              + now
              + " now: another program is writing to it",
          "Wait until that program has finished, then run again");
    }
  }

  private void requireOpen() {
    if (!arena.scope().isAlive()) {
      throw new SafetensorsException(
          Kind.CLOSED,
          path,
          null,
          "the file was closed before this use",
          "Keep it open as long as its tensors are in use");
    }
  }

  @Override
  public void close() {
    if (!arena.scope().isAlive()) {
      return;
    }
    arena.close();
    try {
      file.close();
    } catch (IOException e) {
      throw InputFiles.readFailed(path, e);
    }
  }

  @Override
  public String toString() {
    return path + " (" + tensors.size() + " tensors)";
  }
}
