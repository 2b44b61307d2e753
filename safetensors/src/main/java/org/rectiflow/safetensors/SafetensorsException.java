package org.rectiflow.safetensors;

import java.nio.file.Path;
import java.util.Optional;

/**
 * A file is not what it must be, or cannot be read or written. The message names the file and the
 * tensor, what was expected and found, and what to do about it.
 */
public final class SafetensorsException extends RuntimeException {

  private static final long serialVersionUID = 1L;
  private static final int LONGEST_QUOTE = 120;

  /** What is wrong. */
  public enum Kind {
    /** No file has this name. */
    NOT_FOUND,
    /** A folder, a pipe or a device stands where a file was expected. */
    NOT_A_FILE,
    /** The file exists, but its permissions forbid reading. */
    UNREADABLE,
    /** The operating system failed to read. */
    READ_FAILED,
    /** The file has no bytes at all. */
    EMPTY_FILE,
    /** A git-lfs pointer: the small text that stands for a file not yet downloaded. */
    GIT_LFS_POINTER,
    /** A web page, as a failed download leaves it. */
    HTML_PAGE,
    /** A zip archive, as torch.save writes since version 1.6. */
    ZIP_ARCHIVE,
    /** A Python pickle, as torch.save wrote before version 1.6. */
    PICKLE,
    /** A GGUF file. */
    GGUF,
    /** JSON or other text where a safetensors file was expected. */
    TEXT_FILE,
    /** Fewer than the eight bytes of the header length. */
    HEADER_TOO_SMALL,
    /** A header length of zero. */
    HEADER_EMPTY,
    /** A header length above the format's limit of 100,000,000 bytes. */
    HEADER_TOO_LARGE,
    /** The header would end after the end of the file. */
    HEADER_BEYOND_FILE,
    /** The header starts with a byte order mark. */
    HEADER_BYTE_ORDER_MARK,
    /** The header is not valid UTF-8. */
    HEADER_NOT_UTF8,
    /** The header is not a JSON object, or something follows the object. */
    HEADER_NOT_JSON,
    /** Two tensors have the same name. */
    DUPLICATE_TENSOR,
    /** An entry of the header has the same field twice. */
    DUPLICATE_FIELD,
    /** An entry has a field other than dtype, shape and data_offsets. */
    UNKNOWN_FIELD,
    /** An entry lacks dtype, shape or data_offsets. */
    MISSING_FIELD,
    /** A field holds the wrong kind of JSON value, or the wrong number of values. */
    WRONG_TYPE,
    /** A shape or an offset is negative, has a fraction or an exponent, or exceeds 63 bits. */
    BAD_INTEGER,
    /** A tensor's name is empty, or holds a control character or half a surrogate pair. */
    BAD_NAME,
    /** {@code __metadata__} is not an object of strings. */
    BAD_METADATA,
    /** The format has no such dtype. */
    UNKNOWN_DTYPE,
    /** A tensor's end lies before its begin. */
    OFFSETS_REVERSED,
    /** Bytes between two tensors, or before the first, belong to none. */
    HOLE,
    /** Two tensors share bytes. */
    OVERLAP,
    /** The number of bytes of a tensor does not fit 63 bits. */
    SIZE_OVERFLOW,
    /** Elements smaller than a byte do not fill whole bytes. */
    PARTIAL_BYTE,
    /** Shape and dtype ask for another number of bytes than the offsets hold. */
    SIZE_MISMATCH,
    /** The file ends before its last tensor does: an unfinished download. */
    TRUNCATED,
    /** Bytes follow the last tensor. */
    TRAILING_BYTES,
    /** The file has no tensor of this name. */
    NO_SUCH_TENSOR,
    /** The tensor has another dtype than the caller can use. */
    UNSUPPORTED_DTYPE,
    /** The file was closed before. */
    CLOSED,
    /** The file's length changed while it was mapped. */
    FILE_CHANGED,
    /** The index of shards is not JSON of the expected form. */
    INDEX_INVALID,
    /** The index names a shard outside its own folder. */
    SHARD_OUTSIDE,
    /** The index names a shard that does not exist. */
    SHARD_MISSING,
    /** The index lists a tensor its shard does not hold. */
    SHARD_LACKS_TENSOR,
    /** A shard holds a tensor the index does not list. */
    TENSOR_NOT_LISTED,
    /** Two shards hold the same tensor. */
    TENSOR_IN_TWO_SHARDS,
    /** The tensors' bytes do not add up to the index's total_size. */
    TOTAL_SIZE_MISMATCH,
    /** What was given to the writer cannot become a valid file. */
    UNWRITABLE_CONTENT,
    /** The target is one of the files the data comes from. */
    TARGET_IN_USE,
    /** The target's folder does not exist, is no folder, or may not be written to. */
    FOLDER_NOT_WRITABLE,
    /** The disk has too little space. */
    DISK_FULL,
    /** The operating system failed to write. */
    WRITE_FAILED
  }

  private final Kind kind;
  private final transient Path file;
  private final String tensor;

  SafetensorsException(
      Kind kind, Path file, String tensor, String problem, String remedy, Throwable cause) {
    super(message(file, tensor, problem, remedy), cause);
    this.kind = kind;
    this.file = file;
    this.tensor = tensor;
  }

  SafetensorsException(Kind kind, Path file, String tensor, String problem, String remedy) {
    this(kind, file, tensor, problem, remedy, null);
  }

  private static String message(Path file, String tensor, String problem, String remedy) {
    String where = tensor == null ? "" : "tensor " + quote(tensor) + ": ";
    return file + ": " + where + problem + ". " + remedy + ".";
  }

  /** What is wrong, for code that must tell the cases apart. */
  public Kind kind() {
    return kind;
  }

  /** The file the message speaks of. */
  public Path file() {
    return file;
  }

  /** The tensor the message speaks of, where it is about one. */
  public Optional<String> tensor() {
    return Optional.ofNullable(tensor);
  }

  /** Text of a foreign file made fit to be printed: escaped, and shortened when it is long. */
  static String quote(String text) {
    StringBuilder out = new StringBuilder("\"");
    for (int i = 0; i < text.length(); i++) {
      if (i == LONGEST_QUOTE) {
        return out.append("...\" (").append(text.length()).append(" characters)").toString();
      }
      char c = text.charAt(i);
      boolean printable = c >= ' ' && !Character.isISOControl(c) && !Character.isSurrogate(c);
      if (printable || isHalfOfPair(text, i)) {
        out.append(c);
      } else {
        out.append(String.format("\\u%04x", (int) c));
      }
    }
    return out.append('"').toString();
  }

  private static boolean isHalfOfPair(String text, int i) {
    char c = text.charAt(i);
    return Character.isHighSurrogate(c)
        ? i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1))
        : Character.isLowSurrogate(c) && i > 0 && Character.isHighSurrogate(text.charAt(i - 1));
  }
}
