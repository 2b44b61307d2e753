package org.rectiflow.safetensors;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.rectiflow.safetensors.MalformedCase.header;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Makes a valid file and then, usually, breaks it: in its tensors, in the tokens of its JSON, in
 * its bytes, in its header length or in its length. One seed always makes the same file.
 */
final class FuzzMutator {

  /** A file: its first bytes, and its length; all bytes beyond are zero. */
  static final class Input {
    final byte[] head;
    final long length;

    Input(byte[] head, long length) {
      this.head = head;
      this.length = length;
    }
  }

  private static final List<String> TOKENS =
      List.of(
          "{",
          "}",
          "[",
          "]",
          ",",
          ":",
          "null",
          "true",
          "false",
          "\"\"",
          "\"x\"",
          "{}",
          "[]",
          "[[]]",
          "\"dtype\"",
          "\"shape\"",
          "\"data_offsets\"",
          "\"__metadata__\"",
          "\"F32\"",
          "\"\\u0046\\u0033\\u0032\"",
          "\"\\ud800\"",
          "\"\\udc00x\"",
          "\"\\ud83d\\ude00\"",
          "\"a\\u0000\"",
          "\"\\n\"",
          "\"\n\"",
          "\"\\x\"",
          "\"",
          "'x'",
          "/**/",
          "//",
          "\ufeff",
          "\u00a0",
          "\u2028",
          "\u007f",
          "\0",
          "NaN",
          "-",
          "\\",
          "tru");

  private final FuzzRandom random;

  private FuzzMutator(FuzzRandom random) {
    this.random = random;
  }

  static Input make(long seed) {
    return new FuzzMutator(new FuzzRandom(seed)).make();
  }

  /** JSON text that was an index of shards before some of its tokens were changed. */
  static String brokenIndex(long seed, String valid) {
    FuzzMutator mutator = new FuzzMutator(new FuzzRandom(seed));
    List<String> tokens = tokens(valid);
    for (int left = mutator.random.nextInt(4); left > 0; left--) {
      mutator.breakTokens(tokens);
    }
    return String.join("", tokens);
  }

  private Input make() {
    List<FuzzEntries.Entry> entries = FuzzEntries.valid(random);
    long data = entries.stream().mapToLong(e -> Long.parseLong(e.end)).max().orElse(0);
    Collections.shuffle(entries, random.shuffling());
    int mutations = random.chance(25) ? 0 : random.chance(70) ? 1 : 2 + random.nextInt(3);
    int[] layers = new int[5];
    for (int i = 0; i < mutations; i++) {
      int dice = random.nextInt(100);
      layers[dice < 45 ? 0 : dice < 70 ? 1 : dice < 82 ? 2 : dice < 90 ? 3 : 4]++;
    }
    for (int i = 0; i < layers[0] && !entries.isEmpty(); i++) {
      FuzzEntries.mutate(entries, random);
    }
    List<String> tokens = tokens(FuzzEntries.text(entries, random));
    for (int i = 0; i < layers[1]; i++) {
      breakTokens(tokens);
    }
    if (random.chance(20)) {
      spread(tokens);
    }
    byte[] header = String.join("", tokens).getBytes(UTF_8);
    if (random.chance(50)) {
      int length = header.length;
      header = Arrays.copyOf(header, (length + 7) / 8 * 8);
      Arrays.fill(header, length, header.length, (byte) ' ');
    }
    for (int i = 0; i < layers[2]; i++) {
      header = breakBytes(header);
    }
    long claimed = header.length;
    for (int i = 0; i < layers[3]; i++) {
      claimed = breakLength(claimed);
    }
    long length = 8 + header.length + data;
    for (int i = 0; i < layers[4]; i++) {
      length = breakFileLength(length, header.length);
    }
    byte[] head =
        ByteBuffer.allocate(8 + header.length)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(claimed)
            .put(header)
            .array();
    return new Input(head, length);
  }

