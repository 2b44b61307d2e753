package org.rectiflow.safetensors;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.RandomAccessFile;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import org.rectiflow.safetensors.SafetensorsException.Kind;

/**
 * Reads the header at the start of a file. It is streamed through the parser, so that the text of a
 * large header is never held as a whole.
 */
final class HeaderReader {

  private static final String DOWNLOAD = "Download the file again";

  private HeaderReader() {}

  /** A header with the number of bytes its JSON takes. */
  record Measured(Header header, long length) {}

  /**
   * Reads the header from the start of the file.
   *
   * @throws SafetensorsException when the header is malformed, or the file is of another kind
   */
  static Measured read(Path path, RandomAccessFile file) throws IOException {
    byte[] head = new byte[(int) Math.min(FileKind.SNIFFED_BYTES, file.length())];
    file.readFully(head);
    try {
      long length = checkedLength(path, head, file.length());
      file.seek(Header.LENGTH_BYTES);
      Reader text =
          new InputStreamReader(new Bounded(file, length), StandardCharsets.UTF_8.newDecoder());
      return new Measured(HeaderParser.parse(path, text), length);
    } catch (SafetensorsException e) {
      FileKind other = FileKind.recognise(head).orElseThrow(() -> e);
      throw new SafetensorsException(other.kind(), path, null, other.what(), other.remedy(), e);
    }
  }

  private static long checkedLength(Path path, byte[] head, long fileLength) {
    if (fileLength == 0) {
      throw new SafetensorsException(
          Kind.EMPTY_FILE,
          path,
          null,
          "expected a safetensors file, found a file of 0 bytes",
          DOWNLOAD);
    }
    if (fileLength < Header.LENGTH_BYTES) {
      throw new SafetensorsException(
          Kind.HEADER_TOO_SMALL,
          path,
          null,
          "expected at least the 8 bytes of the header length, found " + fileLength,
          DOWNLOAD);
    }
    long length = Header.length(head);
    if (length == 0) {
      throw new SafetensorsException(
          Kind.HEADER_EMPTY,
          path,
          null,
          "the header length is 0, expected at least the 2 bytes of {}",
          DOWNLOAD);
    }
    if (Long.compareUnsigned(length, Header.MAX_LENGTH) > 0) {
      throw new SafetensorsException(
          Kind.HEADER_TOO_LARGE,
          path,
          null,
          "the header length is "
              + Long.toUnsignedString(length)
              + ", expected at most "
              + Header.MAX_LENGTH,
          "This is probably no safetensors file; check what was downloaded");
    }
    if (Header.LENGTH_BYTES + length > fileLength) {
      throw new SafetensorsException(
          Kind.HEADER_BEYOND_FILE,
          path,
          null,
          "the header alone takes "
              + (Header.LENGTH_BYTES + length)
              + " bytes, but the file has "
              + fileLength
              + ": it is incomplete, or no safetensors file",
          "Resume or repeat the download");
    }
    byte[] bom = {(byte) 0xef, (byte) 0xbb, (byte) 0xbf};
    if (head.length >= Header.LENGTH_BYTES + bom.length && Arrays.equals(head, 8, 11, bom, 0, 3)) {
      throw new SafetensorsException(
          Kind.HEADER_BYTE_ORDER_MARK,
          path,
          null,
          "the header starts with a byte order mark, expected {",
          "Write the file again with a correct safetensors writer");
    }
    return length;
  }

  /** The next {@code left} bytes of a file. */
  private static final class Bounded extends InputStream {
    private final RandomAccessFile file;
    private long left;

    Bounded(RandomAccessFile file, long left) {
      this.file = file;
      this.left = left;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] out, int at, int count) throws IOException {
      if (left == 0) {
        return -1;
      }
      int got = file.read(out, at, (int) Math.min(count, left));
      if (got < 0) {
        throw new EOFException("the file became shorter while its header was read");
      }
      left -= got;
      return got;
    }
  }
}
