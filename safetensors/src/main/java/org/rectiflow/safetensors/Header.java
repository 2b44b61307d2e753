package org.rectiflow.safetensors;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;

/**
 * What a header says, before the tensors' places are checked against each other and the file.
 *
 * @param tensors in the order of the header
 * @param metadata in the order of the header
 */
record Header(List<Entry> tensors, Map<String, String> metadata) {

  /** The format's limit on the length of a header, in bytes. */
  static final long MAX_LENGTH = 100_000_000L;

  /** Bytes of the header length at the start of the file. */
  static final int LENGTH_BYTES = 8;

  /** One tensor's entry; all numbers are non-negative, nothing else is checked. */
  record Entry(String name, DType dtype, List<Long> shape, long begin, long end) {}

  /** The header length in the first eight bytes of a file; unsigned. */
  static long length(byte[] head) {
    return ByteBuffer.wrap(head).order(ByteOrder.LITTLE_ENDIAN).getLong(0);
  }
}
