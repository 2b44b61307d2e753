package org.rectiflow.pipeline.checkpoint;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/**
 * Tells weights apart in a picture's metadata. Up to 64 MB it is the SHA-256 of the files' bytes;
 * of larger files, whose reading would take longer than drawing, sizes and 256 evenly spread
 * samples of 64 kB are hashed, and the text says so.
 */
public final class WeightHash {
  private static final long WHOLE = 64L << 20;
  private static final int SAMPLES = 256;
  private static final int SAMPLE_BYTES = 64 << 10;

  private WeightHash() {}

  /** {@code sha256:...} or {@code sampled-sha256:...} of the files one after the other. */
  public static String of(List<Path> files) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      boolean whole = true;
      for (Path file : files) {
        try (FileChannel channel = FileChannel.open(file)) {
          if (channel.size() <= WHOLE) {
            update(digest, channel, 0, channel.size());
          } else {
            whole = false;
            digest.update(
                Long.toString(channel.size()).getBytes(java.nio.charset.StandardCharsets.US_ASCII));
            for (int i = 0; i < SAMPLES; i++) {
              long from = (channel.size() - SAMPLE_BYTES) / (SAMPLES - 1) * i;
              update(digest, channel, from, SAMPLE_BYTES);
            }
          }
        }
      }
      String kind = whole ? "sha256:" : "sampled-sha256:";
      return kind + HexFormat.of().formatHex(digest.digest());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  private static void update(MessageDigest digest, FileChannel channel, long from, long count)
      throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate((int) Math.min(count, 1 << 20));
    long at = from;
    while (at < from + count) {
      buffer.clear().limit((int) Math.min(buffer.capacity(), from + count - at));
      int read = channel.read(buffer, at);
      if (read < 0) {
        throw new IOException("a weight file became shorter while it was read");
      }
      digest.update(buffer.flip());
      at += read;
    }
  }
}
