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
    byte[][] charsMap = {{}};
    int[] ids = {0, UNIGRAM};
    fields(
        bytes,
        (field, value) -> {
          switch (field) {
            case 1 -> pieces.add(piece(value.bytes()));
            case 2 ->
                fields(
                    value.bytes(),
                    (f, v) -> {
                      switch (f) {
                        case 3 -> ids[1] = (int) v.number();
                        case 40 -> ids[0] = (int) v.number();
                        default -> {} // settings of the training that made the model
                      }
                    });
            case 3 ->
                fields(
                    value.bytes(),
                    (f, v) -> {
                      if (f == 2) {
                        charsMap[0] = v.bytes();
                      }
                    });
            default -> {} // self-test data and the denormaliser
          }
        });
    if (pieces.isEmpty() || ids[0] >= pieces.size()) {
      throw new IllegalArgumentException(
          "it has " + pieces.size() + " pieces and unknown token " + ids[0]);
    }
    return new SentencePieceModel(List.copyOf(pieces), charsMap[0], ids[0], ids[1]);
  }

  private static Piece piece(byte[] bytes) {
    String[] text = {""};
    float[] score = {0};
    fields(
        bytes,
        (field, value) -> {
          switch (field) {
            case 1 -> text[0] = new String(value.bytes(), StandardCharsets.UTF_8);
            case 2 -> score[0] = Float.intBitsToFloat((int) value.number());
            default -> {} // the piece's type follows from the special tokens' names
          }
        });
    return new Piece(text[0], score[0]);
  }

  // ---- The wire format of protocol buffers --------------------------------------------------

  /** A field's value: bytes if length-delimited, a number otherwise. */
  private record FieldValue(long number, byte[] bytes) {}

  @FunctionalInterface
  private interface FieldVisitor {
    void visit(int field, FieldValue value);
  }

  private static void fields(byte[] message, FieldVisitor visitor) {
    ByteBuffer in = ByteBuffer.wrap(message).order(ByteOrder.LITTLE_ENDIAN);
    try {
      while (in.hasRemaining()) {
        long tag = varint(in);
        FieldValue value =
            switch ((int) (tag & 7)) {
              case 0 -> new FieldValue(varint(in), new byte[0]);
              case 1 -> new FieldValue(in.getLong(), new byte[0]);
              case 2 -> new FieldValue(0, delimited(in));
              case 5 -> new FieldValue(in.getInt(), new byte[0]);
              default -> throw new IllegalArgumentException("wire type " + (tag & 7));
            };
        visitor.visit((int) (tag >>> 3), value);
      }
    } catch (BufferUnderflowException e) {
      throw new IllegalArgumentException("it ends in the middle of a field", e);
    }
  }

  private static byte[] delimited(ByteBuffer in) {
    long length = varint(in);
    if (length < 0 || length > in.remaining()) {
      throw new IllegalArgumentException("a field of " + length + " bytes does not fit into it");
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
    throw new IllegalArgumentException("a number of more than 64 bits");
  }
}