  /** Splits JSON text into punctuation, strings and words. */
  private static List<String> tokens(String text) {
    List<String> tokens = new ArrayList<>();
    Matcher matcher =
        Pattern.compile("\"(?:[^\"\\\\]|\\\\.)*\"|[{}\\[\\],:]|[^\"{}\\[\\],:]+|\"").matcher(text);
    while (matcher.find()) {
      tokens.add(matcher.group());
    }
    return tokens;
  }

  private void breakTokens(List<String> tokens) {
    int at = random.nextInt(tokens.size());
    switch (random.nextInt(8)) {
      case 0 -> tokens.remove(at);
      case 1 -> tokens.add(at, tokens.get(at));
      case 2 -> Collections.swap(tokens, at, random.nextInt(tokens.size()));
      case 3 -> tokens.set(at, random.pick(TOKENS));
      case 4 -> tokens.add(at, random.pick(TOKENS));
      case 5 -> tokens.set(at, random.pick(FuzzEntries.NUMBERS));
      case 6 -> {
        int deep = 1 << random.nextInt(15);
        tokens.set(at, "[".repeat(deep) + (random.chance(50) ? "]".repeat(deep) : ""));
      }
      default -> tokens.set(at, random.pick(tokens));
    }
    if (tokens.isEmpty()) {
      tokens.add(" ");
    }
  }

  /** White space between tokens, which changes nothing. */
  private void spread(List<String> tokens) {
    for (int i = random.nextInt(6); i > 0; i--) {
      tokens.add(
          random.nextInt(tokens.size() + 1), random.pick(List.of(" ", "\t", "\n", "\r", "  ")));
    }
  }

  private byte[] breakBytes(byte[] bytes) {
    if (bytes.length == 0) {
      return new byte[] {(byte) random.nextInt()};
    }
    int at = random.nextInt(bytes.length);
    byte[] out = bytes.clone();
    switch (random.nextInt(5)) {
      case 0 -> out[at] = (byte) random.nextInt();
      case 1 -> out[at] ^= (byte) (1 << random.nextInt(8));
      case 2 -> out = Arrays.copyOf(out, at);
      case 3 -> {
        ByteArrayOutputStream longer = new ByteArrayOutputStream();
        longer.write(bytes, 0, at);
        byte[] odd =
            random.pick(
                List.of(
                    new byte[] {(byte) 0xc0, (byte) 0x80},
                    new byte[] {(byte) 0xed, (byte) 0xa0, (byte) 0x80},
                    new byte[] {(byte) 0xf4, (byte) 0x90, (byte) 0x80, (byte) 0x80},
                    new byte[] {(byte) 0xef, (byte) 0xbb, (byte) 0xbf},
                    new byte[] {0},
                    new byte[] {(byte) 0xe2, (byte) 0x82}));
        longer.writeBytes(odd);
        longer.write(bytes, at, bytes.length - at);
        out = longer.toByteArray();
      }
      default -> {
        int from = random.nextInt(bytes.length);
        int count = Math.min(random.nextInt(1, 20), bytes.length - Math.max(at, from));
        System.arraycopy(bytes, from, out, at, count);
      }
    }
    return out;
  }

  private long breakLength(long length) {
    return switch (random.nextInt(7)) {
      case 0 -> length + random.nextInt(-9, 10);
      case 1 -> 0;
      case 2 -> random.nextLong();
      case 3 -> length | 1L << random.nextInt(64);
      case 4 ->
          random.pick(
              List.of(100_000_000L, 100_000_001L, 1L << 31, -1L, Long.MAX_VALUE, Long.MIN_VALUE));
      case 5 -> length + (1L << 32);
      default -> random.nextLong(Math.max(1, 2 * Math.abs(length)));
    };
  }

  private long breakFileLength(long length, int header) {
    return switch (random.nextInt(5)) {
      case 0 -> Math.max(0, length - 1 - random.nextInt(9));
      case 1 -> length + 1 + random.nextInt(9);
      case 2 -> random.nextLong(length + 1);
      case 3 -> random.nextInt(header + 9);
      default -> length + (1L << random.nextInt(33));
    };
  }
}
