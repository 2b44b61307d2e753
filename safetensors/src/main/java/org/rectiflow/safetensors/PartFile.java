package org.rectiflow.safetensors;

import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * A file in the making under a temporary name in its final folder. {@link #commit} gives it its
 * final name in one step, so that nobody ever sees half a file there and a file that is mapped
 * under that name stays what it was; closing without committing deletes it.
 */
final class PartFile implements Closeable {

  private static final int PIECE = 16 << 20;
  private static final int LONGEST_NAME = 100;

  private final Path target;
  private final Path part;
  private final FileChannel channel;
  private final Arena arena = Arena.ofConfined();
  private MemorySegment staging;
  private boolean committed;

  PartFile(Path target) throws IOException {
    this.target = target;
    String name = target.getFileName().toString();
    this.part =
        target.resolveSibling(
            "."
                + name.substring(0, Math.min(LONGEST_NAME, name.length()))
                + "."
                + ProcessHandle.current().pid()
                + "-"
                + Long.toHexString(System.nanoTime())
                + ".part");
    this.channel = FileChannel.open(part, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    // Ctrl-C ends the program without unwinding this thread.
    part.toFile().deleteOnExit();
  }

  /** Appends bytes of any kind of memory. */
  void append(MemorySegment bytes) throws IOException {
    for (long at = 0; at < bytes.byteSize(); at += PIECE) {
      MemorySegment piece = bytes.asSlice(at, Math.min(PIECE, bytes.byteSize() - at));
      if (!piece.isNative()) {
        piece = staging().asSlice(0, piece.byteSize()).copyFrom(piece);
      }
      ByteBuffer buffer = piece.asByteBuffer();
      while (buffer.hasRemaining()) {
        channel.write(buffer);
      }
    }
  }

  /** Memory for one piece, of {@link #PIECE} bytes, to be filled and appended. */
  MemorySegment staging() {
    if (staging == null) {
      staging = arena.allocate(PIECE, 64);
    }
    return staging;
  }

  /** Appends zeros without writing them, where the file system can leave a hole. */
  void appendZeros(long count) throws IOException {
    if (count > 0) {
      long end = channel.position() + count;
      ByteBuffer last = ByteBuffer.allocate(1);
      while (last.hasRemaining()) {
        channel.write(last, end - 1);
      }
      channel.position(end);
    }
  }

  /** Forces the bytes to the disk and renames the file to its final name. */
  void commit() throws IOException {
    channel.force(true);
    channel.close();
    Files.move(part, target, StandardCopyOption.ATOMIC_MOVE);
    committed = true;
    Path folder = target.toAbsolutePath().getParent();
    // The rename itself is on the disk only once the folder is; Windows cannot open a folder.
    if (Files.getFileStore(folder).supportsFileAttributeView("posix")) {
      try (FileChannel entry = FileChannel.open(folder, StandardOpenOption.READ)) {
        entry.force(true);
      }
    }
  }

  @Override
  public void close() throws IOException {
    try (arena) {
      channel.close();
    } finally {
      if (!committed) {
        Files.deleteIfExists(part);
      }
    }
  }
}
