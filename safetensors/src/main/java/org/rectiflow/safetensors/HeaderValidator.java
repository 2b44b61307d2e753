package org.rectiflow.safetensors;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.rectiflow.safetensors.SafetensorsException.Kind;

/**
 * Checks the tensors' places: sorted by offset they must follow each other without hole or overlap
 * from the end of the header to the end of the file, and each must have the size its shape and
 * dtype ask for.
 */
final class HeaderValidator {

  private static final String REWRITE =
      "The file was damaged or written wrongly; download it again, or write it again with a correct"
          + " safetensors writer";

  private HeaderValidator() {}

  /**
   * The tensors of a valid file, in the order of their data.
   *
   * @param headerLength bytes of the JSON, without the eight bytes before it
   * @param fileLength bytes of the file
   * @throws SafetensorsException when a rule is broken
   */
  static Map<String, TensorInfo> validate(
      Path file, Header header, long headerLength, long fileLength) {
    // An entry's own fields first, so that a wrong shape is not reported as a hole elsewhere.
    for (Header.Entry entry : header.tensors()) {
      checkSize(file, entry);
    }
    List<Header.Entry> ordered = new ArrayList<>(header.tensors());
    ordered.sort(
        Comparator.comparingLong(Header.Entry::begin).thenComparingLong(Header.Entry::end));
    Map<String, TensorInfo> tensors = LinkedHashMap.newLinkedHashMap(ordered.size());
    long expected = 0;
    String previous = null;
    for (Header.Entry entry : ordered) {
      if (entry.begin() != expected) {
        throw misplaced(file, entry, previous, expected);
      }
      tensors.put(
          entry.name(),
          new TensorInfo(entry.name(), entry.dtype(), entry.shape(), entry.begin(), entry.end()));
      expected = entry.end();
      previous = entry.name();
    }
    checkFileLength(file, headerLength, expected, fileLength);
    return Collections.unmodifiableMap(tensors);
  }

  private static void checkSize(Path file, Header.Entry entry) {
    if (entry.end() < entry.begin()) {
      throw new SafetensorsException(
          Kind.OFFSETS_REVERSED,
          file,
          entry.name(),
          "data_offsets: expected end >= begin, found begin "
              + entry.begin()
              + " and end "
              + entry.end(),
          REWRITE);
    }
    long bits;
    try {
      bits =
          Math.multiplyExact(TensorInfo.elementCount(entry.shape()), (long) entry.dtype().bits());
    } catch (ArithmeticException e) {
      throw new SafetensorsException(
          Kind.SIZE_OVERFLOW,
          file,
          entry.name(),
          "the size of " + describe(entry) + " exceeds 2^63 bits",
          REWRITE,
          e);
    }
    if (bits % 8 != 0) {
      throw new SafetensorsException(
          Kind.PARTIAL_BYTE,
          file,
          entry.name(),
          describe(entry) + " takes " + bits + " bits, expected whole bytes",
          REWRITE);
    }
    if (bits / 8 != entry.end() - entry.begin()) {
      throw new SafetensorsException(
          Kind.SIZE_MISMATCH,
          file,
          entry.name(),
          describe(entry)
              + " takes "
              + bits / 8
              + " bytes, but data_offsets ["
              + entry.begin()
              + ", "
              + entry.end()
              + "] hold "
              + (entry.end() - entry.begin()),
          REWRITE);
    }
  }

  private static String describe(Header.Entry entry) {
    List<Long> shape = entry.shape();
    return entry.dtype()
        + (shape.size() <= 16 ? " " + shape : " with " + shape.size() + " dimensions");
  }

  private static SafetensorsException misplaced(
      Path file, Header.Entry entry, String previous, long expected) {
    boolean hole = entry.begin() > expected;
    String before =
        previous == null
            ? "the data starts"
            : "the tensor before, " + SafetensorsException.quote(previous) + ", ends";
    return new SafetensorsException(
        hole ? Kind.HOLE : Kind.OVERLAP,
        file,
        entry.name(),
        "expected begin "
            + expected
            + ", where "
            + before
            + ", found "
            + entry.begin()
            + (hole ? ": the bytes between belong to no tensor" : ": the two overlap"),
        REWRITE);
  }

  private static void checkFileLength(
      Path file, long headerLength, long dataLength, long fileLength) {
    long dataPresent = fileLength - headerLength - Header.LENGTH_BYTES;
    if (dataPresent == dataLength) {
      return;
    }
    // Unsigned, since a hostile header may claim up to 2^63 - 1 bytes of data.
    String wanted = Long.toUnsignedString(dataLength + headerLength + Header.LENGTH_BYTES);
    if (dataPresent < dataLength) {
      throw new SafetensorsException(
          Kind.TRUNCATED,
          file,
          null,
          "expected " + wanted + " bytes, found " + fileLength + ": the file is incomplete",
          "Resume or repeat the download");
    }
    throw new SafetensorsException(
        Kind.TRAILING_BYTES,
        file,
        null,
        "expected "
            + wanted
            + " bytes, found "
            + fileLength
            + ": "
            + (dataPresent - dataLength)
            + " bytes follow the last tensor",
        REWRITE);
  }
}
