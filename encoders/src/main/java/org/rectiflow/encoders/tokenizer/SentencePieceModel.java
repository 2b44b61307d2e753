package org.rectiflow.encoders.tokenizer;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * What a {@code spiece.model} says: the parts of SentencePiece's protocol buffer {@code ModelProto}
 * (sentencepiece_model.proto) that a unigram tokenizer needs.
 *
 * @param pieces the vocabulary in id order
 * @param charsMap the compiled table of the Unicode normalisation (nmt_nfkc for T5)
 * @param unkId id of the unknown token
 * @param modelType 1 for unigram
 */
record SentencePieceModel(List<Piece> pieces, byte[] charsMap, int unkId, int modelType) {
  static final int UNIGRAM = 1;

  /** A piece and its log probability. */
  record Piece(String text, float score) {}

  /**
   * Parses the file's bytes.
   *
   * @throws IllegalArgumentException if they are no such protocol buffer
   */
  static SentencePieceModel parse(byte[] bytes) {
    List<Piece> pieces = new ArrayList<>();
    byte[] charsMap = {};
    int unkId = 0;
    int modelType = UNIGRAM;
    for (Field field : fields(bytes)) {
      if (field.tag() == 1) {
        pieces.add(piece(field.bytes()));
      } else if (field.tag() == 2) {
        for (Field training : fields(field.bytes())) {
          if (training.tag() == 3) {
            modelType = (int) training.number();
          } else if (training.tag() == 40) {
            unkId = (int) training.number();
          }
        }
      } else if (field.tag() == 3) {
        for (Field normalizer : fields(field.bytes())) {
          if (normalizer.tag() == 2) {
            charsMap = normalizer.bytes();
          }
        }
      }
    }
    if (pieces.isEmpty() || unkId < 0 || unkId >= pieces.size()) {
      throw new IllegalArgumentException(
          "it has " + pieces.size() + " pieces and unknown token " + unkId);
    }
    return new SentencePieceModel(List.copyOf(pieces), charsMap, unkId, modelType);
  }

  private static Piece piece(byte[] bytes) {
    String text = "";
    float score = 0;
    for (Field field : fields(bytes)) {
      if (field.tag() == 1) {
        text = new String(field.bytes(), StandardCharsets.UTF_8);
      } else if (field.tag() == 2) {
        score = Float.intBitsToFloat((int) field.number());
      }
    }
    return new Piece(text, score);
  }

  // ---- The wire format of protocol buffers --------------------------------------------------

  /** A field of a message: its bytes if it is length-delimited, a number otherwise. */
  private record Field(int tag, long number, byte[] bytes) {}

  private static List<Field> fields(byte[] message) {
    List<Field> fields = new ArrayList<>();
    ByteBuffer in = ByteBuffer.wrap(message).order(ByteOrder.LITTLE_ENDIAN);
    byte[] none = {};
    try {
      while (in.hasRemaining()) {
        long key = varint(in);
        int tag = (int) (key >>> 3);
        fields.add(
            switch ((int) (key & 7)) {
              case 0 -> new Field(tag, varint(in), none);
              case 1 -> new Field(tag, in.getLong(), none);
              case 2 -> new Field(tag, 0, delimited(in));
              case 5 -> new Field(tag, in.getInt(), none);
              default -> throw new IllegalArgumentException("it has wire type " + (key & 7));
            });
      }
    } catch (BufferUnderflowException e) {
      throw new IllegalArgumentException("it ends in the middle of a field", e);
    }
    return fields;
  }

  private static byte[] delimited(ByteBuffer in) {
    long length = varint(in);
    if (length < 0 || length > in.remaining()) {
      throw new IllegalArgumentException(
          "it has a field of " + length + " bytes, more than are left");
    }
    byte[] bytes = new byte[(int) length];
    in.get(bytes);
    return bytes;
  }

  private static long varint(ByteBuffer in) {
    long value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      byte b = in.get();
      value |= (long) (b & 0x7f) << shift;
      if (b >= 0) {
        return value;
      }
    }
    throw new IllegalArgumentException("it has a number of more than 64 bits");
  }
}
