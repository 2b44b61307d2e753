package org.rectiflow.datasets.files;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.GZIPInputStream;

/**
 * An IDX file of unsigned bytes (LeCun's MNIST page): two zero bytes, the type 8, the number of
 * dimensions, each dimension as a big-endian 32-bit number, and the values. May be gzipped.
 *
 * @param dimensions sizes, the slowest first
 * @param values as many as the sizes say
 */
@SuppressWarnings("ArrayRecordComponent") // never compared, never shared
record IdxFile(int[] dimensions, byte[] values) {
  private static final int UNSIGNED_BYTE = 8;
  private static final int GZIP = 0x1f8b;
  private static final long MOST = 1L << 30;

  /**
   * Reads a file.
   *
   * @param expected number of dimensions: 3 for pictures, 1 for labels
   * @throws IOException if it is no such file, or longer or shorter than it says; the message names
   *     it
   */
  static IdxFile read(Path file, int expected) throws IOException {
    try (BufferedInputStream buffered = new BufferedInputStream(Files.newInputStream(file))) {
      buffered.mark(2);
      int start = buffered.read() << 8 | buffered.read();
      buffered.reset();
      try (InputStream in = start == GZIP ? new GZIPInputStream(buffered) : buffered) {
        return read(in, file, expected);
      }
    } catch (NoSuchFileException e) {
      throw new IOException("there is no IDX file " + file, e);
    } catch (EOFException e) {
      throw new IOException(file + " is cut short in the middle; download it again", e);
    }
  }

  private static IdxFile read(InputStream in, Path file, int expected) throws IOException {
    byte[] magic = in.readNBytes(4);
    if (magic.length < 4 || magic[0] != 0 || magic[1] != 0) {
      throw new IOException(
          "%s is not an IDX file: it begins with %s, expected two zero bytes"
              .formatted(file, Arrays.toString(magic)));
    }
    if (magic[2] != UNSIGNED_BYTE) {
      throw new IOException(
          "%s holds values of type 0x%02x, expected unsigned bytes (0x08)"
              .formatted(file, magic[2]));
    }
    if (magic[3] != expected) {
      throw new IOException(
          "%s has %d dimensions, expected %d (pictures have 3, labels 1); were the files mixed up?"
              .formatted(file, magic[3], expected));
    }
    byte[] sizes = in.readNBytes(4 * expected);
    if (sizes.length < 4 * expected) {
      throw new IOException(file + " ends in its header; download it again");
    }
    int[] dimensions = new int[expected];
    ByteBuffer.wrap(sizes).asIntBuffer().get(dimensions);
    long count = 1;
    for (int size : dimensions) {
      if (size < 1 || size > MOST || count * size > MOST) {
        throw new IOException(
            "%s says that its sizes are %s, which cannot be"
                .formatted(file, Arrays.toString(dimensions)));
      }
      count *= size;
    }
    byte[] values = in.readNBytes((int) count);
    if (values.length < count || in.read() >= 0) {
      throw new IOException(
          "%s: sizes %s need %d values, found %s; download it again"
              .formatted(
                  file,
                  Arrays.toString(dimensions),
                  count,
                  values.length < count ? values.length : "more"));
    }
    return new IdxFile(dimensions, values);
  }
}
